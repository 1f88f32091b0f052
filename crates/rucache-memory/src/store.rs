//! The bounded cache under the local tier and the backend's entries: moka, with changes of one key
//! kept apart.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;
use moka::notification::RemovalCause;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use rucache_core::{Key, Usage};

use crate::gates::Gates;

/// Writes that come before moka's housekeeping.
const UNCOUNTED: u64 = 64;

/// moka as a store: bounded in bytes, no expiry and no loading of its own.
///
/// Reads take no lock. Puts, changes and the purge of one key exclude each other, also in stores
/// that share their gates: moka has no "remove if" and no "change" that a plain insert of the same
/// key would respect.
pub(crate) struct Store<V> {
    cache: Cache<Key, V, RandomState>,
    gates: Arc<Gates>,
    evictions: Arc<AtomicU64>,
    capacity_bytes: u64,
}

impl<V: Clone + Send + Sync + 'static> Store<V> {
    /// An empty store of `capacity_bytes`, where `charge` says what an entry takes of them and
    /// `policy` which entries go when it is full.
    pub(crate) fn new(
        gates: Arc<Gates>,
        capacity_bytes: u64,
        policy: EvictionPolicy,
        charge: impl Fn(&Key, &V) -> u32 + Send + Sync + 'static,
    ) -> Self {
        let evictions = Arc::new(AtomicU64::new(0));
        let counter = evictions.clone();
        let cache = Cache::builder()
            .max_capacity(capacity_bytes)
            .eviction_policy(policy)
            .weigher(charge)
            // Counts and nothing else: moka drops a listener that panics.
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            })
            .build_with_hasher(gates.hasher().clone());
        Self { cache, gates, evictions, capacity_bytes }
    }

    /// The value of `key`, which counts as used, there or not. Allocates nothing.
    pub(crate) fn get(&self, key: &Key) -> Option<V> {
        self.cache.get(key)
    }

    /// The same, without counting a key that is not there.
    pub(crate) fn peek(&self, key: &Key) -> Option<V> {
        if self.contains(key) { self.get(key) } else { None }
    }

    /// Whether `key` has a value. Counts as nothing.
    pub(crate) fn contains(&self, key: &Key) -> bool {
        self.cache.contains_key(key)
    }

    /// Whether `charge` bytes more are sure to fit in, as much as all that has come since the last
    /// housekeeping, which is not counted yet.
    pub(crate) fn has_room(&self, charge: u32) -> bool {
        let coming = u64::from(charge).saturating_mul(UNCOUNTED);
        self.cache.weighted_size().saturating_add(coming) <= self.capacity_bytes
    }

    /// Puts `value` in the place of what was there. For who has entered the gate of `key`.
    pub(crate) fn put(&self, key: Key, value: V) {
        self.cache.insert(key, value);
    }

    /// Drops the value of `key`; `true` when there was one.
    pub(crate) fn remove(&self, key: &Key) -> bool {
        self.cache.remove(key).is_some()
    }

    /// Lets `change` make something else of what `key` has, in one step; `None` is nothing.
    pub(crate) fn change<T>(&self, key: &Key, change: impl FnOnce(&mut Option<V>) -> T) -> T {
        let _gate = self.gates.enter(key);
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
            let _gate = self.gates.enter(&key);
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
        self.gates.hash(key)
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
}

impl<V> fmt::Debug for Store<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("capacity_bytes", &self.capacity_bytes)
            .finish_non_exhaustive()
    }
}
