//! The simplest local tier: a map under a lock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Local, LocalEntry, Usage};
use crate::Key;

/// A local tier that keeps everything: for tests, and as the plain statement of the contract.
///
/// Unbounded, so not for a service.
#[derive(Debug, Default)]
pub struct MapLocal {
    entries: Mutex<HashMap<Key, Arc<LocalEntry>>>,
}

impl MapLocal {
    fn entries(&self) -> MutexGuard<'_, HashMap<Key, Arc<LocalEntry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Local for MapLocal {
    fn get(&self, key: &Key) -> Option<Arc<LocalEntry>> {
        self.entries().get(key).cloned()
    }

    fn insert(&self, key: Key, entry: LocalEntry) {
        self.entries().insert(key, Arc::new(entry));
    }

    fn remove(&self, key: &Key) -> bool {
        self.entries().remove(key).is_some()
    }

    fn purge(&self, is_over: &dyn Fn(&LocalEntry) -> bool) -> u64 {
        let mut entries = self.entries();
        let before = entries.len();
        entries.retain(|_, entry| !is_over(entry));
        (before - entries.len()) as u64
    }

    fn each(&self, look: &mut dyn FnMut(&Key, &LocalEntry)) {
        self.entries().iter().for_each(|(key, entry)| look(key, entry));
    }

    fn usage(&self) -> Usage {
        let entries = self.entries();
        let bytes = entries.values().map(|entry| u64::from(entry.weight)).sum();
        Usage::new(entries.len() as u64, bytes, u64::MAX, 0)
    }
}
