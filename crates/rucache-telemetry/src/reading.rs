//! What a cache says of itself at a scrape.

use rucache_core::{Counts, ServiceName, Timestamp, Usage};

/// The numbers of a cache at a moment, for [`CacheMetrics::publish`](crate::CacheMetrics::publish).
///
/// What is left out keeps the value that it had.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Reading {
    /// What each service has counted since the start.
    pub services: Vec<(ServiceName, Counts)>,
    /// How full the local tier is.
    pub usage: Option<Usage>,
    /// Whether the local tier trusts its entries for a short time only.
    pub suspect: Option<bool>,
    /// Invalidations that wait for the shared tier.
    pub outbox: Option<u64>,
    /// Keys held by a load past its deadline.
    pub overdue_loads: Option<u64>,
    /// Verdicts in the negative registry, by the kind of their reason: every kind, zeros included,
    /// or the gauge of one that is gone stays where it was.
    pub negatives: Vec<(String, u64)>,
    /// When the register in use was published.
    pub register: Option<Timestamp>,
    /// What each metered source of records has counted.
    pub providers: Vec<ProviderReading>,
}

/// The numbers of a metered source of records.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ProviderReading {
    /// Its name, of the program's own choosing.
    pub name: String,
    /// Calls since the start by what became of them: every result, zeros included.
    pub calls: Vec<(&'static str, u64)>,
    /// Its budget of calls, where it has one.
    pub quota: Option<Quota>,
}

/// A budget of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    /// Calls left of it.
    pub remaining: u64,
    /// Calls that it has when full.
    pub limit: u64,
}
