//! One load per key, whatever becomes of it or of its callers.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use rucache_core::{Key, MapLocal, Runtime, TestRuntime};
use rucache_engine::{Cache, CacheError, LoadError, Loaded, ServedFrom, Timing};

use crate::{HOUR, Lab, Source, Started};

#[test]
fn ten_thousand_callers_cause_one_load() {
    let lab = Lab::new();
    let go = lab.source.gives_later("value");
    let callers: Vec<Started> = (0..10_000).map(|_| lab.start(HOUR)).collect();
    assert_eq!(lab.source.loads(), 1);
    go.send(()).unwrap();
    lab.runtime.run_until_stalled();
    let hits: Vec<_> = callers.iter().map(|caller| caller.ended().unwrap().unwrap()).collect();
    assert!(hits.iter().all(|hit| **hit == "value"));
    assert_eq!(hits.iter().filter(|hit| hit.outcome.collapsed).count(), 9_999);
    assert_eq!(lab.source.loads(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_callers_on_real_threads_cause_one_load() {
    let cache = Cache::builder(Arc::new(MapLocal::default())).build().unwrap();
    let loads = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..10_000)
        .map(|_| {
            let (cache, loads) = (cache.clone(), loads.clone());
            tokio::spawn(async move {
                let load = move || async move {
                    loads.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    Ok::<_, String>(7)
                };
                cache.get_or_load::<i32, _, _, _>("cold", HOUR, load).await
            })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), 7);
    }
    assert_eq!(loads.load(Ordering::Relaxed), 1);
}

#[test]
fn leader_that_leaves_stops_the_load_for_nobody() {
    let lab = Lab::new();
    let go = lab.source.gives_later("value");
    let mut leader = lab.read(HOUR);
    // Polled once, so that it leads, and then dropped.
    assert!((&mut leader).now_or_never().is_none());
    let waiter = lab.start(HOUR);
    drop(leader);
    go.send(()).unwrap();
    lab.runtime.run_until_stalled();
    assert_eq!(waiter.value(), "value");
    assert_eq!(lab.source.loads(), 1);
}

#[test]
fn load_fills_the_cache_when_the_last_caller_has_left() {
    let lab = Lab::new();
    let go = lab.source.gives_later("value");
    let mut only = lab.read(HOUR);
    assert!((&mut only).now_or_never().is_none());
    drop(only);
    go.send(()).unwrap();
    lab.runtime.run_until_stalled();
    assert_eq!(lab.now(HOUR).unwrap().outcome.from, ServedFrom::Local);
}

#[test]
fn panic_of_the_load_reaches_all_and_frees_the_key_after_the_back_off() {
    let lab = Lab::new();
    lab.source.next(async { panic!("on purpose") });
    let callers: Vec<Started> = (0..100).map(|_| lab.start(HOUR)).collect();
    for caller in callers {
        let error = caller.ended().unwrap().unwrap_err();
        assert!(matches!(error, CacheError::Load(LoadError::Panicked)), "{error:?}");
    }
    assert_eq!(lab.source.loads(), 1);
    lab.runtime.advance(Duration::from_secs(1));
    lab.source.gives("value");
    assert_eq!(*lab.now(HOUR).unwrap(), "value");
}

#[test]
fn panic_of_the_loader_itself_is_a_panic_of_the_load() {
    let lab = Lab::new();
    let read = lab.cache.read_or_load("name", HOUR, || {
        if lab_is_real() {
            panic!("before there is a future");
        }
        async { Ok::<_, String>(Loaded::from("value".to_owned())) }
    });
    let error = lab.runtime.block_on(read).unwrap_err();
    assert!(matches!(error, CacheError::Load(LoadError::Panicked)), "{error:?}");
}

fn lab_is_real() -> bool {
    true
}

#[test]
fn load_that_hangs_is_dropped_at_its_deadline_and_frees_the_key() {
    let lab = Lab::new();
    let dropped = Arc::new(());
    let held = dropped.clone();
    lab.source.next(async move {
        let _held = held;
        std::future::pending().await
    });
    let caller = lab.start(HOUR);
    lab.runtime.advance(Duration::from_millis(7_999));
    assert!(caller.ended().is_none());
    lab.runtime.advance(Duration::from_millis(1));
    let error = caller.ended().unwrap().unwrap_err();
    let deadline = Duration::from_secs(8);
    assert!(
        matches!(error, CacheError::Load(LoadError::DeadlinePassed { after }) if after == deadline),
        "{error:?}"
    );
    assert_eq!(Arc::strong_count(&dropped), 1);
    lab.runtime.advance(Duration::from_secs(1));
    lab.source.gives("value");
    assert_eq!(*lab.now(HOUR).unwrap(), "value");
}

#[test]
fn caller_waits_no_longer_than_its_hard_timeout_and_the_load_goes_on() {
    let timing = Timing::default().with_hard_timeout(Duration::from_secs(2));
    let lab = Lab::with(|builder| builder.timing(timing));
    let go = lab.source.gives_later("value");
    let caller = lab.start(HOUR);
    lab.runtime.advance(Duration::from_secs(2));
    let error = caller.ended().unwrap().unwrap_err();
    assert!(matches!(error, CacheError::Load(LoadError::TimedOut { .. })), "{error:?}");
    go.send(()).unwrap();
    lab.runtime.run_until_stalled();
    assert_eq!(*lab.now(HOUR).unwrap(), "value");
    assert_eq!(lab.source.loads(), 1);
}

#[test]
fn failure_is_shared_and_remembered_for_the_back_off() {
    let lab = Lab::new();
    lab.source.fails("source is down");
    let callers: Vec<Started> = (0..10).map(|_| lab.start(HOUR)).collect();
    for caller in &callers {
        let error = caller.ended().unwrap().unwrap_err();
        let CacheError::Load(LoadError::Failed(failure)) = error else { panic!("{error:?}") };
        assert_eq!(failure.to_string(), "source is down");
    }
    lab.runtime.advance(Duration::from_millis(999));
    assert!(lab.now(HOUR).is_err());
    assert_eq!(lab.source.loads(), 1);
    lab.runtime.advance(Duration::from_millis(1));
    lab.source.gives("value");
    assert_eq!(*lab.now(HOUR).unwrap(), "value");
    assert_eq!(lab.source.loads(), 2);
}

#[test]
fn load_that_dies_with_its_runtime_is_told_as_cancelled() {
    struct Forgetful(TestRuntime);
    impl Runtime for Forgetful {
        fn now(&self) -> rucache_core::Mono {
            self.0.now()
        }
        fn wall(&self) -> rucache_core::Timestamp {
            self.0.wall()
        }
        fn sleep(&self, span: Duration) -> rucache_core::BoxFuture<()> {
            self.0.sleep(span)
        }
        fn spawn(&self, task: rucache_core::BoxFuture<()>) {
            drop(task);
        }
        fn random(&self) -> u64 {
            self.0.random()
        }
    }
    let runtime = TestRuntime::new(1);
    let cache = Cache::builder(Arc::new(MapLocal::default()))
        .runtime(Arc::new(Forgetful(runtime.clone())))
        .build()
        .unwrap();
    let lab = Lab { runtime, cache, source: Source::default() };
    for _ in 0..2 {
        let error = lab.now(HOUR).unwrap_err();
        assert!(matches!(error, CacheError::Load(LoadError::Cancelled)), "{error:?}");
    }
}

#[test]
fn many_are_loaded_by_one_call_for_those_that_are_missing() {
    let lab = Lab::new();
    let service = lab.cache.service_name().clone();
    let keys: Vec<Key> =
        ["a", "b", "c", "a"].iter().map(|name| Key::new(&service, name).unwrap()).collect();
    lab.runtime.block_on(lab.cache.set("b", "kept", HOUR)).unwrap();
    let read = lab.cache.read_or_load_many(&keys, HOUR, NonZeroUsize::MAX, |missing| async move {
        let names: Vec<_> = missing.iter().map(Key::name).collect();
        assert_eq!(names, ["a", "c"]);
        vec![Ok(Loaded::from("loaded".to_owned())), Err("no c today")]
    });
    let answers = lab.runtime.block_on(read);
    let texts: Vec<_> = answers
        .iter()
        .map(|answer| answer.as_ref().map(|hit| hit.to_string()).map_err(|error| error.to_string()))
        .collect();
    let failed = Err("load failed".to_owned());
    assert_eq!(texts, [Ok("loaded".into()), Ok("kept".into()), failed, Ok("loaded".into())]);
}

#[test]
fn no_load_is_asked_for_more_than_its_share() {
    let lab = Lab::new();
    let service = lab.cache.service_name().clone();
    let keys: Vec<Key> = (0..7).map(|n| Key::new(&service, &n.to_string()).unwrap()).collect();
    lab.runtime.block_on(lab.cache.set("1", &1_usize, HOUR)).unwrap();
    let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let notes = asked.clone();
    let two = NonZeroUsize::new(2).unwrap();
    let read = lab.cache.read_or_load_many(&keys, HOUR, two, move |missing: Vec<Key>| {
        notes.lock().unwrap().push(missing.len());
        let number = |key: &Key| key.name().parse::<usize>().map(Loaded::from);
        async move { missing.iter().map(number).collect() }
    });
    let answers = lab.runtime.block_on(read);
    let values: Vec<usize> = answers.iter().map(|answer| **answer.as_ref().unwrap()).collect();
    assert_eq!(values, [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(*asked.lock().unwrap(), [2, 2, 2]);
}
