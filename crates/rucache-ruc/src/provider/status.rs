//! How a metered source is: for health, metrics and people.

use std::sync::Arc;

use rucache_core::breaker::CircuitState;

use super::{Cause, Unavailable};

/// How a metered source is at the moment, as this process sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceStatus {
    /// The name of the source: `migo`.
    pub name: Arc<str>,
    /// Its circuit, which opens on failures and on refused credentials.
    pub circuit: CircuitState,
    /// Why it is not asked at all just now, and for how long still.
    pub closed: Option<Unavailable>,
    /// Calls of the last minute, where the plan limits them.
    pub minute: Option<Allowance>,
    /// Calls of this calendar month in Lima, where the plan limits them.
    pub month: Option<Allowance>,
    /// How often each result came about since the start, zeroes included.
    pub calls: Vec<(CallResult, u64)>,
}

impl SourceStatus {
    /// A source whose gate is open, without limits and without a call so far.
    #[must_use]
    pub fn new(name: Arc<str>, circuit: CircuitState) -> Self {
        let calls = CallResult::ALL.map(|result| (result, 0)).to_vec();
        Self { name, circuit, closed: None, minute: None, month: None, calls }
    }
}

/// A limit on calls, and how much of it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Calls made, by the whole fleet where it shares its counters.
    pub used: u64,
    /// Calls that may be made.
    pub limit: u64,
}

impl Allowance {
    /// Calls that may still be made.
    #[must_use]
    pub const fn remaining(self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

/// What became of a call to a source; closed, because metrics are labelled with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallResult {
    /// It was answered with what was asked for.
    Answered,
    /// It was answered: there is none.
    NotFound,
    /// It was made and brought nothing, for this cause.
    Failed(Cause),
    /// It was not made: the gate was closed or the plan used up.
    Withheld,
}

impl CallResult {
    /// Every result that a call can have.
    pub const ALL: [Self; 8] = [
        Self::Answered,
        Self::NotFound,
        Self::Failed(Cause::Timeout),
        Self::Failed(Cause::Failed),
        Self::Failed(Cause::RateLimited),
        Self::Failed(Cause::Denied),
        Self::Failed(Cause::QuotaExhausted),
        Self::Withheld,
    ];

    /// The stable label: `answered`, `not_found`, `withheld`, or that of the cause.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NotFound => "not_found",
            Self::Failed(cause) => cause.as_str(),
            Self::Withheld => "withheld",
        }
    }
}
