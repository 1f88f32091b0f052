//! A bounded map that forgets what was not touched for longest, a generation at a time.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

type Generation<K, V> = HashMap<K, V, RandomState>;

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

impl<K: Hash + Eq, V> Generations<K, V> {
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
    pub(crate) fn get_mut(&mut self, key: &K, heap_bytes: u64) -> Option<&mut V> {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.old_bytes = self.old_bytes.saturating_sub(Self::charge(heap_bytes));
            self.insert(key, value, heap_bytes);
        }
        self.young.get_mut(key)
    }

    /// Puts a pair whose key has `heap_bytes` on the heap.
    pub(crate) fn insert(&mut self, key: K, value: V, heap_bytes: u64) {
        let bytes = Self::charge(heap_bytes);
        if self.young_bytes + bytes > self.capacity_bytes / 2 {
            self.dropped += self.old.len() as u64;
            self.old = std::mem::take(&mut self.young);
            self.old_bytes = std::mem::take(&mut self.young_bytes);
        }
        if self.young.insert(key, value).is_none() {
            self.young_bytes += bytes;
        }
    }

    /// Drops pairs that are dead, without counting them as dropped for lack of room.
    pub(crate) fn retain(
        &mut self,
        alive: impl Fn(&V) -> bool,
        heap_bytes: impl Fn(&K) -> u64,
    ) {
        for (generation, bytes) in
            [(&mut self.young, &mut self.young_bytes), (&mut self.old, &mut self.old_bytes)]
        {
            generation.retain(|_, value| alive(value));
            *bytes = generation.keys().map(|key| Self::charge(heap_bytes(key))).sum();
        }
    }

    /// Whether the next insertion of a new key drops the old generation.
    pub(crate) fn is_full(&self, heap_bytes: u64) -> bool {
        self.young_bytes + Self::charge(heap_bytes) > self.capacity_bytes / 2
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

    const fn charge(heap_bytes: u64) -> u64 {
        Self::PAIR_BYTES.saturating_add(heap_bytes)
    }
}
