//! A day of all processes together.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use rucache_core::observer::{LoadResult, StoreResult};
use rucache_core::{Count, Counts, ServiceName};
use rucache_ruc::LimaDate;
use serde::ser::{Serialize, Serializer};

/// What all processes counted on a day in Lima.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct DailyStats {
    /// The day.
    #[serde(serialize_with = "day")]
    pub date: LimaDate,
    /// All services together.
    #[serde(flatten)]
    pub all: DayCounts,
    /// Each service.
    pub services: BTreeMap<ServiceName, DayCounts>,
}

/// What was counted on a day. In serde it has its hit rate as well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DayCounts {
    /// Reads that the cache answered, with a value or a verdict.
    pub hits: u64,
    /// Reads that it could not answer.
    pub misses: u64,
    /// Loads that began.
    pub loads: u64,
    /// Loads that failed.
    pub load_failures: u64,
    /// Values and verdicts that were stored.
    pub stores: u64,
    /// Invalidations.
    pub invalidations: u64,
}

impl DayCounts {
    /// The names of the counters, in the order of [`values`](Self::values).
    pub(super) const NAMES: [&str; 6] =
        ["hits", "misses", "loads", "load_failures", "stores", "invalidations"];

    pub(super) const fn values(self) -> [u64; 6] {
        let Self { hits, misses, loads, load_failures, stores, invalidations } = self;
        [hits, misses, loads, load_failures, stores, invalidations]
    }

    pub(super) const fn of(values: [u64; 6]) -> Self {
        let [hits, misses, loads, load_failures, stores, invalidations] = values;
        Self { hits, misses, loads, load_failures, stores, invalidations }
    }

    /// Hits among hits and misses in per cent, cut to one decimal; zero without any.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        let (hits, misses) = (u128::from(self.hits), u128::from(self.misses));
        let permille = (hits * 1_000).checked_div(hits + misses).unwrap_or(0);
        f64::from(u16::try_from(permille).unwrap_or(1_000)) / 10.0
    }
}

impl From<&Counts> for DayCounts {
    fn from(counts: &Counts) -> Self {
        use LoadResult as L;
        let failed = |count| {
            let is_failure =
                |result| matches!(result, L::Error | L::Timeout | L::Panic | L::Cancelled);
            matches!(count, Count::Load(result) if is_failure(result))
        };
        Self {
            hits: counts.hits(),
            misses: counts.misses(),
            loads: counts[Count::LoadStarted],
            load_failures: counts.total(failed),
            stores: counts.total(|count| matches!(count, Count::Store(_, StoreResult::Stored))),
            invalidations: super::invalidations(counts),
        }
    }
}

impl AddAssign for DayCounts {
    fn add_assign(&mut self, other: Self) {
        let mut values = self.values();
        for (value, other) in values.iter_mut().zip(other.values()) {
            *value = value.saturating_add(other);
        }
        *self = Self::of(values);
    }
}

impl Serialize for DayCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(Self::NAMES.len() + 1))?;
        for (name, value) in Self::NAMES.iter().zip(self.values()) {
            map.serialize_entry(name, &value)?;
        }
        map.serialize_entry("hit_rate", &self.hit_rate())?;
        map.end()
    }
}

fn day<S: Serializer>(day: &LimaDate, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}
