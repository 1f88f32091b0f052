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

fn negative(number: u64, weight: u32, hard: Mono) -> LocalEntry {
    let deadlines = entry(number, weight, hard).deadlines;
    LocalEntry::negative(Arc::new(number), Timestamp::default(), deadlines, weight)
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
fn negatives_fill_what_room_there_is_and_an_eighth_once_values_do() {
    for (first, then) in
        [(entry as fn(_, _, _) -> _, negative as fn(_, _, _) -> _), (negative, entry)]
    {
        let store = store(1 << 20);
        for number in 0..50_000 {
            store.insert(key("ruc", number), first(0, 500, Mono::NEVER));
        }
        let is_full =
            |usage: rucache_core::Usage| usage.bytes <= 1 << 20 && usage.bytes > (1 << 20) * 9 / 10;
        assert!(is_full(store.usage()), "{:?}", store.usage());
        for number in 50_000..100_000 {
            store.insert(key("ruc", number), then(0, 500, Mono::NEVER));
        }
        let usage = store.usage();
        assert!(is_full(usage), "{usage:?}");
        assert_eq!(usage.entries + usage.evictions, 100_000);
        let (mut of_first, mut of_then) = (0, 0);
        let is_negative = first(0, 500, Mono::NEVER).is_negative();
        store.each(&mut |_, entry| match entry.is_negative() == is_negative {
            true => of_first += 1,
            false => of_then += 1,
        });
        // What came once pushes nothing out of the seven eighths.
        assert!(of_then > 100 && of_then < of_first / 5, "{of_first}, then {of_then}");
    }
}

#[test]
fn a_value_and_a_negative_of_a_key_have_one_place_and_the_newer_has_it() {
    let store = store(1 << 20);
    let key = key("ruc", 1);
    let is_negative = || store.get(&key).map(|entry| entry.is_negative());
    for round in 0..3 {
        store.insert(key.clone(), entry(round, 100, Mono::NEVER));
        assert_eq!((is_negative(), value(&store, &key)), (Some(false), Some(round)));
        assert_eq!(store.usage().entries, 1);
        store.insert(key.clone(), negative(round, 200, Mono::NEVER));
        assert_eq!((is_negative(), value(&store, &key)), (Some(true), Some(round)));
        assert_eq!((store.usage().entries, store.usage().evictions), (1, 0));
        assert_eq!(store.usage().bytes, u64::from(ENTRY_OVERHEAD) + 200);
    }
    assert!(store.remove(&key));
    assert_eq!((is_negative(), store.usage().entries), (None, 0));
    assert!(!store.remove(&key));
}

#[test]
fn purge_and_peek_see_values_and_negatives() {
    let store = store(1 << 20);
    for number in 0..100 {
        store.insert(key("value", number), entry(0, 8, mono(u64::from(number))));
        store.insert(key("negative", number), negative(0, 8, mono(u64::from(number))));
    }
    assert_eq!(store.purge(&|entry| entry.deadlines.hard < mono(50)), 100);
    for kind in ["value", "negative"] {
        assert!(store.peek(&key(kind, 49)).is_none());
        let peeked = store.peek(&key(kind, 50)).map(|entry| entry.is_negative());
        assert_eq!(peeked, Some(kind == "negative"));
    }
}

#[test]
fn what_is_stored_from_two_sides_at_once_ends_as_one_entry() {
    // Full, so that values go to either place.
    let store = store(128 << 10);
    for number in 0..1_000 {
        store.insert(key("filler", number), entry(0, 100, Mono::NEVER));
    }
    for round in 0..3_000 {
        let key = key("ruc", round);
        let start = Barrier::new(3);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                store.insert(key.clone(), entry(1, 8, Mono::NEVER));
            });
            scope.spawn(|| {
                start.wait();
                store.insert(key.clone(), negative(2, 8, Mono::NEVER));
            });
            start.wait();
            store.insert(key.clone(), entry(3, 8, Mono::NEVER));
        });
        let mut held = 0;
        store.each(&mut |other, _| held += u32::from(*other == key));
        assert!(held <= 1, "held twice in round {round}");
    }
}

#[test]
fn a_reader_never_sees_an_entry_older_than_one_it_has_seen() {
    let store = store(1 << 20);
    let key = key("ruc", 1);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 1..=100_000 {
                let store_as = if number % 2 == 0 { entry } else { negative };
                store.insert(key.clone(), store_as(number, 8, Mono::NEVER));
            }
        });
        let mut newest = 0;
        while !writer.is_finished() {
            if let Some(seen) = value(&store, &key) {
                assert!(seen >= newest, "{seen} after {newest}");
                newest = seen;
            }
        }
    });
    assert_eq!(value(&store, &key), Some(100_000));
}

#[test]
fn an_entry_larger_than_the_store_is_not_kept() {
    let store = store(1 << 20);
    store.insert(key("ruc", 1), entry(1, 8, Mono::NEVER));
    store.insert(key("ruc", 2), entry(2, u32::MAX, Mono::NEVER));
    assert_eq!((store.usage().entries, value(&store, &key("ruc", 2))), (1, None));
    assert_eq!(value(&store, &key("ruc", 1)), Some(1));
}
