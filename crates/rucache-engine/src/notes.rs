//! Taking note of what happens: in the counters, and for whoever watches.

use rucache_core::observer::{RefreshResult, RefreshTrigger, StoreResult, Tier};
use rucache_core::{CacheEvent, Count, Error, ErrorKind, Key};

use crate::engine::Engine;
use crate::flight::Leader;
use crate::make::Made;
use crate::negative::negative;

impl Engine {
    pub(crate) fn count(&self, key: &Key, count: Count) {
        self.services.count(self.services.place(key.service()), count);
    }

    /// Takes note that the local tier could not answer a read, where there is another one.
    pub(crate) fn count_local_miss(&self, key: &Key) {
        if self.local.is_some() && self.shared.is_some() {
            self.count(key, Count::LocalMiss);
        }
    }

    /// Counts how a refresh in the background ended, if the flight is one.
    pub(crate) fn note_refresh(&self, leader: &Leader, result: RefreshResult) {
        if leader.is_refresh {
            self.count(&leader.key, Count::Refresh(RefreshTrigger::Early, result));
        }
    }

    /// Tells what became of a value to be stored in a tier.
    pub(crate) fn note_store(&self, key: &Key, tier: Tier, result: StoreResult, value_len: usize) {
        self.count(key, Count::Store(tier, result));
        self.observe(|| CacheEvent::Store { service: key.service(), result, value_len });
    }

    /// Tells of what is stored, if it is a verdict.
    pub(crate) fn note_verdict(&self, key: &Key, made: &Made) {
        if let Some(verdict) = negative(&made.entry) {
            let (service, reason) = (key.service(), &*verdict.reason);
            self.observe(|| CacheEvent::NegativeStored { service, reason });
        }
    }
}

/// How a refresh that brought this has ended.
pub(crate) const fn refreshed(made: &Made) -> RefreshResult {
    if made.is_unmodified { RefreshResult::NotModified } else { RefreshResult::Loaded }
}

/// What became of a value that a store did not take.
pub(crate) fn not_stored(error: &Error) -> StoreResult {
    match error.kind() {
        ErrorKind::Full | ErrorKind::ReadOnly | ErrorKind::Denied => StoreResult::Refused,
        ErrorKind::TooLarge => StoreResult::TooLarge,
        _ => StoreResult::Error,
    }
}
