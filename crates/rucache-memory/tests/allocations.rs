//! A read of the local tier allocates nothing; what moka's housekeeping allocates is bounded.
//!
//! moka logs reads, and every 64th read does the housekeeping on the reader's thread. That ends
//! with a flush of crossbeam-epoch, which, once anything was ever written, allocates one bag of
//! garbage (about 2 KiB, freed a few flushes later) in about every second flush. No setting of moka
//! moves it elsewhere, so the two are measured apart.
//!
//! A binary of its own, as counting replaces the allocator. Counts are per thread.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test that took it")]

use std::sync::Arc;

use rucache_core::{Deadlines, Key, Local, LocalEntry, Mono, Timestamp};
use rucache_memory::{Capacity, LocalStore, MemoryConfig};

fn key(number: u32) -> Key {
    Key::parse(&format!("migo:ruc_{}", 20_000_000_000 + u64::from(number))).unwrap()
}

fn filled(capacity: Capacity, entries: u32) -> (LocalStore, Vec<Key>) {
    let store = LocalStore::new(&MemoryConfig::with_capacity(capacity));
    let never = Mono::NEVER;
    let deadlines = Deadlines { loaded: Mono::default(), early: never, soft: never, hard: never };
    let keys: Vec<Key> = (0..entries).map(key).collect();
    for key in &keys {
        let entry = LocalEntry::new(Arc::new(7_u64), Timestamp::default(), deadlines, 8);
        store.insert(key.clone(), entry);
    }
    store.usage();
    (store, keys)
}

/// Reads that fit between two housekeepings.
const UNTIL_HOUSEKEEPING: usize = 60;

/// Reads `keys` in turn, 10,200 reads in all, with the housekeeping in between not measured; how
/// many hits there were, and allocations.
fn read_apart(store: &LocalStore, keys: &[Key]) -> (u64, u64) {
    let mut keys = keys.iter().cycle();
    let mut counted = (0, 0);
    for _ in 0..170 {
        store.usage();
        let (hits, allocations) = read(store, keys.by_ref().take(UNTIL_HOUSEKEEPING));
        counted = (counted.0 + hits, counted.1 + allocations);
    }
    counted
}

fn read<'a>(store: &LocalStore, keys: impl Iterator<Item = &'a Key>) -> (u64, u64) {
    let mut hits = 0;
    let info = allocation_counter::measure(|| {
        for key in keys {
            let value = store.get(key).and_then(|entry| entry.value::<u64>());
            hits += u64::from(value.is_some());
        }
    });
    (hits, info.count_total)
}

#[test]
fn a_hit_allocates_nothing() {
    let (store, keys) = filled(Capacity::DEFAULT, 1_000);
    assert_eq!(read_apart(&store, &keys), (10_200, 0));
}

#[test]
fn a_hit_in_a_full_store_allocates_nothing() {
    let (store, keys) = filled(Capacity::bytes(400 * 1_024), 5_000);
    let held: Vec<Key> = keys.into_iter().filter(|key| store.get(key).is_some()).collect();
    assert!(held.len() > 400, "{}", held.len());
    assert_eq!(read_apart(&store, &held), (10_200, 0));
}

#[test]
fn a_miss_allocates_nothing() {
    let (store, _) = filled(Capacity::DEFAULT, 1_000);
    let absent: Vec<Key> = (1_000_000..1_001_000).map(key).collect();
    assert_eq!(read_apart(&store, &absent), (0, 0));
}

#[test]
fn housekeeping_allocates_at_most_once_in_64_reads() {
    let (store, keys) = filled(Capacity::DEFAULT, 1_000);
    read(&store, keys.iter().cycle().take(10_000));
    let (hits, allocations) = read(&store, keys.iter().cycle().take(10_000));
    assert_eq!(hits, 10_000);
    assert!(allocations <= 10_000 / 64 + 1, "{allocations} in 10,000 reads");
}

#[test]
fn building_the_key_of_a_hit_allocates_nothing() {
    let (store, keys) = filled(Capacity::DEFAULT, 1_000);
    store.usage();
    assert!(store.get(&keys[0]).is_some());
    let migo = "migo".parse().unwrap();
    let info = allocation_counter::measure(|| {
        let key = Key::new(&migo, "ruc_20000000500").unwrap();
        assert!(store.get(&key).is_some());
    });
    assert_eq!(info.count_total, 0);
}
