//! The local tier under floods of keys that nobody asks for twice.

use std::sync::Arc;

use rucache_core::{Deadlines, Key, Local, LocalEntry, Mono, Timestamp};
use rucache_memory::{Capacity, ENTRY_OVERHEAD, LocalStore, MemoryConfig};

/// What a value or a negative weighs.
const WEIGHT: u32 = 200;

/// Values that are read often.
const HOT: u32 = 400;

/// Keys that are asked for once.
const FLOOD: u32 = 50_000;

/// A read of a hot value for so many others.
const HOT_EVERY: u32 = 8;

fn key(kind: &str, number: u32) -> Key {
    Key::of_kind(&"migo".parse().unwrap(), kind, number).unwrap()
}

const DEADLINES: Deadlines = Deadlines {
    loaded: Mono::from_nanos(0),
    early: Mono::NEVER,
    soft: Mono::NEVER,
    hard: Mono::NEVER,
};

fn value() -> LocalEntry {
    LocalEntry::new(Arc::new(1_u64), Timestamp::default(), DEADLINES, WEIGHT)
}

fn negative() -> LocalEntry {
    LocalEntry::negative(Arc::new(1_u64), Timestamp::default(), DEADLINES, WEIGHT)
}

/// As a reader who loads what is missing, looking `looks` times before.
fn read(store: &LocalStore, key: &Key, looks: u32, load: fn() -> LocalEntry) -> bool {
    if (0..looks).any(|_| store.get(key).is_some()) {
        return true;
    }
    store.insert(key.clone(), load());
    false
}

/// A full store in which the hot values are known, with room for twice as many.
fn warm() -> LocalStore {
    let room = u64::from(ENTRY_OVERHEAD + WEIGHT) * u64::from(2 * HOT);
    let store = LocalStore::new(&MemoryConfig::with_capacity(Capacity::bytes(room)));
    let read_all = |kind, count, times| {
        for number in (0..times).flat_map(|_| 0..count) {
            read(&store, &key(kind, number), 1, value);
        }
    };
    read_all("hot", HOT, 1);
    read_all("filler", 4 * HOT, 1);
    read_all("hot", HOT, 8);
    store
}

/// Reads of hot values during a flood that looks so often for each key, and how many were hits.
fn during_flood(store: &LocalStore, looks: u32, load: fn() -> LocalEntry) -> (u32, u32) {
    let (mut reads, mut hits): (u32, u32) = (0, 0);
    for number in 0..FLOOD {
        assert!(!read(store, &key("unknown", number), looks, load), "asked for once");
        if number % HOT_EVERY == 0 {
            reads += 1;
            let hot = key("hot", reads.wrapping_mul(7_919) % HOT);
            hits += u32::from(read(store, &hot, 1, value));
        }
    }
    (reads, hits)
}

#[test]
fn negatives_push_out_no_value_however_often_they_are_looked_for() {
    for looks in [1, 3] {
        let store = warm();
        let (reads, hits) = during_flood(&store, looks, negative);
        assert!(hits >= reads / 1_000 * 999, "{hits} of {reads} hits at {looks} looks");
    }
}

#[test]
fn values_that_nobody_asks_for_twice_push_out_none_that_are_read_often() {
    for looks in [1, 3] {
        let store = warm();
        let (reads, hits) = during_flood(&store, looks, value);
        // A few are taken for values that come again, and judged by how often they were asked for.
        assert!(hits >= reads / 1_000 * 995, "{hits} of {reads} hits at {looks} looks");
    }
}

#[test]
fn what_becomes_hot_in_a_full_store_is_kept() {
    let store = warm();
    during_flood(&store, 1, value);
    const NEW: u32 = 100;
    let mut last = 0;
    for round in 0..20 {
        last = (0..NEW).filter(|number| read(&store, &key("new", *number), 1, value)).count();
        // Others come and go meanwhile, more than the anteroom holds.
        for number in 0..HOT {
            read(&store, &key("once", round * HOT + number), 1, value);
        }
    }
    assert!(last >= 80, "{last} of {NEW} that were read twenty times");
}

#[test]
fn what_came_last_is_there() {
    let store = warm();
    for number in 0..100_000 {
        let (value_of, negative_of) = (key("value", number), key("negative", number));
        store.insert(value_of.clone(), value());
        store.insert(negative_of.clone(), negative());
        assert!(store.get(&value_of).is_some_and(|entry| !entry.is_negative()), "{number}");
        assert!(store.get(&negative_of).is_some_and(|entry| entry.is_negative()), "{number}");
    }
}
