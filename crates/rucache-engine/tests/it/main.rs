//! The engine's promises, on a clock that the tests move.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod link;
mod map_store;
mod site;

mod arrangements;
mod back_off;
mod cancel;
mod clear;
mod confirmations;
mod fence;
mod health;
mod inspect;
mod leases;
mod life;
mod many;
mod negatives;
mod observed;
mod outbox;
mod overload;
mod permits;
mod privacy;
mod push;
mod refresh;
mod rewound;
mod shared;
mod shared_entries;
mod single_flight;
mod spans;
mod stats;
mod tags;
mod threads;
mod tiers;
mod types;
mod uses;

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rucache_core::{BoxFuture, MapLocal, Runtime, TestRuntime, Ttl};
use rucache_engine::{Cache, CacheBuilder, CacheError, Hit, Loaded, Policy};
use tokio::sync::oneshot;

/// A cache on a clock of its own, and a source that counts.
struct Lab {
    runtime: TestRuntime,
    cache: Cache,
    source: Source,
}

impl Lab {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(change: impl FnOnce(CacheBuilder) -> CacheBuilder) -> Self {
        let local = Cache::builder(Arc::new(MapLocal::default()));
        Self::of(&TestRuntime::new(1), change(local))
    }

    /// A process whose cache `builder` begins, on the clock of `runtime`.
    fn of(runtime: &TestRuntime, builder: CacheBuilder) -> Self {
        let runtime = runtime.clone();
        let cache = builder.runtime(Arc::new(runtime.clone())).build().unwrap();
        Self { runtime, cache, source: Source::default() }
    }

    /// Reads `name`, loading by the source's next answer.
    fn read(&self, policy: impl Into<Policy>) -> BoxFuture<ReadResult> {
        let (cache, policy, source) = (self.cache.clone(), policy.into(), self.source.clone());
        Box::pin(async move { cache.read_or_load("name", policy, move || source.answer()).await })
    }

    /// Starts a read apart; its result is there once it has ended.
    fn start(&self, policy: impl Into<Policy>) -> Started {
        let result = Started::default();
        let (read, slot) = (self.read(policy), result.clone());
        self.runtime.spawn(Box::pin(async move {
            let ended = read.await;
            *slot.0.lock().unwrap() = Some(ended);
        }));
        self.runtime.run_until_stalled();
        result
    }

    /// Runs `future` apart; its output is there once it has ended.
    fn apart<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Arc<Mutex<Option<T>>> {
        let output = Arc::new(Mutex::new(None));
        let slot = output.clone();
        self.runtime.spawn(Box::pin(async move {
            let ended = future.await;
            *slot.lock().unwrap() = Some(ended);
        }));
        self.runtime.run_until_stalled();
        output
    }

    fn now(&self, policy: impl Into<Policy>) -> ReadResult {
        self.runtime.block_on(self.read(policy))
    }
}

type ReadResult = Result<Hit<String>, CacheError>;
type SourceAnswer = Result<Loaded<String>, String>;

/// A read that runs apart.
#[derive(Clone, Default)]
struct Started(Arc<Mutex<Option<ReadResult>>>);

impl Started {
    fn ended(&self) -> Option<ReadResult> {
        self.0.lock().unwrap().clone()
    }

    fn value(&self) -> String {
        let hit = self.ended().expect("the read has ended").expect("with a value");
        hit.to_string()
    }
}

/// A source that gives what a test put in, and counts.
#[derive(Clone, Default)]
struct Source {
    loads: Arc<AtomicUsize>,
    answers: Arc<Mutex<VecDeque<BoxFuture<SourceAnswer>>>>,
}

impl Source {
    fn loads(&self) -> usize {
        self.loads.load(Ordering::Relaxed)
    }

    /// The next load does what `answer` does.
    fn next(&self, answer: impl Future<Output = SourceAnswer> + Send + 'static) {
        self.answers.lock().unwrap().push_back(Box::pin(answer));
    }

    /// The next load gives `value` at once.
    fn gives(&self, value: &str) {
        self.brings(Loaded::from(value.to_owned()));
    }

    /// The next load brings `loaded` at once.
    fn brings(&self, loaded: Loaded<String>) {
        self.next(async { Ok(loaded) });
    }

    /// The next load brings `loaded` once the test says so.
    fn brings_later(&self, loaded: Loaded<String>) -> oneshot::Sender<()> {
        let (go, wait) = oneshot::channel::<()>();
        self.next(async {
            let _ = wait.await;
            Ok(loaded)
        });
        go
    }

    /// The next load never ends by itself.
    fn hangs(&self) {
        self.next(std::future::pending());
    }

    /// The next load fails at once.
    fn fails(&self, why: &str) {
        let why = why.to_owned();
        self.next(async { Err(why) });
    }

    /// The next load gives `value` once the test says so.
    fn gives_later(&self, value: &str) -> oneshot::Sender<()> {
        let (go, wait) = oneshot::channel::<()>();
        let value = Loaded::from(value.to_owned());
        self.next(async {
            let _ = wait.await;
            Ok(value)
        });
        go
    }

    fn answer(&self) -> BoxFuture<SourceAnswer> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let answer = self.answers.lock().unwrap().pop_front();
        answer.unwrap_or_else(|| Box::pin(async { Err("nothing left to give".to_owned()) }))
    }
}

/// A value of a load, with tags.
fn tagged(value: &str, tags: &[&str]) -> Loaded<String> {
    Loaded::from(value.to_owned()).with_tags(tags.iter().copied())
}

const HOUR: Ttl = Ttl::MEDIUM;

/// An hour fresh, a day as a fallback, refreshed from 48 minutes on.
fn with_stale() -> Policy {
    Policy::exact(HOUR).with_stale(Ttl::LONG)
}
