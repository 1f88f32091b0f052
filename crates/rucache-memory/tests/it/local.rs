//! The local tier: what a get sees, what a purge drops, what is evicted.

use std::sync::{Arc, Barrier};

use rucache_core::{Deadlines, Key, Local, LocalEntry, Mono, Timestamp};
use rucache_memory::{Capacity, ENTRY_OVERHEAD, LocalStore, MemoryConfig};

fn store(capacity_bytes: u64) -> LocalStore {
    LocalStore::new(&MemoryConfig::with_capacity(Capacity::bytes(capacity_bytes)))
}

fn key(kind: &str, number: u32) -> Key {
    Key::of_kind(&"migo".parse().unwrap(), kind, number).unwrap()
}

fn mono(nanos: u64) -> Mono {
    Mono::from_nanos(nanos)
}

fn entry(value: u64, weight: u32, hard: Mono) -> LocalEntry {
    let deadlines = Deadlines { loaded: mono(0), early: Mono::NEVER, soft: hard, hard };
    LocalEntry::new(Arc::new(value), Timestamp::default(), deadlines, weight)
}

fn value(store: &LocalStore, key: &Key) -> Option<u64> {
    store.get(key)?.value::<u64>().map(|value| *value)
}

#[test]
fn a_get_sees_the_last_insert_and_remove() {
    let store = store(1 << 20);
    let key = key("ruc", 1);
    assert_eq!(value(&store, &key), None);
    store.insert(key.clone(), entry(1, 8, Mono::NEVER));
    assert_eq!(value(&store, &key), Some(1));
    store.insert(key.clone(), entry(2, 8, Mono::NEVER));
    assert_eq!(value(&store, &key), Some(2));
    assert!(store.remove(&key));
    assert_eq!(value(&store, &key), None);
    assert!(!store.remove(&key));
}

#[test]
fn a_get_does_not_judge_deadlines() {
    let store = store(1 << 20);
    store.insert(key("ruc", 1), entry(1, 8, mono(0)));
    assert_eq!(value(&store, &key("ruc", 1)), Some(1));
}

#[test]
fn purge_drops_what_is_at_or_past_its_hard_deadline_and_nothing_else() {
    let store = store(10 << 20);
    for number in 0..3_000 {
        store.insert(key("ruc", number), entry(0, 8, mono(u64::from(number))));
    }
    assert_eq!(store.purge(&|entry| entry.deadlines.hard <= mono(999)), 1_000);
    assert_eq!(value(&store, &key("ruc", 999)), None);
    assert_eq!(value(&store, &key("ruc", 1_000)), Some(0));
    assert_eq!(store.usage().entries, 2_000);
    assert_eq!(store.usage().evictions, 0, "a purge is no eviction");
    assert_eq!(store.purge(&|entry| entry.deadlines.hard <= mono(999)), 0);
}

#[test]
fn purge_keeps_an_entry_inserted_meanwhile() {
    let store = store(64 << 20);
    for round in 0..3_000 {
        let key = key("ruc", round);
        store.insert(key.clone(), entry(1, 8, mono(10)));
        let start = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                store.purge(&|entry| entry.deadlines.hard <= mono(10));
            });
            start.wait();
            store.insert(key.clone(), entry(2, 8, Mono::NEVER));
        });
        assert_eq!(value(&store, &key), Some(2), "round {round}");
        store.remove(&key);
    }
}

#[test]
fn usage_charges_value_key_and_overhead() {
    let store = store(1 << 20);
    store.insert(key("ruc", 1), entry(1, 100, Mono::NEVER));
    assert_eq!(store.usage().bytes, u64::from(ENTRY_OVERHEAD) + 100);
    store.insert(key("ruc", 1), entry(1, 50, Mono::NEVER));
    assert_eq!(store.usage().bytes, u64::from(ENTRY_OVERHEAD) + 50);
    let long = key(&"x".repeat(1_000), 1);
    store.insert(long.clone(), entry(1, 0, Mono::NEVER));
    let heap = long.heap_len() as u64;
    assert!(heap >= 1_000);
    assert_eq!(store.usage().bytes, 2 * u64::from(ENTRY_OVERHEAD) + 50 + heap);
    assert_eq!(store.usage().entries, 2);
    assert_eq!(store.usage().capacity_bytes, 1 << 20);
}

#[test]
fn a_full_store_stays_within_its_bytes_and_counts_evictions() {
    let store = store(1 << 20);
    for number in 0..50_000 {
        store.insert(key("ruc", number), entry(0, 500, Mono::NEVER));
    }
    let usage = store.usage();
    assert!(usage.bytes <= 1 << 20, "{usage:?}");
    assert!(usage.bytes > (1 << 20) * 9 / 10, "{usage:?}");
    assert_eq!(usage.entries + usage.evictions, 50_000);
}

#[test]
fn an_entry_larger_than_the_store_is_not_kept() {
    let store = store(1 << 20);
    store.insert(key("ruc", 1), entry(1, 8, Mono::NEVER));
    store.insert(key("ruc", 2), entry(2, u32::MAX, Mono::NEVER));
    assert_eq!((store.usage().entries, value(&store, &key("ruc", 2))), (1, None));
    assert_eq!(value(&store, &key("ruc", 1)), Some(1));
}

#[test]
fn one_off_keys_do_not_push_out_hot_ones() {
    let room = u64::from(ENTRY_OVERHEAD + 500);
    let store = store(2_000 * room);
    let hot: Vec<Key> = (0..1_000).map(|number| key("hot", number)).collect();
    for key in &hot {
        store.insert(key.clone(), entry(1, 500, Mono::NEVER));
    }
    // Filled up, so that the hot ones are known by the time of the flood.
    for number in 0..2_000 {
        store.insert(key("filler", number), entry(0, 500, Mono::NEVER));
    }
    for _ in 0..5 {
        hot.iter().for_each(|key| drop(store.get(key)));
    }
    for number in 0..200_000 {
        let one_off = key("one_off", number);
        if store.get(&one_off).is_none() {
            store.insert(one_off, entry(0, 500, Mono::NEVER));
        }
        // Each hot one is read once in 2,000 one-off keys: a queue by last use would lose them all.
        if number % 2 == 0 {
            let read = usize::try_from(number / 2).unwrap() % hot.len();
            drop(store.get(&hot[read]));
        }
    }
    let kept = hot.iter().filter(|key| store.get(key).is_some()).count();
    assert!(kept >= 950, "{kept} of 1,000 hot entries are left");
}
