//! What all handles of a cache share: the tier, the flights, and changes of entries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rucache_core::observer::{RequestResult, StoreResult};
use rucache_core::{
    Backend, CacheEvent, Envelope, Key, Local, LocalEntry, Observer, Precondition, Runtime,
};

use crate::flight::Flights;
use crate::load::LoadedValue;
use crate::shared::{Fill, Shared};
use crate::{CacheError, Hit, Policy, Timing};

/// Fewest values stored between two times that expired ones are dropped.
const TIDY_EVERY: u64 = 1_024;

/// Where entries live.
pub(crate) enum Tier {
    /// In this process.
    Local(Arc<dyn Local>),
    /// At a backend.
    Shared(Shared),
}

/// What all handles of a cache share.
pub(crate) struct Engine {
    pub(crate) tier: Tier,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) flights: Arc<Flights>,
    pub(crate) timing: Timing,
    pub(crate) max_value_len: usize,
    /// Values stored since expired ones were last dropped.
    pub(crate) stored: AtomicU64,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("timing", &self.timing).finish_non_exhaustive()
    }
}

impl Engine {
    pub(crate) fn observe<'a>(&self, event: impl FnOnce() -> CacheEvent<'a>) {
        if let Some(observer) = &self.observer {
            observer.record(&event());
        }
    }

    /// Whether a value of this length as JSON can be stored; `None` for one without a JSON form.
    pub(crate) fn check_len(&self, key: &Key, len: Option<usize>) -> StoreResult {
        match len {
            None => StoreResult::Error,
            Some(len) if len > self.limit(key) => StoreResult::TooLarge,
            Some(_) => StoreResult::Stored,
        }
    }

    /// The longest value of `key` as JSON, in bytes.
    fn limit(&self, key: &Key) -> usize {
        match &self.tier {
            Tier::Local(_) => self.max_value_len,
            Tier::Shared(shared) => {
                let store = shared.backend.capabilities().max_value_len;
                self.max_value_len.min(store.saturating_sub(Envelope::overhead(key)))
            }
        }
    }

    /// Takes note that `count` values were stored, and drops what has expired once as many were as a
    /// quarter of what is held: the cost of looking at everything is spread over what was stored.
    pub(crate) fn tidy(&self, local: &Arc<dyn Local>, count: u64) {
        let before = self.stored.fetch_add(count, Ordering::Relaxed);
        let stored = before + count;
        // How much is held costs something to find out: asked once in so many values.
        if before / TIDY_EVERY == stored / TIDY_EVERY || stored < local.usage().entries / 4 {
            return;
        }
        self.stored.store(0, Ordering::Relaxed);
        let (local, now) = (local.clone(), self.runtime.now());
        self.runtime.spawn_blocking(Box::new(move || {
            local.purge(now);
        }));
    }

    pub(crate) fn local(&self) -> Option<&Arc<dyn Local>> {
        match &self.tier {
            Tier::Local(local) => Some(local),
            Tier::Shared(_) => None,
        }
    }

    pub(crate) fn answered<T>(&self, key: &Key, hit: Option<&Hit<T>>) {
        self.observe(|| CacheEvent::Request {
            service: key.service(),
            result: hit
                .map_or(RequestResult::Miss, |hit: &Hit<T>| hit.outcome.from.request_result()),
        });
    }

    pub(crate) async fn put(
        &self,
        key: &Key,
        value: LoadedValue,
        policy: Policy,
    ) -> Result<(), CacheError> {
        let deadlines = policy.deadlines(self.runtime.now(), self.runtime.random());
        let (entry, len) = value.into_entry(self.runtime.wall(), deadlines);
        let result = self.check_len(key, len.as_ref().ok().copied());
        let written = match result {
            StoreResult::Stored => self.store(key, entry).await,
            // What was there is outdated all the same.
            _ => self.remove(key).await.map(drop),
        };
        let result = if written.is_err() { StoreResult::Error } else { result };
        let value_len = *len.as_ref().unwrap_or(&0);
        self.observe(|| CacheEvent::Store { service: key.service(), result, value_len });
        written?;
        match len {
            Err(source) => Err(CacheError::Codec(Arc::new(source))),
            Ok(len) if result == StoreResult::TooLarge => {
                Err(CacheError::TooLarge { len, max: self.limit(key) })
            }
            Ok(_) => Ok(()),
        }
    }

    async fn store(&self, key: &Key, entry: LocalEntry) -> Result<(), CacheError> {
        let shared = match &self.tier {
            Tier::Local(local) => {
                self.flights.fence(key, || local.insert(key.clone(), entry));
                self.tidy(local, 1);
                return Ok(());
            }
            Tier::Shared(shared) => shared,
        };
        let _fenced = self.flights.fenced(key);
        let markers = shared.markers(key).await?;
        let fill = Fill { key, entry: Some(&entry), markers, when: Precondition::Always };
        for outcome in shared.write(&[fill]).await {
            outcome?;
        }
        Ok(())
    }

    pub(crate) async fn remove(&self, key: &Key) -> Result<bool, CacheError> {
        let shared = match &self.tier {
            Tier::Local(local) => return Ok(self.flights.fence(key, || local.remove(key))),
            Tier::Shared(shared) => shared,
        };
        let _fenced = self.flights.fenced(key);
        let mut removed = false;
        for answer in shared.delete(std::slice::from_ref(key)).await {
            removed |= answer?;
        }
        Ok(removed)
    }
}
