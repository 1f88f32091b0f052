//! Locks that keep changes of one key apart.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use rucache_core::Key;

/// Locks over which the keys are spread.
const GATES: usize = 64;

/// A lock for each key, shared with a few others; and the hash that tells which one, the same for
/// the life of a store.
pub(crate) struct Gates {
    hasher: RandomState,
    gates: [Mutex<()>; GATES],
}

/// While it is held, nobody else changes the keys behind it.
pub(crate) type Gate<'a> = MutexGuard<'a, ()>;

impl Default for Gates {
    fn default() -> Self {
        Self { hasher: RandomState::default(), gates: std::array::from_fn(|_| Mutex::new(())) }
    }
}

impl Gates {
    pub(crate) const fn hasher(&self) -> &RandomState {
        &self.hasher
    }

    pub(crate) fn hash(&self, key: &Key) -> u64 {
        self.hasher.hash_one(key)
    }

    pub(crate) fn enter(&self, key: &Key) -> Gate<'_> {
        let at = usize::try_from(self.hash(key) % (GATES as u64)).unwrap_or_default();
        self.gates[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Gates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gates").finish_non_exhaustive()
    }
}
