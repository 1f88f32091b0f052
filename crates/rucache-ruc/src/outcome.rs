//! The four outcomes of a look-up: a failure is never taken for the absence of a number.

use std::sync::Arc;
use std::time::Duration;

use rucache_core::Timestamp;

use crate::invalid::InvalidRuc;
use crate::provider::{Cause, Unavailable};
use crate::reason::Reason;
use crate::taxpayer::Taxpayer;

/// What is known about a number after a look-up.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Outcome {
    /// The taxpayer's record.
    Found(Found),
    /// An authority says that there is no such taxpayer, or a caller marked the number.
    NotFound(NotFound),
    /// The text is no RUC; nobody was asked.
    Invalid(InvalidRuc),
    /// Nobody could tell; says nothing about the number.
    Unavailable(Unanswered),
}

impl Outcome {
    /// The stable label: `found`, `not_found`, `invalid`, `unavailable`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Found(_) => "found",
            Self::NotFound(_) => "not_found",
            Self::Invalid(_) => "invalid",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// The record that was found.
    #[must_use]
    pub fn record(&self) -> Option<&Arc<Taxpayer>> {
        match self {
            Self::Found(found) => Some(&found.record),
            _ => None,
        }
    }
}

impl From<InvalidRuc> for Outcome {
    fn from(invalid: InvalidRuc) -> Self {
        Self::Invalid(invalid)
    }
}

/// A record and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The record.
    pub record: Arc<Taxpayer>,
    /// Date of the data, where it is known.
    pub as_of: Option<Timestamp>,
    /// Name of the source that gave the record; none when a caller stored it.
    pub source: Option<Arc<str>>,
}

/// A verdict that a number is not in the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFound {
    /// Why the number is taken for not existing.
    pub reason: Reason,
    /// When the verdict was first given.
    pub since: Timestamp,
    /// How often it was given, at least 1.
    pub attempts: u64,
}

/// Why nothing can be said about a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Unanswered {
    /// What stood in the way.
    pub cause: Cause,
    /// When asking again makes sense, where it is known.
    pub retry_after: Option<Duration>,
    /// The last record known of the number, too old to be served as found.
    pub stale: Option<Found>,
}

impl From<Unavailable> for Unanswered {
    fn from(unavailable: Unavailable) -> Self {
        let Unavailable { cause, retry_after } = unavailable;
        Self { cause, retry_after, stale: None }
    }
}
