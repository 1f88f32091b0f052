//! Asking the provider, as the engine's loader.

use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{self, Either};
use futures_util::stream::{self, StreamExt};
use rucache_core::{BoxFuture, Jitter, Timestamp, Ttl};
use rucache_engine::{Loaded, Policy};
use rucache_ruc::{Answer, Cause, Freshness, Provider, Reason, Ruc, Taxpayer, Unavailable};
use thiserror::Error;

use crate::{CachedRecord, RucCache};

/// Calls to a provider that one look-up of many has under way at once.
pub(crate) const CONCURRENCY: usize = 32;

/// Calls that one load makes, all at once; a look-up of many has several loads under way.
pub(crate) const CALLS_OF_A_LOAD: usize = 8;

/// Most numbers of a load: a register in memory takes any number at once.
const MOST_AT_ONCE: NonZeroUsize = NonZeroUsize::new(1_024).unwrap();

/// How often one call may be halved after the provider has not answered for all of its numbers:
/// enough to isolate one of a hundred, twice.
const MOST_SPLITS: u32 = 16;

/// Why a provider gave no record, on its way through the engine.
#[derive(Debug, Error)]
#[error("the provider could not answer")]
pub(crate) struct NoAnswer(pub(crate) Unavailable);

/// What a load brings for one number.
pub(crate) type Brought = Result<Loaded<CachedRecord>, NoAnswer>;

/// The answer of a load that asked for one number and got none.
pub(crate) fn no_answer() -> Brought {
    Err(NoAnswer(Unavailable::new(Cause::Failed)))
}

impl RucCache {
    /// Most numbers that one load asks for: some full calls, as far as they are not too many.
    pub(crate) fn at_once(&self) -> NonZeroUsize {
        let limit = self.provider().batch_limit().min(MOST_AT_ONCE);
        let calls = (MOST_AT_ONCE.get() / limit.get()).min(CALLS_OF_A_LOAD);
        limit.saturating_mul(NonZeroUsize::new(calls).unwrap_or(NonZeroUsize::MIN))
    }

    /// Asks for `rucs` in calls as large as the provider takes, several at once; answers in order.
    pub(crate) async fn ask(self, rucs: Vec<Ruc>) -> Vec<Brought> {
        let limit = self.provider().batch_limit().min(MOST_AT_ONCE).get();
        let calls: Vec<_> = rucs.chunks(limit).map(|chunk| self.call(chunk.to_vec())).collect();
        let answers = stream::iter(calls).buffered(CONCURRENCY).collect::<Vec<_>>().await;
        let answers: Vec<Answer> = answers.into_iter().flatten().collect();
        let absent: Vec<Ruc> = rucs
            .iter()
            .zip(&answers)
            .filter(|(_, answer)| matches!(answer, Answer::NotFound))
            .map(|(ruc, _)| *ruc)
            .collect();
        // Listed before they are stored: what ends between the two leaves no verdict unlisted.
        self.announce_learned(&absent).await;
        rucs.iter().zip(answers).map(|(ruc, answer)| self.brought(*ruc, answer)).collect()
    }

    /// Asks for `rucs` in one call, and in halves of it where the provider breaks down on them.
    /// Whatever it does wrong, answers stay with their numbers.
    async fn call(&self, rucs: Vec<Ruc>) -> Vec<Answer> {
        // Before the deadline of the load as a whole, which would take the answers of all with it.
        let deadline = self.cache().timing().load_deadline * 9 / 10;
        let mut too_long = self.cache().runtime().sleep(deadline);
        let mut open = vec![rucs];
        let mut answers = Vec::new();
        let mut splits = 0;
        while let Some(mut part) = open.pop() {
            match ask_at_once(self.provider(), &part, &mut too_long).await {
                Ok(these) => answers.extend(these),
                Err(Cause::Failed) if part.len() > 1 && splits < MOST_SPLITS => {
                    splits += 1;
                    let later = part.split_off(part.len() / 2);
                    open.extend([later, part]);
                }
                Err(cause) => {
                    let unavailable = Answer::Unavailable(Unavailable::new(cause));
                    answers.extend(part.iter().map(|_| unavailable.clone()));
                    // No time is left for the others either.
                    if cause == Cause::Timeout {
                        let rest: usize = open.iter().map(Vec::len).sum();
                        answers.extend((0..rest).map(|_| unavailable.clone()));
                        return answers;
                    }
                }
            }
        }
        answers
    }

    fn brought(&self, ruc: Ruc, answer: Answer) -> Brought {
        match answer {
            Answer::Found { record, as_of, source } if record.ruc() == ruc => {
                let loaded = self.loaded(record, as_of, source);
                Ok(loaded)
            }
            // A record of another number is no answer to this one.
            Answer::Found { .. } => no_answer(),
            Answer::NotFound => {
                let reason = Reason::NO_EXISTE_SUNAT;
                Ok(Loaded::negative(reason.as_str()).with_policy(learned_policy()))
            }
            Answer::NotCovered => Err(NoAnswer(Unavailable::new(Cause::NotCovered))),
            Answer::Unavailable(unavailable) => Err(NoAnswer(unavailable)),
        }
    }

    fn loaded(
        &self,
        record: Arc<Taxpayer>,
        as_of: Option<Timestamp>,
        source: Option<Arc<str>>,
    ) -> Loaded<CachedRecord> {
        let policy = self.life(&record, as_of);
        // What a fleet loads together should not expire together.
        let shared = self.cache().backend().is_some();
        let policy = if shared { policy.with_jitter(Jitter::percent(10)) } else { policy };
        let tags: Vec<String> = rucache_ruc::tags(&record).collect();
        let source = source.or_else(|| Some(Arc::from(self.provider().name())));
        Loaded::new(CachedRecord { record, as_of, source }).with_tags(tags).with_policy(policy)
    }
}

/// One call to the provider, one answer for each number; the cause where it panicked, answered for
/// another number of them, or took too long.
async fn ask_at_once(
    provider: &Arc<dyn Provider>,
    rucs: &[Ruc],
    too_long: &mut BoxFuture<()>,
) -> Result<Vec<Answer>, Cause> {
    let call = async {
        match rucs {
            [ruc] => vec![provider.lookup(*ruc).await],
            _ => provider.lookup_many(rucs).await,
        }
    };
    let call = pin!(AssertUnwindSafe(call).catch_unwind());
    match future::select(call, too_long).await {
        Either::Left((Ok(answers), _)) if answers.len() == rucs.len() => Ok(answers),
        Either::Left(_) => Err(Cause::Failed),
        Either::Right(_) => Err(Cause::Timeout),
    }
}

/// The life of an entry whose data is good for `freshness`.
pub(crate) fn policy(freshness: Freshness) -> Policy {
    let policy = Policy::exact(Ttl::try_from(freshness.fresh).unwrap_or(Ttl::MIN));
    match Ttl::try_from(freshness.stale) {
        Ok(stale) => policy.with_stale(stale),
        // Zero: no fallback.
        Err(_) => policy,
    }
}

/// The life of an authority's word that a number does not exist: longer with each confirmation, and
/// its record is kept for the domain's span after the first one.
pub(crate) fn learned_policy() -> Policy {
    let ttl = |span| Ttl::try_from(span).unwrap_or(Ttl::MIN);
    let (first, last) = (Freshness::learned(1), Freshness::learned(u64::MAX));
    Policy::negative(ttl(first.fresh), ttl(last.fresh)).with_stale(ttl(first.stale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learned_verdict_lasts_an_hour_first_a_day_at_most_and_its_record_seven_days() {
        let policy = learned_policy();
        assert_eq!(policy.fresh, Ttl::MEDIUM);
        assert_eq!(policy.grows_to, Some(Ttl::LONG));
        let kept = policy.fresh.as_duration() + policy.stale.unwrap().as_duration();
        assert_eq!(kept, Ttl::EXTRA_LONG.as_duration());
    }
}
