//! Tests of `runtime`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[test]
fn time_stands_still_until_moved() {
    let runtime = TestRuntime::new(1);
    let (now, wall) = (runtime.now(), runtime.wall());
    runtime.run_until_stalled();
    assert_eq!((runtime.now(), runtime.wall()), (now, wall));
    runtime.advance(Duration::from_millis(1500));
    assert_eq!(runtime.now().since(now), Duration::from_millis(1500));
    assert_eq!(runtime.wall().since(wall), Duration::from_millis(1500));
}

#[test]
fn both_clocks_move_by_the_same_span_whatever_lies_between() {
    let runtime = TestRuntime::new(1);
    let wall = runtime.wall();
    for _ in 0..10 {
        let nap = runtime.sleep(Duration::from_micros(500));
        runtime.spawn(nap);
        runtime.advance(Duration::from_micros(1_500));
    }
    assert_eq!(runtime.wall().since(wall), Duration::from_millis(15));
}

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines() {
    let runtime = TestRuntime::new(1);
    let woken = Arc::new(std::sync::Mutex::new(Vec::new()));
    for millis in [30, 10, 20] {
        let (nap, woken) = (runtime.sleep(Duration::from_millis(millis)), woken.clone());
        runtime.spawn(Box::pin(async move {
            nap.await;
            woken.lock().unwrap().push(millis);
        }));
    }
    runtime.advance(Duration::from_millis(25));
    assert_eq!(*woken.lock().unwrap(), [10, 20]);
    runtime.advance(Duration::from_millis(5));
    assert_eq!(*woken.lock().unwrap(), [10, 20, 30]);
}

#[test]
fn panicking_task_harms_no_other() {
    let runtime = TestRuntime::new(1);
    let done = Arc::new(AtomicUsize::new(0));
    runtime.spawn(Box::pin(async { panic!("on purpose") }));
    let counter = done.clone();
    runtime.spawn(Box::pin(async move {
        counter.fetch_add(1, Ordering::Relaxed);
    }));
    runtime.run_until_stalled();
    assert_eq!(done.load(Ordering::Relaxed), 1);
}

#[test]
#[should_panic(expected = "is a call to `advance` missing?")]
fn waiting_for_nothing_is_told_at_once() {
    let runtime = TestRuntime::new(1);
    runtime.block_on(runtime.sleep(Duration::from_secs(1)));
}

#[test]
fn the_same_seed_draws_the_same() {
    let draw = |seed| {
        let runtime = TestRuntime::new(seed);
        [runtime.random(), runtime.random()]
    };
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7), draw(8));
}
