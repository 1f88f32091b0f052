//! [`Backend`] over a [`Store`], by compare-and-swap.

mod entries;
mod maps;
mod numbers;
mod swap;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;

use super::{Slot, Store};
use crate::{
    Answers, Backend, Capabilities, Change, Companions, Error, ErrorKind, Fetched, Info, Key,
    KeyCodec, KeyPage, Lease, LeaseEnd, LeaseHold, LeaseRequest, Listener, MapEntry, MapPage,
    Marker, MarkerRef, MarkerVersion, Operation, Runtime, ServiceName, Timestamp, Ttl, Write,
    WriteOutcome,
};

/// A backend over any [`Store`].
///
/// - Entries live in [`Slot`]s, each changed by reading it and writing it back under its version.
///   A change that meets 1,000 others in a row, or takes longer than 1 s, ends in
///   [`ErrorKind::Contended`].
/// - Keys of a batch are handled one after the other.
/// - Deadlines are wall time: hosts that share the store must agree on it as well as their TTLs
///   and leases need. The store's own TTL bounds every life besides.
/// - What something else wrote under an entry's name reads as [`ErrorKind::ForeignValue`], under
///   another of its names as nothing; it is written over.
/// - Listeners are told of changes made through this handle; nothing is known of others'.
/// - Keys are not listed.
pub struct Emulated<S> {
    store: S,
    runtime: Arc<dyn Runtime>,
    codec: KeyCodec,
    listeners: Mutex<Vec<Weak<dyn Listener>>>,
}

impl<S: Store> Emulated<S> {
    /// A backend over `store`, with time and randomness from `runtime` and names by `codec`.
    #[must_use]
    pub fn new(store: S, runtime: Arc<dyn Runtime>, codec: KeyCodec) -> Self {
        Self { store, runtime, codec, listeners: Mutex::default() }
    }

    fn error(&self, kind: ErrorKind, operation: Operation) -> Error {
        Error::new(kind, self.store.capabilities().name, operation)
    }

    fn tell(&self, change: &Change) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.strong_count() > 0);
        let told: Vec<_> = listeners.iter().filter_map(Weak::upgrade).collect();
        // Told without the lock, as a listener may subscribe or drop another.
        drop(listeners);
        for listener in told {
            listener.changed(change.clone());
        }
    }
}

#[async_trait]
impl<S: Store> Backend for Emulated<S> {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.store.capabilities();
        capabilities.max_value_len = capabilities.max_value_len.saturating_sub(Slot::MAX_OVERHEAD);
        capabilities.push = false;
        capabilities.scan = false;
        capabilities
    }

    async fn get_many(&self, keys: &[Key], companions: Companions) -> Answers<Fetched> {
        let mut answers = Vec::with_capacity(keys.len());
        for key in keys {
            answers.push(self.read_one(key).await);
        }
        if companions == Companions::Markers {
            self.add_companions(keys, &mut answers).await;
        }
        answers
    }

    async fn write_many(&self, writes: &[Write]) -> Answers<WriteOutcome> {
        let mut answers = Vec::with_capacity(writes.len());
        for write in writes {
            answers.push(self.write_one(write).await);
        }
        answers
    }

    async fn delete_many(&self, keys: &[Key]) -> Answers<bool> {
        let mut answers = Vec::with_capacity(keys.len());
        for key in keys {
            answers.push(self.delete_one(key).await);
        }
        answers
    }

    async fn expire_many(&self, keys: &[Key]) -> Answers<bool> {
        let mut answers = Vec::with_capacity(keys.len());
        for key in keys {
            answers.push(self.expire_one(key).await);
        }
        answers
    }

    async fn lease_many(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            answers.push(self.lease_one(request).await);
        }
        answers
    }

    async fn renew_many(&self, holds: &[LeaseHold], ttl: Ttl) -> Answers<bool> {
        let mut answers = Vec::with_capacity(holds.len());
        for hold in holds {
            answers.push(self.renew_one(hold, ttl).await);
        }
        answers
    }

    async fn release_many(&self, ends: &[LeaseEnd]) -> Answers<bool> {
        let mut answers = Vec::with_capacity(ends.len());
        for end in ends {
            answers.push(self.release_one(end).await);
        }
        answers
    }

    async fn add_many(&self, additions: &[(Key, u64)], ttl: Ttl) -> Answers<u64> {
        let mut answers = Vec::with_capacity(additions.len());
        for (counter, delta) in additions {
            answers.push(self.add_one(counter, *delta, ttl).await);
        }
        answers
    }

    async fn markers(&self, at: &[MarkerRef], seed: MarkerVersion) -> Answers<MarkerVersion> {
        let mut answers = Vec::with_capacity(at.len());
        for reference in at {
            answers.push(self.marker_one(&reference.marker, seed).await);
        }
        answers
    }

    async fn bump(&self, markers: &[Marker], seed: MarkerVersion) -> Answers<()> {
        let mut answers = Vec::with_capacity(markers.len());
        for marker in markers {
            answers.push(self.bump_one(marker, seed).await);
        }
        answers
    }

    async fn map_put(&self, map: &Key, entries: &[MapEntry], now: Timestamp) -> Result<u64, Error> {
        self.put_members(map, entries, now).await
    }

    async fn map_remove(
        &self,
        map: &Key,
        members: &[String],
        now: Timestamp,
    ) -> Result<u64, Error> {
        self.remove_members(map, members, now).await
    }

    async fn map_page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Error> {
        self.page(map, cursor, limit, now).await
    }

    async fn map_len(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        self.count_members(map, now).await
    }

    async fn map_purge(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        self.purge_members(map, now).await
    }

    async fn scan(
        &self,
        _service: &ServiceName,
        _cursor: Option<&str>,
        _limit: usize,
    ) -> Result<KeyPage, Error> {
        Err(self.error(ErrorKind::Unsupported, Operation::Scan))
    }

    fn subscribe(&self, listener: Weak<dyn Listener>) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    async fn ping(&self) -> Result<(), Error> {
        self.store.ping().await
    }

    async fn info(&self) -> Result<Info, Error> {
        Ok(Info::default())
    }
}

impl<S> fmt::Debug for Emulated<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulated").field("codec", &self.codec).finish_non_exhaustive()
    }
}
