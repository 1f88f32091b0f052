//! The promises hold, in worlds in which something happens.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use rucache_sim::{Tally, replay, run};

/// Seeds that every run of the tests goes through: a quarter of them in each configuration.
const SEEDS: u64 = 300;

#[test]
fn every_promise_is_kept_and_everything_happens() {
    let (next, total) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= SEEDS {
                return;
            }
            let report = run(seed, None);
            assert_eq!(report.violation, None, "{}", replay(seed, None));
            *total.lock().unwrap() += report.tally;
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let total = total.into_inner().unwrap();
    assert_eq!(total.worlds, SEEDS);
    for (name, count) in total.counts() {
        assert!(count >= 30, "{name} happened {count} times in {SEEDS} worlds: {total}");
    }
}
