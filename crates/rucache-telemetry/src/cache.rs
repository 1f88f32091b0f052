//! The metrics of one cache: an observer of its events and a reader of its counters.

use std::collections::BTreeMap;
use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram};
use rucache_core::envelope::DecodeFailure;
use rucache_core::observer::{CacheOperation, LoadResult, Reach, StoreResult};
use rucache_core::{CacheEvent, Observer};

use crate::backend::Backend;
use crate::counted::Counted;
use crate::family::{Family, OTHER};
use crate::provider::Providers;
use crate::reading::Reading;
use crate::recorder::{Handles, SharedRecorder};
use crate::table::{
    CAPACITY, DECODE_FAILURES, ENTRIES, EVICTIONS, LOAD_DURATION, LOADS_OVERDUE, MEMORY,
    NEGATIVE_ENTRIES, NEGATIVE_WRITES, OPERATION_DURATION, OUTBOX, REGISTER, SUSPECT, VALUE_BYTES,
};

/// Most kinds of reason that are told apart.
const REASONS: usize = 16;

/// Most bytes of the name of a kind of reason.
const MAX_REASON_LEN: usize = 40;

/// Most backends that are told apart: a cache has one shared tier.
const BACKENDS: usize = 1;

/// The metrics of one cache.
///
/// As its observer it takes in what has a duration, a length or a node. What is counted alone comes
/// from the cache's own counters, at each [`publish`](Self::publish), so that a hit costs nothing
/// more than it does without metrics. Handles are resolved once; all series that can be known are
/// there from the start, at zero.
#[derive(Debug)]
pub struct CacheMetrics {
    cache: String,
    handles: Handles,
    counted: Counted,
    /// By operation, then by reach; nothing where that cannot be.
    durations: Vec<Vec<Option<Histogram>>>,
    load_duration: Histogram,
    value_len: Histogram,
    decode_failures: Vec<Counter>,
    negatives: Family<Negatives>,
    backends: Family<Backend>,
    providers: Providers,
    gauges: Gauges,
}

#[derive(Debug)]
struct Negatives {
    reason: String,
    writes: Counter,
    entries: Gauge,
}

#[derive(Debug)]
struct Gauges {
    entries: Gauge,
    memory: Gauge,
    capacity: Gauge,
    evictions: Counter,
    outbox: Gauge,
    suspect: Gauge,
    overdue: Gauge,
}

impl CacheMetrics {
    /// The metrics of the cache called `cache`, a name of the program's own choosing, as handles of
    /// `recorder`.
    #[must_use]
    pub fn new(recorder: SharedRecorder, cache: &str) -> Self {
        let handles = Handles(recorder);
        let duration = |operation: CacheOperation| {
            let histogram = |reach: &Reach| {
                may_reach(operation, *reach).then(|| {
                    let values = [cache, operation.as_str(), reach.as_str()];
                    handles.histogram(&OPERATION_DURATION, &values)
                })
            };
            Reach::ALL.iter().map(histogram).collect()
        };
        let failure =
            |reason: &DecodeFailure| handles.counter(&DECODE_FAILURES, &[cache, reason.as_str()]);
        Self {
            cache: cache.to_owned(),
            counted: Counted::new(&handles, cache),
            durations: CacheOperation::ALL.iter().copied().map(duration).collect(),
            load_duration: handles.histogram(&LOAD_DURATION, &[cache]),
            value_len: handles.histogram(&VALUE_BYTES, &[cache]),
            decode_failures: DecodeFailure::ALL.iter().map(failure).collect(),
            negatives: Family::new(REASONS),
            backends: Family::new(BACKENDS),
            providers: Providers::new(&handles),
            gauges: Gauges {
                entries: handles.gauge(&ENTRIES, &[cache]),
                memory: handles.gauge(&MEMORY, &[cache]),
                capacity: handles.gauge(&CAPACITY, &[cache]),
                evictions: handles.counter(&EVICTIONS, &[cache, "size"]),
                outbox: handles.gauge(&OUTBOX, &[cache]),
                suspect: handles.gauge(&SUSPECT, &[cache]),
                overdue: handles.gauge(&LOADS_OVERDUE, &[cache]),
            },
            handles,
        }
    }

    /// Takes over what the cache has counted, before a scrape.
    pub fn publish(&self, reading: &Reading) {
        self.counted.publish(&reading.services);
        self.providers.publish(&reading.providers);
        let gauges = &self.gauges;
        if let Some(usage) = reading.usage {
            gauges.entries.set(number(usage.entries));
            gauges.memory.set(number(usage.bytes));
            gauges.capacity.set(number(usage.capacity_bytes));
            gauges.evictions.absolute(usage.evictions);
        }
        if let Some(outbox) = reading.outbox {
            gauges.outbox.set(number(outbox));
        }
        if let Some(suspect) = reading.suspect {
            gauges.suspect.set(f64::from(u8::from(suspect)));
        }
        if let Some(overdue) = reading.overdue_loads {
            gauges.overdue.set(number(overdue));
        }
        // Reasons that share a gauge are added up.
        let mut negatives: BTreeMap<String, (Arc<Negatives>, u64)> = BTreeMap::new();
        for (reason, entries) in &reading.negatives {
            let shown = self.negatives(reason);
            let sum = negatives.entry(shown.reason.clone()).or_insert_with(|| (shown, 0));
            sum.1 = sum.1.saturating_add(*entries);
        }
        for (shown, entries) in negatives.values() {
            shown.entries.set(number(*entries));
        }
        if let Some(register) = reading.register {
            // Only where there is a register: an age since 1970 would be an alarm for nothing.
            let published = self.handles.gauge(&REGISTER, &[&self.cache]);
            published.set(number(register.as_millis() / 1_000));
        }
    }

    fn backend(&self, name: &str) -> Arc<Backend> {
        self.backends.member(name, |name| Backend::new(&self.handles, name))
    }

    fn negatives(&self, reason: &str) -> Arc<Negatives> {
        let reason = if is_a_kind(reason) { reason } else { OTHER };
        self.negatives.member(reason, |reason| Negatives {
            reason: reason.to_owned(),
            writes: self.handles.counter(&NEGATIVE_WRITES, &[&self.cache, reason]),
            entries: self.handles.gauge(&NEGATIVE_ENTRIES, &[&self.cache, reason]),
        })
    }
}

impl Observer for CacheMetrics {
    fn record(&self, event: &CacheEvent<'_>) {
        match *event {
            CacheEvent::CacheCall { operation, reach, took } => {
                let by_reach = self.durations.get(operation as usize);
                if let Some(Some(histogram)) = by_reach.and_then(|by| by.get(reach as usize)) {
                    histogram.record(took);
                }
            }
            // These never began.
            CacheEvent::LoadEnded {
                result: LoadResult::Overloaded | LoadResult::Recursive,
                ..
            } => {}
            CacheEvent::LoadEnded { took, .. } => self.load_duration.record(took),
            CacheEvent::Store { result: StoreResult::Stored, value_len, .. } => {
                self.value_len.record(number(u64::try_from(value_len).unwrap_or(u64::MAX)));
            }
            CacheEvent::DecodeFailed { reason, .. } => {
                if let Some(counter) = self.decode_failures.get(reason as usize) {
                    counter.increment(1);
                }
            }
            CacheEvent::NegativeStored { reason, .. } => {
                self.negatives(reason).writes.increment(1);
            }
            CacheEvent::BackendCall { backend, operation, took, .. } => {
                self.backend(backend).called(operation, took);
            }
            CacheEvent::BackendFailed { backend, node, kind } => {
                self.backend(backend).failed(node, kind);
            }
            CacheEvent::Circuit { backend, node, state } => {
                self.backend(backend).circuit(node, state);
            }
            CacheEvent::Pushed { backend, change } => self.backend(backend).pushed(change),
            // Numbers alone: from the counters.
            _ => {}
        }
    }
}

/// Whether a call can go as far: only those that may load go to the origin.
const fn may_reach(operation: CacheOperation, reach: Reach) -> bool {
    use CacheOperation::{GetOrLoad, GetOrLoadMany};
    !matches!(reach, Reach::Origin) || matches!(operation, GetOrLoad | GetOrLoadMany)
}

/// Whether a reason is the name of a kind, and no text that somebody typed, with whatever numbers.
fn is_a_kind(reason: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let digits = reason.bytes().filter(u8::is_ascii_digit).count();
    (1..=MAX_REASON_LEN).contains(&reason.len()) && digits <= 3 && reason.bytes().all(is_inside)
}

/// `count` as a gauge has it: exact up to 2^53.
pub(crate) fn number(count: u64) -> f64 {
    let (high, low) = (count >> 32, count & u64::from(u32::MAX));
    let part = |bits: u64| f64::from(u32::try_from(bits).unwrap_or(u32::MAX));
    part(high) * 4_294_967_296.0 + part(low)
}
