//! The bounded cache under the local tier and the backend's entries: moka, with changes of one key
//! kept apart.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use moka::notification::RemovalCause;
use moka::sync::Cache;
use rucache_core::{Key, Usage};

/// Locks over which the keys are spread.
const GATES: usize = 64;

/// moka as a store: bounded in bytes, admission by TinyLFU, no expiry and no loading of its own.
///
/// Reads take no lock. Inserts, changes and the purge of one key exclude each other: moka has no
/// "remove if" and no "change" that a plain insert of the same key would respect.
pub(crate) struct Store<V> {
    cache: Cache<Key, V, RandomState>,
    hasher: RandomState,
    gates: [Mutex<()>; GATES],
    evictions: Arc<AtomicU64>,
    capacity_bytes: u64,
}

impl<V: Clone + Send + Sync + 'static> Store<V> {
    /// An empty store of `capacity_bytes`, where `charge` says what an entry takes of them.
    pub(crate) fn new(
        capacity_bytes: u64,
        charge: impl Fn(&Key, &V) -> u32 + Send + Sync + 'static,
    ) -> Self {
        let hasher = RandomState::default();
        let evictions = Arc::new(AtomicU64::new(0));
        let counter = evictions.clone();
        let cache = Cache::builder()
            .max_capacity(capacity_bytes)
            .weigher(charge)
            // Counts and nothing else: moka drops a listener that panics.
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            })
            .build_with_hasher(hasher.clone());
        let gates = std::array::from_fn(|_| Mutex::new(()));
        Self { cache, hasher, gates, evictions, capacity_bytes }
    }

    /// The value of `key`. Allocates nothing.
    pub(crate) fn get(&self, key: &Key) -> Option<V> {
        self.cache.get(key)
    }

    /// Puts `value` in the place of what was there.
    pub(crate) fn insert(&self, key: Key, value: V) {
        let _gate = self.gate(&key);
        self.cache.insert(key, value);
    }

    /// Drops the value of `key`; `true` when there was one.
    pub(crate) fn remove(&self, key: &Key) -> bool {
        self.cache.remove(key).is_some()
    }

    /// Lets `change` make something else of what `key` has, in one step; `None` is nothing.
    pub(crate) fn change<T>(&self, key: &Key, change: impl FnOnce(&mut Option<V>) -> T) -> T {
        let _gate = self.gate(key);
        let mut value = self.cache.get(key);
        let was_there = value.is_some();
        let answer = change(&mut value);
        match value {
            Some(value) => self.cache.insert(key.clone(), value),
            None if was_there => self.cache.invalidate(key),
            None => {}
        }
        answer
    }

    /// Drops every value that is `dead` and does pending housekeeping; how many were dropped.
    pub(crate) fn purge(&self, dead: impl Fn(&V) -> bool) -> u64 {
        let mut dropped = 0;
        for (key, seen) in &self.cache {
            if !dead(&seen) {
                continue;
            }
            // Read again behind the gate: a newer value may stand there by now.
            let _gate = self.gate(&key);
            let still_dead = self.cache.get(&*key).is_some_and(|value| dead(&value));
            dropped += u64::from(still_dead && self.remove(&key));
        }
        self.cache.run_pending_tasks();
        dropped
    }

    /// Every key with its value, in no order, without counting as reads.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Arc<Key>, V)> {
        self.cache.iter()
    }

    /// The hash of `key`, the same for the life of the store.
    pub(crate) fn hash(&self, key: &Key) -> u64 {
        self.hasher.hash_one(key)
    }

    /// How full it is, exact when nothing changes meanwhile.
    pub(crate) fn usage(&self) -> Usage {
        self.cache.run_pending_tasks();
        Usage::new(
            self.cache.entry_count(),
            self.cache.weighted_size(),
            self.capacity_bytes,
            self.evictions.load(Ordering::Relaxed),
        )
    }

    fn gate(&self, key: &Key) -> MutexGuard<'_, ()> {
        let at = usize::try_from(self.hash(key) % (GATES as u64)).unwrap_or_default();
        self.gates[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> fmt::Debug for Store<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("capacity_bytes", &self.capacity_bytes)
            .finish_non_exhaustive()
    }
}
