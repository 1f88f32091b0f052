//! A bounded map that forgets what was not touched for longest, a generation at a time.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;
use rucache_core::{Key, Marker};

type Generation<K, V> = HashMap<K, V, RandomState>;

/// What a key keeps outside of the map.
pub(crate) trait Heap {
    /// Its bytes on the heap.
    fn heap_bytes(&self) -> u64;
}

impl Heap for Key {
    fn heap_bytes(&self) -> u64 {
        self.heap_len() as u64
    }
}

impl Heap for Marker {
    fn heap_bytes(&self) -> u64 {
        match self {
            Self::Tag(tag) => tag.heap_bytes(),
            // A service's name is never long enough to need the heap.
            Self::Root | Self::Service(_) | Self::TagEpoch(_) => 0,
        }
    }
}

/// A map in two generations: what is touched moves to the young one; when that is full the old one
/// is dropped and the young one becomes old.
///
/// Every call is a few hash operations; the drop costs what its insertions have paid for. Nothing
/// is dropped before the touched keys fill half of the bytes.
#[derive(Debug)]
pub(crate) struct Generations<K, V> {
    young: Generation<K, V>,
    old: Generation<K, V>,
    young_bytes: u64,
    old_bytes: u64,
    capacity_bytes: u64,
    dropped: u64,
}

impl<K: Hash + Eq + Heap, V> Generations<K, V> {
    /// Bytes of a pair: its place in a hash table, which doubles when seven eighths full and so is
    /// never emptier than seven sixteenths.
    pub(crate) const PAIR_BYTES: u64 = (size_of::<(K, V)>() as u64 + 1) * 16 / 7;

    pub(crate) fn new(capacity_bytes: u64) -> Self {
        Self {
            young: Generation::default(),
            old: Generation::default(),
            young_bytes: 0,
            old_bytes: 0,
            capacity_bytes,
            dropped: 0,
        }
    }

    /// The value of `key` if it is young already; whoever finds none asks [`get_mut`](Self::get_mut).
    pub(crate) fn get_young(&self, key: &K) -> Option<&V> {
        self.young.get(key)
    }

    /// The value of `key`, young from now on.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.old_bytes = self.old_bytes.saturating_sub(Self::charge(&key));
            self.insert(key, value);
        }
        self.young.get_mut(key)
    }

    /// Puts a pair whose key [`get_mut`](Self::get_mut) has not found.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        let bytes = Self::charge(&key);
        if self.young_bytes + bytes > self.capacity_bytes / 2 {
            self.dropped += self.old.len() as u64;
            self.old = std::mem::take(&mut self.young);
            self.old_bytes = std::mem::take(&mut self.young_bytes);
        }
        if self.young.insert(key, value).is_none() {
            self.young_bytes += bytes;
        }
    }

    /// Drops the pairs that are not `alive`; how many were dropped.
    pub(crate) fn retain(&mut self, alive: impl Fn(&V) -> bool) -> u64 {
        let before = self.len();
        for (generation, bytes) in
            [(&mut self.young, &mut self.young_bytes), (&mut self.old, &mut self.old_bytes)]
        {
            generation.retain(|_, value| alive(value));
            *bytes = generation.keys().map(Self::charge).sum();
        }
        before - self.len()
    }

    /// How many pairs it holds.
    pub(crate) fn len(&self) -> u64 {
        (self.young.len() + self.old.len()) as u64
    }

    /// Bytes charged.
    pub(crate) fn bytes(&self) -> u64 {
        self.young_bytes + self.old_bytes
    }

    /// How many pairs were dropped for lack of room.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn charge(key: &K) -> u64 {
        Self::PAIR_BYTES.saturating_add(key.heap_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Numbers = Generations<Key, u32>;

    fn key(number: u32) -> Key {
        Key::parse(&format!("n:{number}")).unwrap()
    }

    fn room_for(pairs: u64) -> Numbers {
        Numbers::new(pairs * Numbers::PAIR_BYTES)
    }

    #[test]
    fn nothing_is_dropped_while_there_is_room() {
        let mut numbers = room_for(100);
        (0..50).for_each(|number| numbers.insert(key(number), number));
        assert_eq!((numbers.len(), numbers.dropped()), (50, 0));
        assert_eq!(numbers.bytes(), 50 * Numbers::PAIR_BYTES);
    }

    #[test]
    fn never_holds_more_than_its_bytes() {
        let mut numbers = room_for(100);
        for number in 0..10_000 {
            numbers.insert(key(number), number);
            assert!(numbers.bytes() <= 100 * Numbers::PAIR_BYTES, "after {number}");
        }
        assert_eq!(numbers.len() + numbers.dropped(), 10_000);
    }

    #[test]
    fn what_is_touched_outlives_what_is_not() {
        let mut numbers = room_for(100);
        numbers.insert(key(0), 7);
        for number in 1..10_000 {
            numbers.insert(key(number), number);
            assert_eq!(numbers.get_mut(&key(0)).copied(), Some(7), "after {number}");
        }
        assert_eq!(numbers.get_mut(&key(1)), None);
    }

    #[test]
    fn heap_bytes_of_keys_count() {
        let mut numbers = Numbers::new(1 << 20);
        let long = Key::parse(&format!("n:{}", "x".repeat(1_000))).unwrap();
        numbers.insert(long, 1);
        assert_eq!(numbers.bytes(), Numbers::PAIR_BYTES + 1_002);
    }

    #[test]
    fn retain_drops_the_dead_of_both_generations_and_their_bytes() {
        let mut numbers = room_for(100);
        (0..80).for_each(|number| numbers.insert(key(number), number));
        assert_eq!(numbers.retain(|number| number % 2 == 0), 40);
        assert_eq!((numbers.len(), numbers.bytes()), (40, 40 * Numbers::PAIR_BYTES));
        assert_eq!(numbers.dropped(), 0);
    }
}
