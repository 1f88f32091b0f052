//! The metrics of metered sources of records.

use std::collections::BTreeMap;

use crate::cache::number;
use crate::family::Family;
use crate::reading::{ProviderReading, Quota};
use crate::recorder::Handles;
use crate::table::{PROVIDER_LIMIT, PROVIDER_REMAINING, PROVIDER_REQUESTS};

/// Most sources that are told apart.
const PROVIDERS: usize = 8;

/// The sources. Their series appear with their first reading.
#[derive(Debug)]
pub(crate) struct Providers {
    handles: Handles,
    names: Family<String>,
}

impl Providers {
    pub(crate) fn new(handles: &Handles) -> Self {
        Self { handles: handles.clone(), names: Family::new(PROVIDERS) }
    }

    /// Takes over what the sources have counted, at a scrape.
    pub(crate) fn publish(&self, readings: &[ProviderReading]) {
        // Sources that share a name are added up: a counter takes the highest it is told.
        let mut calls: BTreeMap<(String, &'static str), u64> = BTreeMap::new();
        let mut quotas: BTreeMap<String, Quota> = BTreeMap::new();
        for reading in readings {
            let name = self.names.member(&reading.name, str::to_owned);
            for (result, count) in &reading.calls {
                let sum = calls.entry((name.to_string(), *result)).or_default();
                *sum = sum.saturating_add(*count);
            }
            if let Some(Quota { remaining, limit }) = reading.quota {
                let sum = quotas.entry(name.to_string()).or_default();
                sum.remaining = sum.remaining.saturating_add(remaining);
                sum.limit = sum.limit.saturating_add(limit);
            }
        }
        for ((name, result), sum) in &calls {
            self.handles.counter(&PROVIDER_REQUESTS, &[name, result]).absolute(*sum);
        }
        for (name, Quota { remaining, limit }) in &quotas {
            self.handles.gauge(&PROVIDER_REMAINING, &[name]).set(number(*remaining));
            self.handles.gauge(&PROVIDER_LIMIT, &[name]).set(number(*limit));
        }
    }
}
