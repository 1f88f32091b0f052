//! The contract of a source of taxpayer records, and what it may answer.

mod reply;
mod status;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rucache_core::Timestamp;

pub use reply::{Account, Quote, Reply};
pub use status::{Allowance, CallResult, SourceStatus};

use crate::exchange::{ExchangeRate, RateQuery};
use crate::number::Ruc;
use crate::prefix::Prefix;
use crate::taxpayer::Taxpayer;

/// A source of taxpayer records: a look-up API, a register on disk.
///
/// A provider answers what it knows and never decides what is cached. It never takes its own
/// trouble for the absence of a number: everything it does not understand is
/// [`Answer::Unavailable`].
#[async_trait]
pub trait Provider: Send + Sync {
    /// Short name for outcomes and metrics: `sample`, `migo`.
    fn name(&self) -> &str;

    /// For which numbers its silence proves that they do not exist.
    fn coverage(&self) -> Coverage;

    /// Most numbers that one call to the source can carry.
    fn batch_limit(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    /// Asks for one number.
    async fn lookup(&self, ruc: Ruc) -> Answer;

    /// Asks for many numbers: one answer for each, in the order of `rucs`.
    ///
    /// Callers pass at most [`batch_limit`](Provider::batch_limit) numbers. A source that takes
    /// several in one call overrides this; by default they are asked one after the other.
    async fn lookup_many(&self, rucs: &[Ruc]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(rucs.len());
        for &ruc in rucs {
            answers.push(self.lookup(ruc).await);
        }
        answers
    }

    /// Asks for an exchange rate. Most sources know none.
    async fn exchange_rate(&self, query: RateQuery) -> Reply<ExchangeRate> {
        let _ = query;
        Reply::NotCovered
    }

    /// Asks what the source says of its customer's account; may count as a call.
    async fn account(&self) -> Reply<Account> {
        Reply::NotCovered
    }

    /// What asking for `rucs` would cost, without a call: one row for each source that would be
    /// asked, in order. By default it costs nothing.
    async fn quote(&self, rucs: &[Ruc]) -> Vec<Quote> {
        vec![Quote { source: self.name().into(), numbers: rucs.len(), calls: 0 }]
    }

    /// How the metered sources behind this one are, in order; none by default.
    fn status(&self) -> Vec<SourceStatus> {
        Vec::new()
    }
}

/// For which numbers the silence of a source proves that they do not exist.
///
/// In configuration: `full`, `legal_entities`, `partial`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Coverage {
    /// The whole register.
    Full,
    /// Legal entities only: numbers with prefix 20.
    LegalEntities,
    /// Some numbers, without a claim about any other: a sample.
    Partial,
}

impl Coverage {
    /// What it means that the source has no row for `ruc`: [`Answer::NotFound`] where the source
    /// is authoritative, [`Answer::NotCovered`] elsewhere.
    #[must_use]
    pub fn silence(self, ruc: Ruc) -> Answer {
        let authoritative = match self {
            Self::Full => true,
            Self::LegalEntities => ruc.prefix() == Prefix::LegalEntity,
            Self::Partial => false,
        };
        if authoritative { Answer::NotFound } else { Answer::NotCovered }
    }
}

/// What a source says about one number.
///
/// Closed on purpose: whoever adds a kind of answer must decide, everywhere, what it means.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It has the record.
    Found {
        /// The record.
        record: Arc<Taxpayer>,
        /// Date of the data, where the source states one.
        as_of: Option<Timestamp>,
        /// Name of the source, where it is another than the provider that answers.
        source: Option<Arc<str>>,
    },
    /// It is authoritative for this number and has no record of it.
    NotFound,
    /// It has no record and cannot know whether one exists.
    NotCovered,
    /// It could not answer.
    Unavailable(Unavailable),
}

impl Answer {
    /// The record without a stated date of the data.
    #[must_use]
    pub fn found(record: Taxpayer) -> Self {
        Self::Found { record: Arc::new(record), as_of: None, source: None }
    }
}

/// Why a source could not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unavailable {
    /// What went wrong.
    pub cause: Cause,
    /// How long the source asks to be left alone.
    pub retry_after: Option<Duration>,
}

impl Unavailable {
    /// Not available because of `cause`; the source did not say for how long.
    #[must_use]
    pub const fn new(cause: Cause) -> Self {
        Self { cause, retry_after: None }
    }

    /// The source asks to be left alone for `span`.
    #[must_use]
    pub const fn retry_after(self, span: Duration) -> Self {
        Self { retry_after: Some(span), ..self }
    }
}

/// Why there is no verdict about a number; closed, because metrics are labelled with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The configured source cannot know this number.
    NotCovered,
    /// The source did not answer in time.
    Timeout,
    /// The source failed, or its answer could not be understood.
    Failed,
    /// The source refuses more calls for the moment.
    RateLimited,
    /// The source refuses the credentials.
    Denied,
    /// The budget of calls is used up.
    QuotaExhausted,
    /// Too much is asked of this process at once.
    Overloaded,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 7] = [
        Self::NotCovered,
        Self::Timeout,
        Self::Failed,
        Self::RateLimited,
        Self::Denied,
        Self::QuotaExhausted,
        Self::Overloaded,
    ];

    /// The stable label: `not_covered`, `timeout`, `failed`, `rate_limited`, `denied`,
    /// `quota_exhausted`, `overloaded`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotCovered => "not_covered",
            Self::Timeout => "timeout",
            Self::Failed => "failed",
            Self::RateLimited => "rate_limited",
            Self::Denied => "denied",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Overloaded => "overloaded",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
