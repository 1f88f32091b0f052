//! What a look-up says of one number, whoever was asked: as JSON, and as a row for people.

use rucache::engine::ServedFrom;
use rucache::lookup::Lookup;
use rucache::ruc::{Impediment, InvalidRuc, Outcome, Reason, Ruc, Taxpayer};
use rucache::{Ttl, engine};
use serde::{Deserialize, Serialize};

use super::exit::Exit;
use super::input::Candidate;
use super::ruc::broken_rule;
use super::table::{Cell, Tone};

/// The verdict on one number, as the service answers it in a batch.
#[derive(Debug, Deserialize)]
pub(super) struct Answered {
    pub(super) ruc: Ruc,
    #[serde(flatten)]
    pub(super) verdict: Verdict,
}

/// What is known of a text that should be a number.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(super) enum Verdict {
    Found {
        /// How the cache came by the record: `hit`, `miss`, `stale`.
        cache: String,
        record: Taxpayer,
        /// Who gave the record; none where a caller stored it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    },
    NotFound {
        reason: Reason,
        attempts: u64,
    },
    Invalid {
        rule: String,
        expected: Option<u8>,
        detail: String,
    },
    Unavailable {
        /// The service tells the most frequent cause by the type of its problem alone.
        #[serde(default = "not_covered")]
        cause: String,
        /// When asking again makes sense, in seconds.
        retry_after: Option<u64>,
    },
}

/// A text and its verdict, as the command prints them.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    input: String,
    ruc: Option<Ruc>,
    #[serde(flatten)]
    verdict: Verdict,
    /// Only of what was found.
    #[serde(flatten)]
    factura: Option<Factura>,
}

/// Whether a factura can be issued, and what speaks against it.
#[derive(Debug, Serialize)]
struct Factura {
    fit_for_factura: bool,
    impediments: Vec<String>,
}

impl From<Lookup> for Verdict {
    fn from(lookup: Lookup) -> Self {
        match lookup.outcome {
            Outcome::Found(found) => {
                let cache = lookup.served.map_or("miss", cache_status).to_owned();
                let source = found.source.as_deref().map(str::to_owned);
                Self::Found { cache, record: Taxpayer::clone(&found.record), source }
            }
            Outcome::NotFound(verdict) => {
                Self::NotFound { reason: verdict.reason, attempts: verdict.attempts }
            }
            Outcome::Invalid(error) => Self::from(error),
            Outcome::Unavailable(why) => Self::Unavailable {
                cause: why.cause.as_str().to_owned(),
                retry_after: why
                    .retry_after
                    .and_then(|span| Ttl::try_from(span).ok())
                    .map(Ttl::as_secs_ceil),
            },
        }
    }
}

impl From<InvalidRuc> for Verdict {
    fn from(error: InvalidRuc) -> Self {
        Self::Invalid {
            rule: error.rule().as_str().to_owned(),
            expected: error.expected(),
            detail: error.to_string(),
        }
    }
}

const fn cache_status(served: engine::Outcome) -> &'static str {
    match served.from {
        ServedFrom::Local => "hit",
        ServedFrom::Stale(_) => "stale",
        _ => "miss",
    }
}

impl Verdict {
    /// The exit code of a command that ends with this verdict alone.
    pub(super) const fn exit(&self) -> Exit {
        match self {
            Self::Found { .. } => Exit::Done,
            Self::NotFound { .. } => Exit::NotFound,
            Self::Invalid { .. } => Exit::Invalid,
            Self::Unavailable { .. } => Exit::Unavailable,
        }
    }
}

impl Answer {
    pub(super) fn new(candidate: Candidate, verdict: Verdict) -> Self {
        let factura = match &verdict {
            Verdict::Found { record, .. } => {
                let fitness = record.fitness();
                let impediments = fitness.impediments().iter().map(ToString::to_string).collect();
                Some(Factura { fit_for_factura: fitness.is_fit(), impediments })
            }
            _ => None,
        };
        Self { input: candidate.input, ruc: candidate.ruc.ok(), verdict, factura }
    }

    pub(super) const fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The headings of [`row`](Self::row).
    pub(super) const HEADINGS: [&'static str; 7] =
        ["RUC", "OUTCOME", "CACHE", "FACTURA", "ESTADO", "CONDICIÓN", "NAME OR REASON"];

    /// The answer as a row for people.
    pub(super) fn row(&self) -> [Cell; 7] {
        let number = self.ruc.as_ref().map_or_else(|| self.input.trim().to_owned(), Ruc::to_string);
        let (outcome, tone, last) = match &self.verdict {
            Verdict::Found { cache, record, .. } => return found(&number, cache, record),
            Verdict::NotFound { reason, .. } => ("not found", Tone::Doubtful, reason.to_string()),
            Verdict::Invalid { rule, detail, .. } => {
                ("not a RUC", Tone::Bad, broken_rule(rule, detail))
            }
            Verdict::Unavailable { cause, retry_after } => {
                ("unavailable", Tone::Bad, explained(cause, *retry_after))
            }
        };
        let none = || Cell::from("-");
        let outcome = Cell::new(outcome, tone);
        [Cell::input(&number), outcome, none(), none(), none(), none(), Cell::whole(&last)]
    }
}

fn found(number: &str, cache: &str, record: &Taxpayer) -> [Cell; 7] {
    let fitness = record.fitness();
    let factura = if fitness.is_fit() {
        Cell::new("yes", Tone::Good)
    } else {
        let against: Vec<_> = fitness.impediments().iter().map(column).collect();
        Cell::new(&format!("no: {}", against.join(", ")), Tone::Doubtful)
    };
    let (estado, condicion) = (record.estado(), record.condicion());
    [
        number.into(),
        Cell::new("found", Tone::Good),
        cache.into(),
        factura,
        estado.as_ref().map_or("-", |estado| estado.as_str()).into(),
        condicion.as_ref().map_or("-", |condicion| condicion.as_str()).into(),
        record.nombre_o_razon_social().unwrap_or("-").into(),
    ]
}

/// The column that shows what stands in the way of a factura.
const fn column(impediment: &Impediment) -> &'static str {
    match impediment {
        Impediment::EstadoAbsent | Impediment::NotActivo(_) => "estado",
        _ => "condición",
    }
}

/// A cause in words, with what to do.
fn explained(cause: &str, retry_after: Option<u64>) -> String {
    let words = match cause {
        NOT_COVERED => "the source of look-ups cannot know this number",
        "timeout" => "the source did not answer in time",
        "failed" => "the source failed, or its answer was not understood",
        "rate_limited" => "the source takes no more calls for the moment",
        "denied" => "the source refuses the credentials",
        "quota_exhausted" => "the budget of calls is used up",
        "overloaded" => "too much was asked at once",
        _ => "no verdict",
    };
    let again = retry_after.map_or_else(String::new, |secs| format!("; ask again in {secs} s"));
    format!("{cause}: {words}{again}")
}

/// The cause that only another source can remove.
pub(super) const NOT_COVERED: &str = "not_covered";

fn not_covered() -> String {
    NOT_COVERED.to_owned()
}
