//! What a look-up found, as clients are told: a label, or a problem.

use std::time::Duration;

use rucache::core::Ttl;
use rucache::engine::ServedFrom;
use rucache::lookup::Lookup;
pub(super) use rucache::lookup::rfc3339;
use rucache::ruc::{Cause, InvalidRuc, NotFound, Outcome, RecordError, Unanswered};

use super::problem::{Kind, Problem};

/// Seconds after which an answer may be better where the source did not say: by then the failure
/// is not remembered any more.
const RETRY_AFTER: u64 = 1;

/// How the cache answered a look-up of a number: `hit`, `miss`, `stale`.
pub(super) fn cache_label(lookup: &Lookup) -> Option<&'static str> {
    Some(match lookup.served?.from {
        ServedFrom::Load => "miss",
        ServedFrom::Stale(_) => "stale",
        _ => "hit",
    })
}

/// Who gave the record; none where a caller stored it, or there is none.
pub(super) fn source(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Found(found) => found.source.as_deref(),
        _ => None,
    }
}

/// The problem that `outcome` is; none where a record was found. `source` is the provider's name.
pub(super) fn problem(outcome: &Outcome, source: &str) -> Option<Problem> {
    match outcome {
        Outcome::Found(_) => None,
        Outcome::NotFound(not_found) => Some(not_found_problem(not_found)),
        Outcome::Invalid(invalid) => Some((*invalid).into()),
        Outcome::Unavailable(unanswered) => Some(unanswered_problem(unanswered, source)),
    }
}

impl From<InvalidRuc> for Problem {
    fn from(invalid: InvalidRuc) -> Self {
        let problem = Self::new(Kind::NotARuc, invalid.to_string());
        let problem = problem.with("rule", invalid.rule().as_str());
        match invalid.expected() {
            Some(digit) => problem.with("expected", digit),
            None => problem,
        }
    }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        Self::new(Kind::InvalidRecord, error.to_string())
    }
}

fn not_found_problem(not_found: &NotFound) -> Problem {
    Problem::new(Kind::RucNotFound, "the source is sure that there is no such taxpayer")
        .with("reason", not_found.reason.as_str())
        .with("attempts", not_found.attempts)
        .with("timestamp", rfc3339(not_found.since))
}

fn unanswered_problem(unanswered: &Unanswered, source: &str) -> Problem {
    let cause = unanswered.cause;
    if cause == Cause::NotCovered {
        let detail = format!(
            "the number is well formed, but the source {source:?} does not hold it and cannot tell \
             whether it exists; configure the token of a look-up API (RUCACHE_MIGO_TOKEN), or \
             SUNAT's register: source.register (RUCACHE_SOURCE_REGISTER) is the path of its file, \
             source.coverage (RUCACHE_SOURCE_COVERAGE) says what the file covers: full, \
             legal_entities or partial"
        );
        return Problem::new(Kind::NotCovered, detail)
            .with("cause", cause.as_str())
            .with("source", source);
    }
    unavailable(cause, unanswered.retry_after)
}

/// That the source did not answer because of `cause`.
pub(super) fn unavailable(cause: Cause, retry_after: Option<Duration>) -> Problem {
    let detail = match cause {
        Cause::Timeout => "the source did not answer in time",
        Cause::RateLimited => "the source refuses more calls for the moment",
        Cause::Denied => "the source refuses the service's credentials",
        Cause::QuotaExhausted => "the budget of calls to the source is used up",
        Cause::Overloaded => "too much is asked of the service at once",
        Cause::Failed | Cause::NotCovered => "the source failed, or its answer is not understood",
    };
    Problem::new(Kind::Unavailable, detail)
        .with("cause", cause.as_str())
        .retry_after(retry_after.map_or(RETRY_AFTER, secs_ceil))
}

fn secs_ceil(span: Duration) -> u64 {
    Ttl::try_from(span).map_or(RETRY_AFTER, Ttl::as_secs_ceil)
}
