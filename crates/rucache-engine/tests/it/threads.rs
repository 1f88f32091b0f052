//! Races on real threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use rucache_core::emulation::Emulated;
use rucache_core::{Change, KeyCodec, MapLocal};
use rucache_engine::{Accept, Cache, Loaded, Policy, PushState, TokioRuntime};

use crate::HOUR;
use crate::link::Link;
use crate::map_store::MapStore;

/// A process with two tiers on tokio, told of changes if `pushes`.
async fn process(store: &MapStore, pushes: bool) -> Cache {
    let runtime = Arc::new(TokioRuntime::current().unwrap());
    let backend = Arc::new(Emulated::new(store.clone(), runtime, KeyCodec::default()));
    let link = Link::new(&backend, pushes);
    let cache =
        Cache::on_backend(link.clone()).local(Arc::new(MapLocal::default())).build().unwrap();
    if pushes {
        link.say(&Change::Everything);
        link.say(&Change::PushRestored);
        while cache.health().push != PushState::Trusted {
            tokio::task::yield_now().await;
        }
    }
    cache
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_callers_of_one_cold_key_cause_one_load_over_two_tiers() {
    for pushes in [false, true] {
        let store = MapStore::default();
        let caches = [process(&store, pushes).await, process(&store, pushes).await];
        let loads = Arc::new(AtomicUsize::new(0));
        let callers: Vec<_> = (0..10_000)
            .map(|caller: usize| {
                let (cache, loads) = (caches[caller % 2].clone(), loads.clone());
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
}

/// How one who writes makes what was cached before outdated.
#[derive(Debug, Clone, Copy)]
enum Outdates {
    Delete,
    Set,
    Tag,
    Clear,
    ClearAll,
}

/// Readers load and read while a writer raises the source's version and then outdates the entry: no
/// read that begins after the call has returned may bring an older version.
async fn race(cache: Cache, outdates: Outdates) {
    let version = Arc::new(AtomicU64::new(1));
    // What the writer's last call has made sure of.
    let floor = Arc::new(AtomicU64::new(0));
    let ended = Arc::new(AtomicBool::new(false));
    let reads = Arc::new(AtomicU64::new(0));
    let readers: Vec<_> = (0..3)
        .map(|reader: u64| {
            let (cache, version) = (cache.clone(), version.clone());
            let (floor, ended, reads) = (floor.clone(), ended.clone(), reads.clone());
            tokio::spawn(async move {
                while !ended.load(Ordering::Acquire) {
                    let count = reads.fetch_add(1, Ordering::Relaxed);
                    let least = floor.load(Ordering::SeqCst);
                    let source = version.clone();
                    let read = if count % 3 == reader {
                        cache.peek::<u64>("name", Accept::Stale).unwrap().map(|hit| *hit)
                    } else {
                        let load = move || async move {
                            let read = source.load(Ordering::SeqCst);
                            tokio::task::yield_now().await;
                            Ok::<_, String>(Loaded::from(read).with_tags(["red"]))
                        };
                        let policy = Policy::exact(HOUR);
                        Some(*cache.read_or_load("name", policy, load).await.unwrap())
                    };
                    assert!(read.is_none_or(|read| read >= least), "{read:?} after {least}");
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let mut next = 1;
    while next < 300 || reads.load(Ordering::Relaxed) < 3_000 {
        next += 1;
        version.store(next, Ordering::SeqCst);
        match outdates {
            Outdates::Delete => drop(cache.delete("name").await.unwrap()),
            Outdates::Set => {
                let value = Loaded::new(next).with_tags(["red"]);
                let _ = cache.put("name", value, HOUR).await.unwrap();
            }
            Outdates::Tag => drop(cache.invalidate_tag("red").await.unwrap()),
            Outdates::Clear => drop(cache.clear().await.unwrap()),
            Outdates::ClearAll => drop(cache.clear_all().await.unwrap()),
        }
        floor.store(next, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
    ended.store(true, Ordering::Release);
    for reader in readers {
        reader.await.unwrap();
    }
}

async fn race_everywhere(outdates: Outdates) {
    let local = Cache::builder(Arc::new(MapLocal::default())).build().unwrap();
    race(local, outdates).await;
    for pushes in [false, true] {
        race(process(&MapStore::default(), pushes).await, outdates).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_older_is_read_after_a_delete_has_returned() {
    race_everywhere(Outdates::Delete).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_older_is_read_after_a_set_has_returned() {
    race_everywhere(Outdates::Set).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_older_is_read_after_a_tag_was_invalidated() {
    race_everywhere(Outdates::Tag).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_older_is_read_after_a_clear_has_returned() {
    race_everywhere(Outdates::Clear).await;
    race_everywhere(Outdates::ClearAll).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn loads_that_panic_on_real_threads_leave_no_key_behind() {
    let timing = rucache_engine::Timing::default().with_back_off(Duration::from_millis(1));
    let cache = Cache::builder(Arc::new(MapLocal::default())).timing(timing).build().unwrap();
    let panics = || async { panic!("on purpose") as Result<u8, String> };
    let callers: Vec<_> = (0..200)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { cache.get_or_load("name", HOUR, panics).await })
        })
        .collect();
    for caller in callers {
        assert!(caller.await.unwrap().is_err());
    }
    assert_eq!((cache.health().stuck_keys, cache.health().loads), (0, 0));
    let _ = cache.delete("name").await.unwrap();
    let load = cache.get_or_load("name", HOUR, || async { Ok::<_, String>(7_u8) });
    assert_eq!(load.await.unwrap(), 7);
}
