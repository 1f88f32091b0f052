//! Real threads at one backend: no update is lost, no fence is passed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use rucache_core::{
    Backend, BackendExt, Companions, Key, Lease, LeaseRequest, LeaseToken, MapEntry, Marker,
    MarkerRef, MarkerVersion, Precondition, TestRuntime, Timestamp, Ttl, Write, WriteOutcome,
};
use rucache_memory::{MemoryBackend, MemoryConfig};

const THREADS: u32 = 4;
const NOW: Timestamp = Timestamp::from_millis(1_000);
const LATER: Timestamp = Timestamp::from_millis(1_000_000);

fn key(name: &str) -> Key {
    Key::parse(&format!("migo:{name}")).unwrap()
}

/// Runs `work` on every thread with the thread's number and a runtime to wait with.
fn on_threads<T: Send>(
    work: impl Fn(&MemoryBackend, u32, &TestRuntime) -> T + Sync,
) -> (MemoryBackend, Vec<T>) {
    let config = MemoryConfig::default();
    let backend = MemoryBackend::new(&config, Arc::new(TestRuntime::new(1)));
    let done = std::thread::scope(|scope| {
        let (backend, work) = (&backend, &work);
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || work(backend, thread, &TestRuntime::new(2))))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    (backend, done)
}

fn get(backend: &MemoryBackend, runtime: &TestRuntime, key: &Key) -> Option<u64> {
    let stored = runtime.block_on(backend.get(key)).unwrap()?;
    Some(u64::from_be_bytes(stored.value.as_ref().try_into().unwrap()))
}

fn write(
    backend: &MemoryBackend,
    runtime: &TestRuntime,
    key: &Key,
    value: u64,
    when: Precondition,
) -> WriteOutcome {
    let value = Bytes::copy_from_slice(&value.to_be_bytes());
    let write = Write { key: key.clone(), value, ttl: Ttl::LONG, when };
    runtime.block_on(backend.write(write)).unwrap()
}

fn lease(backend: &MemoryBackend, runtime: &TestRuntime, key: &Key) -> Option<LeaseToken> {
    let mut fetched =
        runtime.block_on(backend.get_many(std::slice::from_ref(key), Companions::None));
    let seen = fetched.pop().unwrap().unwrap().entry.map(|stored| stored.version);
    let request = LeaseRequest { key: key.clone(), seen, ttl: Ttl::LONG };
    match runtime.block_on(backend.lease_many(&[request])).pop().unwrap().unwrap() {
        Lease::Granted(token) => Some(token),
        _ => None,
    }
}

#[test]
fn no_member_of_a_map_is_lost() {
    let map = key("index");
    let (backend, news) = on_threads(|backend, thread, runtime| {
        let mut new = 0;
        for number in 0..10_000 {
            // Half of the members are the thread's own, half are everybody's.
            let owner = if number % 2 == 0 { thread } else { THREADS };
            let member = format!("{owner}_{number}");
            let entry = MapEntry { member: member.clone(), note: Bytes::new(), expires: LATER };
            new += runtime.block_on(backend.map_put(&map, &[entry], NOW)).unwrap();
            if number % 10 == 0 {
                new -= runtime.block_on(backend.map_remove(&map, &[member], NOW)).unwrap();
            }
        }
        new
    });
    let len = TestRuntime::new(3).block_on(backend.map_len(&map, NOW)).unwrap();
    assert_eq!(len, 4 * 4_000 + 5_000);
    assert_eq!(news.iter().sum::<u64>(), len, "each member was new to one caller only");
}

#[test]
fn no_addition_to_a_counter_is_lost() {
    let counter = key("hits");
    let (backend, _) = on_threads(|backend, _, runtime| {
        for _ in 0..10_000 {
            runtime.block_on(backend.add_many(&[(counter.clone(), 1)], Ttl::LONG));
        }
    });
    let sums = TestRuntime::new(3).block_on(backend.add_many(&[(counter.clone(), 0)], Ttl::LONG));
    assert_eq!(*sums[0].as_ref().unwrap(), 40_000);
}

#[test]
fn no_bump_of_a_marker_is_lost() {
    let seed = MarkerVersion::from_raw(100);
    let (backend, _) = on_threads(|backend, _, runtime| {
        for _ in 0..10_000 {
            runtime.block_on(backend.bump(&[Marker::Root], seed));
        }
    });
    let at = MarkerRef { marker: Marker::Root, near: key("any") };
    let versions = TestRuntime::new(3).block_on(backend.markers(&[at], seed));
    // The first bump creates it as the seed.
    assert_eq!(versions[0].as_ref().unwrap().as_raw(), 100 + 40_000 - 1);
}

#[test]
fn no_write_on_a_version_is_lost() {
    let sum = key("sum");
    let (backend, _) = on_threads(|backend, _, runtime| {
        let mut written = 0;
        while written < 2_500 {
            let stored = runtime.block_on(backend.get(&sum)).unwrap();
            let (value, when) = match stored {
                None => (0, Precondition::Absent),
                Some(stored) => {
                    let value = u64::from_be_bytes(stored.value.as_ref().try_into().unwrap());
                    (value, Precondition::Version(stored.version))
                }
            };
            if write(backend, runtime, &sum, value + 1, when) == WriteOutcome::Stored {
                written += 1;
            }
        }
    });
    assert_eq!(get(&backend, &TestRuntime::new(3), &sum), Some(10_000));
}

#[test]
fn a_lease_is_granted_to_one_of_many() {
    let (_, granted) = on_threads(|backend, _, runtime| {
        let ask = |number| lease(backend, runtime, &key(&format!("cold_{number}")));
        (0..5_000).filter_map(ask).count()
    });
    assert_eq!(granted.iter().sum::<usize>(), 5_000);
}

#[test]
fn a_fill_never_undoes_a_delete_that_came_after_its_load() {
    let entry = key("source");
    let source = AtomicU64::new(0);
    let (_, counts) = on_threads(|backend, thread, runtime| {
        if thread == 0 {
            // Counted, not asserted: the other threads wait for the last change.
            let older = |number: &u64| {
                source.store(*number, Ordering::SeqCst);
                runtime.block_on(backend.delete(&entry)).unwrap();
                get(backend, runtime, &entry).is_some_and(|found| found < *number)
            };
            return ((1..=10_000).filter(older).count(), 0);
        }
        let mut stored = 0;
        while source.load(Ordering::SeqCst) < 10_000 {
            if let Some(token) = lease(backend, runtime, &entry) {
                let loaded = source.load(Ordering::SeqCst);
                // The other threads get their turn between load and fill.
                std::thread::yield_now();
                let filled = write(backend, runtime, &entry, loaded, Precondition::Lease(token));
                stored += usize::from(filled == WriteOutcome::Stored);
            }
        }
        (0, stored)
    });
    let undone: usize = counts.iter().map(|(undone, _)| undone).sum();
    let stored: usize = counts.iter().map(|(_, stored)| stored).sum();
    assert_eq!(undone, 0, "deletes that were undone by a load from before them");
    assert!(stored > 0, "no fill was ever stored, so nothing was tested");
}
