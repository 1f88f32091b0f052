//! What can go wrong with a call, and what follows from it.

use std::time::Duration;

use rucache_ruc::{Cause, Unavailable};

/// What went wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// No connection came about.
    Connect,
    /// The connection broke before the answer was complete.
    Broken,
    /// No answer in time.
    Timeout,
    /// 502, 503, 504: the service is not up to it now.
    Unready,
    /// Another 5xx: the service broke down over this call.
    Server,
    /// 400, 413, 422: the service does not take what was asked.
    Refused,
    /// The answer is none that this API is known to give.
    Shape,
    /// The service refuses the token.
    Denied,
    /// The service takes no more calls for the moment.
    RateLimited,
    /// The service takes no more calls on this plan.
    QuotaGone,
    /// Not called: too many calls are under way.
    Busy,
    /// Not called: the plan allows no more for the moment.
    OverRate,
    /// Not called: the plan's month is used up.
    OverBudget,
}

impl Fault {
    /// What it is called outside.
    pub(crate) const fn cause(self) -> Cause {
        match self {
            Self::Timeout => Cause::Timeout,
            Self::Connect
            | Self::Broken
            | Self::Unready
            | Self::Server
            | Self::Refused
            | Self::Shape => Cause::Failed,
            Self::Denied => Cause::Denied,
            Self::Busy => Cause::Overloaded,
            Self::RateLimited | Self::OverRate => Cause::RateLimited,
            Self::QuotaGone | Self::OverBudget => Cause::QuotaExhausted,
        }
    }

    /// Whether the same call may fare better a moment later. Every call is a question, so asking
    /// twice changes nothing.
    pub(crate) const fn passes(self) -> bool {
        matches!(self, Self::Connect | Self::Broken | Self::Timeout | Self::Unready | Self::Server)
    }

    /// Whether a single number may have spoilt a collection, so that its halves may fare better.
    pub(crate) const fn splits(self) -> bool {
        matches!(self, Self::Broken | Self::Timeout | Self::Server | Self::Refused | Self::Shape)
    }

    /// Whether it tells against the service's health.
    pub(crate) const fn is_failure(self) -> bool {
        self.passes() || matches!(self, Self::Shape | Self::Denied)
    }
}

/// A fault, and how long the source is to be left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) fault: Fault,
    pub(crate) retry_after: Option<Duration>,
}

impl Trouble {
    pub(crate) const fn new(fault: Fault, retry_after: Option<Duration>) -> Self {
        Self { fault, retry_after }
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::new(fault, None)
    }
}

impl From<Trouble> for Unavailable {
    fn from(trouble: Trouble) -> Self {
        let unavailable = Self::new(trouble.fault.cause());
        match trouble.retry_after {
            Some(span) => unavailable.retry_after(span),
            None => unavailable,
        }
    }
}

/// What a call brings: what was asked for, that there is none, or trouble.
pub(crate) type Verdict<T> = Result<Option<T>, Trouble>;
