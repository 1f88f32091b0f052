//! What a cache counts for itself, as metrics.

use std::collections::BTreeMap;
use std::sync::Arc;

use metrics::{Counter, Gauge};
use rucache_core::observer::{
    LoadResult, Origin, RefreshResult, RefreshTrigger, RequestResult, Scope, StaleReason,
    StoreResult, Tier, TierResult,
};
use rucache_core::{Count, Counts, ServiceName};

use crate::cache::number;
use crate::family::Family;
use crate::recorder::Handles;
use crate::table::{
    COALESCED, INVALIDATIONS, LOADS_ENDED, LOADS_IN_FLIGHT, REFRESHES, REQUESTS, STALE_SERVED,
    STORES, TIER_REQUESTS,
};

/// Most services that are told apart.
const SERVICES: usize = 64;

/// Counters of the whole cache, and of each service.
#[derive(Debug)]
pub(crate) struct Counted {
    handles: Handles,
    cache: String,
    totals: Vec<(Count, Counter)>,
    in_flight: Gauge,
    services: Family<Service>,
}

/// The requests of a service, in the order of [`RequestResult::ALL`].
#[derive(Debug)]
struct Service {
    name: String,
    requests: Vec<Counter>,
}

impl Counted {
    pub(crate) fn new(handles: &Handles, cache: &str) -> Self {
        Self {
            totals: Count::all()
                .filter_map(|count| Some((count, total(handles, cache, count)?)))
                .collect(),
            in_flight: handles.gauge(&LOADS_IN_FLIGHT, &[cache]),
            services: Family::new(SERVICES),
            handles: handles.clone(),
            cache: cache.to_owned(),
        }
    }

    pub(crate) fn publish(&self, services: &[(ServiceName, Counts)]) {
        let all: Counts = services.iter().map(|(_, counts)| counts).sum();
        for (count, counter) in &self.totals {
            let most = || services.iter().map(|(_, counts)| counts[*count]).max().unwrap_or(0);
            // What concerns everything is counted by every service that there is at the time.
            let is_of_all = matches!(count, Count::Invalidation(Scope::All, _));
            counter.absolute(if is_of_all { most() } else { all[*count] });
        }
        self.in_flight.set(number(all.loads_in_flight()));
        // Services that share their handles are added up: a counter takes the highest it is told.
        let mut shown: BTreeMap<String, (Arc<Service>, Counts)> = BTreeMap::new();
        for (name, counts) in services {
            let service = self.services.member(name.as_str(), |name| self.service(name));
            let entry = shown.entry(service.name.clone());
            entry.or_insert_with(|| (service, Counts::default())).1 += counts;
        }
        for (service, counts) in shown.values() {
            for (&result, counter) in RequestResult::ALL.iter().zip(&service.requests) {
                counter.absolute(requests(counts, result));
            }
        }
    }

    fn service(&self, name: &str) -> Service {
        let counter = |result: &RequestResult| {
            self.handles.counter(&REQUESTS, &[&self.cache, name, result.as_str()])
        };
        Service {
            name: name.to_owned(),
            requests: RequestResult::ALL.iter().map(counter).collect(),
        }
    }
}

/// How many reads were answered so.
fn requests(counts: &Counts, result: RequestResult) -> u64 {
    match result {
        RequestResult::Hit => counts.total(|count| matches!(count, Count::Hit(_))),
        RequestResult::StaleHit => counts.total(|count| matches!(count, Count::Stale(_))),
        RequestResult::NegativeHit => counts[Count::NegativeHit],
        RequestResult::Miss => counts[Count::Miss],
        RequestResult::Bypass => counts[Count::Bypass],
        RequestResult::Error => counts[Count::Error],
        _ => 0,
    }
}

/// The metric of the whole cache that shows `count`, where there is one.
fn total(handles: &Handles, cache: &str, count: Count) -> Option<Counter> {
    let counter = |metric, values: &[&str]| {
        let all: Vec<&str> = [cache].into_iter().chain(values.iter().copied()).collect();
        Some(handles.counter(metric, &all))
    };
    let tier =
        |tier: Tier, result: TierResult| counter(&TIER_REQUESTS, &[tier.as_str(), result.as_str()]);
    match count {
        Count::Hit(Tier::Local) => tier(Tier::Local, TierResult::Hit),
        Count::LocalMiss => tier(Tier::Local, TierResult::Miss),
        Count::SharedRead(result) => tier(Tier::Shared, result),
        Count::Stale(reason) => counter(&STALE_SERVED, &[StaleReason::as_str(reason)]),
        Count::Coalesced => counter(&COALESCED, &[]),
        Count::Load(result) => counter(&LOADS_ENDED, &[LoadResult::as_str(result)]),
        Count::Store(tier, result) => {
            counter(&STORES, &[tier.as_str(), StoreResult::as_str(result)])
        }
        Count::Refresh(trigger, result) => {
            counter(&REFRESHES, &[RefreshTrigger::as_str(trigger), RefreshResult::as_str(result)])
        }
        Count::Invalidation(scope, origin) => {
            counter(&INVALIDATIONS, &[Scope::as_str(scope), Origin::as_str(origin)])
        }
        // Shown by service, or as a difference.
        _ => None,
    }
}
