//! Tests of `limits`.

use std::collections::HashMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use rucache_core::{
    Answers, BoxFuture, Error, ErrorKind, Key, Mono, Operation, TestRuntime, Timestamp, Ttl,
};
use rucache_ruc::Cause;

use super::*;
use crate::config::ApiKind;

/// Counters of a fleet in memory, some milliseconds away.
struct Table {
    runtime: TestRuntime,
    counts: Mutex<HashMap<Key, u64>>,
    is_down: AtomicBool,
}

impl Table {
    fn new(runtime: &TestRuntime) -> Arc<Self> {
        let (counts, is_down) = (Mutex::default(), AtomicBool::new(false));
        Arc::new(Self { runtime: runtime.clone(), counts, is_down })
    }

    fn sum(&self, kind: &str) -> u64 {
        let counts = self.counts.lock().unwrap();
        counts.iter().filter(|(key, _)| key.name().starts_with(kind)).map(|(_, sum)| sum).sum()
    }
}

#[async_trait]
impl Counters for Table {
    async fn add(&self, additions: &[(Key, u64)], _: Ttl) -> Answers<u64> {
        self.runtime.sleep(Duration::from_millis(self.runtime.random() % 4)).await;
        if self.is_down.load(Ordering::Relaxed) {
            let error = || Err(Error::new(ErrorKind::Unreachable, "table", Operation::Add));
            return additions.iter().map(|_| error()).collect();
        }
        let add = |(key, delta): &(Key, u64)| {
            let mut counts = self.counts.lock().unwrap();
            let sum = counts.entry(key.clone()).or_default();
            *sum += delta;
            Ok(*sum)
        };
        let sums = additions.iter().map(add).collect();
        self.runtime.sleep(Duration::from_millis(self.runtime.random() % 4)).await;
        sums
    }
}

/// A process whose wall clock is not the others'.
struct Skewed {
    runtime: TestRuntime,
    ahead: u64,
}

impl Runtime for Skewed {
    fn now(&self) -> Mono {
        self.runtime.now()
    }
    fn wall(&self) -> Timestamp {
        self.runtime.wall().after(Ttl::millis(self.ahead))
    }
    fn sleep(&self, span: Duration) -> BoxFuture<()> {
        self.runtime.sleep(span)
    }
    fn spawn(&self, task: BoxFuture<()>) {
        self.runtime.spawn(task);
    }
    fn random(&self) -> u64 {
        self.runtime.random()
    }
}

fn limits(
    per_minute: Option<u32>,
    per_month: Option<u64>,
    runtime: Arc<dyn Runtime>,
    table: Option<&Arc<Table>>,
) -> Arc<Limits> {
    let mut config = SourceConfig::new(ApiKind::Migo);
    config.plan =
        Plan::new(per_minute.and_then(NonZeroU32::new), per_month.and_then(NonZeroU64::new));
    let counters = table.map(|table| table.clone() as Arc<dyn Counters>);
    Arc::new(Limits::new(&config, service("migo").unwrap(), runtime, counters))
}

/// Runs `takes` and the clock until it has an answer.
fn run<T: Send + 'static>(
    runtime: &TestRuntime,
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    let answer = Arc::new(Mutex::new(None));
    let told = answer.clone();
    runtime.spawn(Box::pin(async move {
        let done = work.await;
        *told.lock().unwrap() = Some(done);
    }));
    loop {
        if let Some(done) = answer.lock().unwrap().take() {
            return done;
        }
        runtime.advance(Duration::from_millis(1));
    }
}

/// The most calls in any span of a minute.
fn worst_minute(times: &[Mono]) -> usize {
    let within = |start: &Mono| {
        times.iter().filter(|at| **at >= *start && at.since(*start) < MINUTE).count()
    };
    times.iter().map(within).max().unwrap_or(0)
}

#[test]
fn no_sliding_minute_of_a_process_has_a_call_too_many() {
    let runtime = TestRuntime::new(1);
    let limits = limits(Some(60), None, Arc::new(runtime.clone()), None);
    let mut times = Vec::new();
    let mut refused = 0;
    // Ten minutes of 1,000 requests each, in bursts and lulls.
    for step in 0..10_000_u64 {
        match runtime.block_on(limits.take(Use::Interactive)) {
            Ok(()) => times.push(runtime.now()),
            Err(trouble) => {
                refused += 1;
                assert_eq!(trouble.fault, Fault::OverRate);
                assert!(trouble.retry_after.is_some_and(|wait| wait <= Duration::from_secs(62)));
            }
        }
        runtime.advance(Duration::from_millis(if step % 7 == 0 { 400 } else { 3 }));
    }
    assert_eq!(worst_minute(&times), 60);
    assert_eq!(times.len() + refused, 10_000);
    assert!(times.len() >= 9 * 60, "{} calls in ten minutes", times.len());
}

#[test]
fn no_sliding_minute_of_a_fleet_has_a_call_too_many() {
    for seed in 0..3 {
        let runtime = TestRuntime::new(seed);
        let table = Table::new(&runtime);
        let times = Arc::new(Mutex::new(Vec::new()));
        for ahead in [1, 400, 900] {
            let skewed = Skewed { runtime: runtime.clone(), ahead };
            let limits = limits(Some(60), None, Arc::new(skewed), Some(&table));
            for _ in 0..4 {
                let (limits, times, runtime) = (limits.clone(), times.clone(), runtime.clone());
                let clock = runtime.clone();
                clock.spawn(Box::pin(async move {
                    loop {
                        if limits.take(Use::Interactive).await.is_ok() {
                            times.lock().unwrap().push(runtime.now());
                        }
                        let rest = runtime.random() % 300;
                        runtime.sleep(Duration::from_millis(rest)).await;
                    }
                }));
            }
        }
        runtime.advance(MINUTE * 5);
        let times = times.lock().unwrap();
        assert!(worst_minute(&times) <= 60, "seed {seed}: {}", worst_minute(&times));
        assert!(times.len() >= 4 * 60, "seed {seed}: {} calls in five minutes", times.len());
    }
}

#[test]
fn wait_that_is_told_is_long_enough() {
    let runtime = TestRuntime::new(3);
    let table = Table::new(&runtime);
    let limits = limits(Some(10), None, Arc::new(runtime.clone()), Some(&table));
    for _ in 0..10 {
        let limits = limits.clone();
        assert!(run(&runtime, async move { limits.take(Use::Interactive).await }).is_ok());
    }
    let asking = limits.clone();
    let trouble = run(&runtime, async move { asking.take(Use::Interactive).await }).unwrap_err();
    let wait = trouble.retry_after.unwrap();
    assert!(wait > Duration::from_secs(55) && wait < Duration::from_secs(70), "{wait:?}");
    let counted = table.sum("slot");
    runtime.advance(Duration::from_secs(69));
    let asking = limits.clone();
    assert!(run(&runtime, async move { asking.take(Use::Interactive).await }).is_ok());
    // The refusal was known without a word to the table.
    assert_eq!(table.sum("slot"), counted + 1);
}

#[test]
fn many_leave_the_reserve_to_single_ones() {
    let runtime = TestRuntime::new(1);
    let limits = limits(Some(60), Some(100), Arc::new(runtime.clone()), None);
    let take = |purpose| runtime.block_on(limits.take(purpose));
    let bulk = (0..60).filter(|_| take(Use::Bulk).is_ok()).count();
    let single = (0..60).filter(|_| take(Use::Interactive).is_ok()).count();
    assert_eq!((bulk, single), (54, 6));
    runtime.advance(Duration::from_secs(62));
    let bulk = (0..60).filter(|_| take(Use::Bulk).is_ok()).count();
    assert_eq!(bulk, 30, "90 of 100 in the month");
    assert_eq!(take(Use::Bulk).map_err(|trouble| trouble.fault), Err(Fault::OverBudget));
    let single = (0..60).filter(|_| take(Use::Interactive).is_ok()).count();
    assert_eq!(single, 10);
    let trouble = take(Use::Interactive).unwrap_err();
    assert_eq!((trouble.fault, trouble.fault.cause()), (Fault::OverBudget, Cause::QuotaExhausted));
    // From 2026-01-28T10:01:02 in Lima to the first of February there.
    let wait = trouble.retry_after.unwrap();
    assert!(wait > Duration::from_secs(3 * 86_400) && wait < Duration::from_secs(4 * 86_400));
    runtime.advance(wait);
    assert!(take(Use::Bulk).is_ok());
    assert_eq!(limits.usage().1, Some(Allowance { used: 1, limit: 100 }));
}

#[test]
fn month_of_a_fleet_is_counted_exactly() {
    let runtime = TestRuntime::new(5);
    let table = Table::new(&runtime);
    let taken = Arc::new(Mutex::new([0_u64; 2]));
    for (place, purpose) in [(0, Use::Bulk), (1, Use::Interactive), (0, Use::Bulk)] {
        let limits = limits(None, Some(200), Arc::new(runtime.clone()), Some(&table));
        let taken = taken.clone();
        runtime.spawn(Box::pin(async move {
            for _ in 0..150 {
                if limits.take(purpose).await.is_ok() {
                    taken.lock().unwrap()[place] += 1;
                }
            }
        }));
    }
    runtime.advance(MINUTE);
    let [bulk, single] = *taken.lock().unwrap();
    assert!(bulk <= 180 && single <= 150, "{bulk} and {single}");
    assert!((198..=200).contains(&(bulk + single)), "{bulk} and {single}");
    // Each process may have counted one call that it then kept for an interactive one.
    assert!(table.sum("month") - (bulk + single) <= 3);
}

#[test]
fn unused_call_is_not_counted_again() {
    let runtime = TestRuntime::new(5);
    let table = Table::new(&runtime);
    let limits = limits(None, Some(200), Arc::new(runtime.clone()), Some(&table));
    for round in 0..5 {
        let limits = limits.clone();
        let taken = run(&runtime, async move {
            let taken = limits.take(Use::Interactive).await;
            if round == 0 {
                limits.unused().await;
            }
            taken
        });
        assert!(taken.is_ok());
    }
    assert_eq!((table.sum("month"), limits.usage().1.unwrap().used), (4, 4));
}

#[test]
fn process_alone_allows_itself_a_share_and_tells_later() {
    let runtime = TestRuntime::new(5);
    let table = Table::new(&runtime);
    let limits = limits(Some(60), Some(1_000), Arc::new(runtime.clone()), Some(&table));
    let take = || {
        let limits = limits.clone();
        run(&runtime, async move { limits.take(Use::Interactive).await }).is_ok()
    };
    table.is_down.store(true, Ordering::Relaxed);
    assert_eq!((0..60).filter(|_| take()).count(), 15);
    assert_eq!((table.sum("slot"), table.sum("month")), (0, 0));
    table.is_down.store(false, Ordering::Relaxed);
    assert!(take());
    assert_eq!((table.sum("slot"), table.sum("month")), (16, 16));
}

#[test]
fn plan_without_limits_asks_nobody() {
    let runtime = TestRuntime::new(1);
    let table = Table::new(&runtime);
    let limits = limits(None, None, Arc::new(runtime.clone()), Some(&table));
    for _ in 0..1_000 {
        assert_eq!(runtime.block_on(limits.take(Use::Bulk)), Ok(()));
    }
    assert_eq!((table.sum(""), limits.usage()), (0, (None, None)));
}
