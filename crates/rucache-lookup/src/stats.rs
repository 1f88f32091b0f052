//! What was counted: of this process since its start, and of the fleet day by day.

mod daily;
mod rolled;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use rucache_core::observer::Origin;
use rucache_core::{Count, Counts, Key, ServiceName, Timestamp, Ttl};
use rucache_ruc::{Freshness, LimaDate};
use serde::Serialize;

use crate::{InvalidCounts, Lookups, stamp};

pub use daily::{DailyStats, DayCounts};
pub(crate) use rolled::Rolled;

/// Whose statistics are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scope {
    /// This process's.
    #[default]
    Process,
    /// This process's, and what all processes have added up today.
    Fleet,
}

/// Statistics in the form of the reference documents, without `status`, which health says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// When they were taken.
    #[serde(with = "stamp::text")]
    pub timestamp: Timestamp,
    /// Where entries live: `local_memory`, `redis`, `memcached`.
    pub backend: &'static str,
    /// Reads that the cache answered, with a value or a verdict.
    pub hits: u64,
    /// Reads that it could not answer.
    pub misses: u64,
    /// Hits among both in per cent, cut to one decimal; 0.0 without any.
    pub hit_rate: f64,
    /// Entries: exactly where they live in this process, else what the server counts as items, or
    /// nothing.
    pub total_keys: Option<u64>,
    /// Whether that is the server's own count.
    pub total_keys_approximate: bool,
    /// Invalidations by this process.
    pub invalidations: u64,
    /// Up to when everything was counted.
    #[serde(with = "stamp::text")]
    pub last_updated: Timestamp,
    /// Hits and misses of each service.
    pub service_breakdown: BTreeMap<ServiceName, HitsAndMisses>,
    /// The registries of all services with taxpayer records; nothing where they cannot be reached.
    pub invalid_rucs: Option<InvalidCounts>,
    /// How long what lives.
    pub timeouts: BTreeMap<String, String>,
    /// What all processes have added up today, up to a minute ago.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fleet: Option<DailyStats>,
}

/// Reads of a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct HitsAndMisses {
    /// Those that the cache answered.
    pub hits: u64,
    /// Those that it could not answer.
    pub misses: u64,
}

/// What had been counted when the statistics were last set to zero.
#[derive(Debug, Default)]
pub(crate) struct Baseline(Mutex<HashMap<ServiceName, Counts>>);

impl Baseline {
    fn since(&self, stats: Vec<(ServiceName, Counts)>) -> Vec<(ServiceName, Counts)> {
        let before = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = |(service, counts): (ServiceName, Counts)| match before.get(&service) {
            Some(before) => (service, counts.since(before)),
            None => (service, counts),
        };
        stats.into_iter().map(since).collect()
    }
}

impl Lookups {
    /// What was counted since the start or since the statistics were last set to zero.
    pub async fn stats(&self, scope: Scope) -> Stats {
        let cache = self.cache();
        let now = cache.runtime().wall();
        let services = self.0.baseline.since(cache.stats());
        let all: Counts = services.iter().map(|(_, counts)| counts).sum();
        let (total_keys, total_keys_approximate) = match cache.backend() {
            None => (cache.usage().map(|usage| usage.entries), false),
            Some(backend) => {
                // The same backend, which tells of the call.
                let info = cache.aside().unwrap_or(backend).info().await;
                (info.ok().and_then(|info| info.items), true)
            }
        };
        let fleet = match scope {
            Scope::Process => None,
            Scope::Fleet => {
                // What this process has not added yet belongs to it.
                let _ = self.flush_stats().await;
                self.daily(LimaDate::at(now)).await.ok()
            }
        };
        let asked = services.into_iter().map(|(service, counts)| (service, (&counts).into()));
        Stats {
            timestamp: now,
            backend: self.backend_name(),
            hits: all.hits(),
            misses: all.misses(),
            hit_rate: all.hit_rate(),
            total_keys,
            total_keys_approximate,
            invalidations: invalidations(&all),
            last_updated: now,
            service_breakdown: asked
                .filter(|(_, reads)| *reads != HitsAndMisses::default())
                .collect(),
            invalid_rucs: self.invalid_counts().await,
            timeouts: self.timeouts(),
            fleet,
        }
    }

    /// Counts from zero again. Counters for Prometheus go on.
    pub fn reset_stats(&self) {
        let counted = self.cache().stats().into_iter().collect();
        *self.0.baseline.0.lock().unwrap_or_else(PoisonError::into_inner) = counted;
    }

    /// The documents' name of where entries live.
    fn backend_name(&self) -> &'static str {
        match self.cache().backend().map(|backend| backend.capabilities().name) {
            None | Some("memory") => "local_memory",
            Some(name) => name,
        }
    }

    async fn invalid_counts(&self) -> Option<InvalidCounts> {
        let mut all = InvalidCounts::default();
        for service in self.services() {
            all.add(self.ruc(&service).invalid_breakdown().await.ok()?);
        }
        Some(all)
    }

    fn timeouts(&self) -> BTreeMap<String, String> {
        let (options, lives) = (self.options(), self.0.lives());
        let fresh = |freshness: Freshness| Ttl::try_from(freshness.fresh).unwrap_or(Ttl::MIN);
        let service = options.services.first().cloned().unwrap_or_default();
        let record = Key::new(&service, "ruc_").ok().and_then(|key| lives.ttls.ttl(&key));
        let record = record.unwrap_or_else(|| fresh(options.profile.usual_record()));
        // Of a day that is over: today's may live shorter.
        let (past, now) = (LimaDate::at(Timestamp::default()), self.cache().runtime().wall());
        let rate = options.profile.exchange_rate(past, now);
        let mut timeouts: BTreeMap<String, String> = [
            ("default", lives.default_ttl),
            ("ruc_valid", record),
            ("ruc_invalid", options.mark_ttl),
            ("ruc_invalid_record", Ttl::EXTRA_LONG),
            ("exchange_rate", fresh(rate)),
            ("rate_limit", fresh(Freshness::RATE_LIMIT)),
            ("statistics", fresh(Freshness::DAILY_STATISTICS)),
        ]
        .map(|(name, ttl)| (name.to_owned(), ttl.to_string()))
        .into();
        let patterns = lives.ttls.patterns().into_iter();
        timeouts.extend(patterns.map(|(pattern, ttl)| (pattern, ttl.to_string())));
        timeouts
    }
}

/// Invalidations that began here.
fn invalidations(counts: &Counts) -> u64 {
    counts.total(|count| matches!(count, Count::Invalidation(_, origin) if origin != Origin::Push))
}

impl From<&Counts> for HitsAndMisses {
    fn from(counts: &Counts) -> Self {
        Self { hits: counts.hits(), misses: counts.misses() }
    }
}
