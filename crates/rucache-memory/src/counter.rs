//! Counters with a life.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rucache_core::{Key, Timestamp, Ttl};

use crate::generations::Generations;

/// The highest value of a counter: what 63 bits hold, as in the other backends.
const MAX: u64 = i64::MAX.unsigned_abs();

/// The counters of a backend, bounded in bytes: those not added to for longest are pushed out, and
/// begin at zero again.
#[derive(Debug)]
pub(crate) struct Counters {
    counters: Mutex<Generations<Key, Counter>>,
}

#[derive(Debug)]
struct Counter {
    value: u64,
    /// The last tick at which it is alive.
    until: Timestamp,
}

impl Counters {
    /// No counters, and room for `capacity_bytes` of them.
    pub(crate) fn new(capacity_bytes: u64) -> Self {
        Self { counters: Mutex::new(Generations::new(capacity_bytes)) }
    }

    /// Adds to the counter `key` and returns its new value; one that is not alive begins at zero
    /// and lives `ttl`.
    pub(crate) fn add(&self, key: &Key, delta: u64, ttl: Ttl, now: Timestamp) -> u64 {
        let fresh = Counter { value: delta.min(MAX), until: now.after(ttl) };
        let mut counters = self.lock();
        match counters.get_mut(key) {
            Some(counter) if now <= counter.until => {
                counter.value = counter.value.saturating_add(delta).min(MAX);
                counter.value
            }
            Some(counter) => {
                *counter = fresh;
                counter.value
            }
            None => {
                let value = fresh.value;
                counters.insert(key.clone(), fresh);
                value
            }
        }
    }

    /// Drops those that are no longer alive; how many were dropped.
    pub(crate) fn purge(&self, now: Timestamp) -> u64 {
        self.lock().retain(|counter| now <= counter.until)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.lock().len()
    }

    /// Bytes charged.
    pub(crate) fn bytes(&self) -> u64 {
        self.lock().bytes()
    }

    /// How many were pushed out.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped()
    }

    fn lock(&self) -> MutexGuard<'_, Generations<Key, Counter>> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
