//! What the page shows and counters do not hold: circuits, recent invalidations, durations of reads.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rucache::core::breaker::CircuitState;
use rucache::core::observer::{CacheOperation, Reach, Scope};
use rucache::core::{CacheEvent, Mono, Observer, Runtime};
use rucache::engine::PROBE_SERVICE;
use rucache::ruc::Reason;

/// Limits of the buckets of durations, in microseconds; beyond the last there is one more bucket.
pub(super) const BOUNDS: [u32; 22] = [
    1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000,
    250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000,
];

/// Calls that one told call of the local tier stands for: see [`CacheEvent::CacheCall`].
const SAMPLED: u64 = 128;

/// Most invalidations that are remembered.
const RECENT: usize = 20;

/// Invalidations of the same kind within this span are told as one.
const TOGETHER: Duration = Duration::from_secs(10);

/// Most nodes that are remembered.
const NODES: usize = 64;

/// Takes in what happens, and passes it on to the metrics.
pub(crate) struct Watch {
    metrics: Arc<dyn Observer>,
    /// There once the cache is open: what happens before has no time.
    clock: OnceLock<Arc<dyn Runtime>>,
    /// By [`Reach`].
    reads: [Durations; Reach::ALL.len()],
    circuits: Mutex<BTreeMap<String, Circuit>>,
    recent: Mutex<VecDeque<Invalidation>>,
}

/// How many calls took how long.
#[derive(Debug, Default)]
struct Durations([AtomicU64; BOUNDS.len() + 1]);

/// The circuit of a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circuit {
    pub(super) state: CircuitState,
    /// When it came to be so.
    pub(super) since: Mono,
}

/// Invalidations of one kind in one service, close together. No key, no tag.
#[derive(Debug, Clone)]
pub(super) struct Invalidation {
    pub(super) service: String,
    pub(super) scope: Scope,
    pub(super) count: u64,
    /// When the last of them was.
    pub(super) last: Mono,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Watch {
    /// Somebody who watches, and tells `metrics`.
    pub(super) fn over(metrics: Arc<dyn Observer>) -> Self {
        Self {
            metrics,
            clock: OnceLock::new(),
            reads: std::array::from_fn(|_| Durations::default()),
            circuits: Mutex::default(),
            recent: Mutex::default(),
        }
    }

    /// Lets it tell the time.
    pub(super) fn begin(&self, clock: Arc<dyn Runtime>) {
        // Begun twice, it goes on by the first clock.
        drop(self.clock.set(clock));
    }

    /// Reads that went as far as `reach`, by how long they took.
    pub(super) fn durations(&self, reach: Reach) -> Vec<u64> {
        let each = if reach == Reach::Local { SAMPLED } else { 1 };
        let Some(Durations(counts)) = self.reads.get(reach as usize) else { return Vec::new() };
        counts.iter().map(|count| count.load(Ordering::Relaxed).saturating_mul(each)).collect()
    }

    /// The nodes that told of their circuits.
    pub(super) fn circuits(&self) -> Vec<(String, Circuit)> {
        let circuits = unpoisoned(&self.circuits);
        circuits.iter().map(|(node, circuit)| (node.clone(), *circuit)).collect()
    }

    /// The most recent invalidations, newest first.
    pub(super) fn recent(&self) -> Vec<Invalidation> {
        unpoisoned(&self.recent).iter().rev().cloned().collect()
    }

    fn now(&self) -> Mono {
        self.clock.get().map_or(Mono::from_nanos(0), |clock| clock.now())
    }

    fn called(&self, operation: CacheOperation, reach: Reach, took: Duration) {
        use CacheOperation::{Get, GetMany, GetOrLoad, GetOrLoadMany};
        if !matches!(operation, Get | GetMany | GetOrLoad | GetOrLoadMany) {
            return;
        }
        let over = |bound: &u32| took > Duration::from_micros(u64::from(*bound));
        let bucket = BOUNDS.iter().take_while(|bound| over(bound)).count();
        if let Some(Durations(counts)) = self.reads.get(reach as usize) {
            counts[bucket].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn circuit(&self, node: &str, state: CircuitState) {
        let since = self.now();
        let mut circuits = unpoisoned(&self.circuits);
        if circuits.get(node).map_or(circuits.len() < NODES, |known| known.state != state) {
            circuits.insert(node.to_owned(), Circuit { state, since });
        }
    }

    fn invalidated(&self, service: &str, scope: Scope) {
        let now = self.now();
        let mut recent = unpoisoned(&self.recent);
        let same = |known: &&mut Invalidation| {
            known.service == service && known.scope == scope && now.since(known.last) < TOGETHER
        };
        if let Some(known) = recent.iter_mut().rev().find(same) {
            known.count += 1;
            known.last = now;
            return;
        }
        if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back(Invalidation { service: service.to_owned(), scope, count: 1, last: now });
    }
}

impl Observer for Watch {
    fn record(&self, event: &CacheEvent<'_>) {
        match *event {
            CacheEvent::CacheCall { operation, reach, took } => {
                self.called(operation, reach, took);
            }
            CacheEvent::Circuit { node, state, .. } => self.circuit(node, state),
            // What a probe deletes was never anybody's.
            CacheEvent::Invalidated { service: PROBE_SERVICE, .. } => {}
            CacheEvent::Invalidated { service, scope } => self.invalidated(service, scope),
            // Texts that people type are no labels.
            CacheEvent::NegativeStored { service, reason } => {
                let reason = Reason::new(reason.to_owned()).kind().as_str();
                return self.metrics.record(&CacheEvent::NegativeStored { service, reason });
            }
            // Nor was what it stores.
            CacheEvent::Store { service: PROBE_SERVICE, .. } => return,
            _ => {}
        }
        self.metrics.record(event);
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::metrics::Metrics;

    async fn watch() -> (Watch, rucache::Cache) {
        let cache = rucache::open_default().await.expect("a cache");
        let watch = Watch::over(Metrics::default().observer());
        watch.begin(cache.runtime().clone());
        (watch, cache)
    }

    #[tokio::test]
    async fn invalidations_close_together_are_one_line_and_lines_are_bounded() {
        let (watch, _cache) = watch().await;
        for _ in 0..1_000 {
            watch.record(&CacheEvent::Invalidated { service: "migo", scope: Scope::Key });
        }
        let recent = watch.recent();
        assert_eq!((recent.len(), recent[0].count), (1, 1_000));
        for number in 0..100 {
            let service = format!("s{number}");
            watch.record(&CacheEvent::Invalidated { service: &service, scope: Scope::Namespace });
        }
        let recent = watch.recent();
        assert_eq!((recent.len(), &*recent[0].service), (RECENT, "s99"));
    }

    #[tokio::test]
    async fn circuit_keeps_the_time_of_its_last_change() {
        let (watch, _cache) = watch().await;
        let tell = |state| {
            watch.record(&CacheEvent::Circuit { backend: "redis", node: "a:6379", state });
            watch.circuits()[0].1
        };
        let closed = tell(CircuitState::Closed);
        assert_eq!(tell(CircuitState::Closed).since, closed.since);
        let open = tell(CircuitState::Open);
        assert!(open.since > closed.since && open.state == CircuitState::Open);
    }

    #[tokio::test]
    async fn reads_fall_into_buckets_and_samples_stand_for_their_calls() {
        let (watch, _cache) = watch().await;
        let call = |operation, reach, micros| {
            let took = Duration::from_micros(micros);
            watch.record(&CacheEvent::CacheCall { operation, reach, took });
        };
        call(CacheOperation::Get, Reach::Local, 1);
        call(CacheOperation::GetOrLoad, Reach::Shared, 600);
        call(CacheOperation::GetOrLoad, Reach::Shared, 60_000_000);
        call(CacheOperation::Set, Reach::Shared, 600);
        assert_eq!(watch.durations(Reach::Local)[0], SAMPLED);
        let shared = watch.durations(Reach::Shared);
        let filled: Vec<_> = (0..shared.len()).filter(|at| shared[*at] > 0).collect();
        assert_eq!(filled, [9, BOUNDS.len()]);
        assert_eq!(shared.iter().sum::<u64>(), 2);
    }
}
