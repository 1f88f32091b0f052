//! How a read was answered.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

pub use rucache_core::observer::StaleReason;
use rucache_core::observer::Tier;
use rucache_core::{Count, LocalEntry, Mono};

/// A value, and how it came.
#[derive(Debug, Clone)]
pub struct Hit<T> {
    /// The value.
    pub value: Arc<T>,
    /// How it came.
    pub outcome: Outcome,
}

impl<T> Deref for Hit<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// How a read was answered: what `Cache-Status` and `Age` (RFC 9211, RFC 9111) are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// Where the value came from.
    pub from: ServedFrom,
    /// Time since its load began, or since it was set.
    pub age: Duration,
    /// How much longer it is fresh; zero for a stale one.
    pub ttl: Duration,
    /// For how long it has been stale; zero for a fresh one.
    pub stale_for: Duration,
    /// Whether the caller waited for a load that another one had started.
    pub collapsed: bool,
    /// Whether a loaded value is now stored: not if something newer happened to its key meanwhile,
    /// nor if it is over the limit.
    pub stored: bool,
}

impl Outcome {
    pub(crate) fn new(from: ServedFrom, entry: &LocalEntry, now: Mono) -> Self {
        Self {
            from,
            age: now.since(entry.deadlines.loaded),
            ttl: entry.deadlines.soft.since(now),
            stale_for: now.since(entry.deadlines.soft),
            collapsed: false,
            stored: true,
        }
    }
}

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServedFrom {
    /// The local tier, fresh.
    Local,
    /// The shared tier, fresh.
    Shared,
    /// A load.
    Load,
    /// The cache, past its soft deadline.
    Stale(StaleReason),
}

impl ServedFrom {
    pub(crate) const fn count(self) -> Count {
        match self {
            Self::Local => Count::Hit(Tier::Local),
            Self::Shared => Count::Hit(Tier::Shared),
            Self::Stale(reason) => Count::Stale(reason),
            Self::Load => Count::Miss,
        }
    }
}
