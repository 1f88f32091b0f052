//! What all handles of a cache share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use rucache_core::observer::{StoreResult, Tier};
use rucache_core::{
    Backend, CacheEvent, Count, Envelope, Guards, Key, Local, LocalEntry, Mono, Observer, Runtime,
    TagCounts,
};

use crate::Timing;
use crate::bulkhead::Bulkhead;
use crate::flight::{Flights, Ticket};
use crate::outbox::Outbox;
use crate::push::Push;
use crate::services::Services;
use crate::shared::Shared;
use crate::tags::{Tag, Tags};

/// Fewest values stored between two times that what is over is dropped.
const TIDY_EVERY: u64 = 1_024;

/// What a tag takes in an envelope besides its name, in bytes.
const TAG_LEN: usize = 10;

/// For how long a copy of what stands at the shared tier is good while changes are not told.
pub(crate) const UNTOLD: Duration = Duration::from_secs(2);

/// What all handles of a cache share.
pub(crate) struct Engine {
    /// For tasks that must not keep the cache alive.
    pub(crate) myself: Weak<Self>,
    /// The tier in this process; entries live here, or copies of those at the shared tier.
    pub(crate) local: Option<Arc<dyn Local>>,
    pub(crate) shared: Option<Shared>,
    /// Where maps and counters live when entries live in this process.
    pub(crate) aside: Option<Arc<dyn Backend>>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) services: Services,
    pub(crate) tags: Tags,
    pub(crate) flights: Arc<Flights>,
    pub(crate) bulkhead: Bulkhead,
    pub(crate) push: Push,
    pub(crate) outbox: Outbox,
    /// Whether somebody is at delivering the outbox.
    pub(crate) delivering: AtomicBool,
    /// Whether a server may have forgotten what it had confirmed.
    pub(crate) rewound: AtomicBool,
    /// Nodes that do not answer.
    pub(crate) nodes_down: Mutex<Vec<String>>,
    pub(crate) timing: Timing,
    pub(crate) max_value_len: usize,
    /// Whether reads tell of the shared tier's errors.
    pub(crate) is_strict: bool,
    /// Values stored since what is over was last dropped.
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

    /// What `key` stands under now.
    pub(crate) fn ticket(&self, key: &Key) -> Ticket {
        let service = self.services.place(key.service());
        Ticket {
            service,
            sum: self.services.sum(service),
            cleared: self.services.cleared(service),
            epoch: self.services.epoch(service),
            changes: self.flights.changes(key),
        }
    }

    /// The guards of a copy that was read, or begun to be loaded, at `copied` under `ticket`.
    pub(crate) fn guards(ticket: &Ticket, copied: Mono, tags: TagCounts) -> Guards {
        let Ticket { service, sum, epoch, .. } = *ticket;
        Guards::new(service, sum, copied).with_tags(tags, epoch)
    }

    /// Whether nothing has made `entry` outdated, as far as this process is told; what it is not
    /// told, it takes for unchanged for two seconds.
    #[inline]
    pub(crate) fn is_current(&self, entry: &LocalEntry, now: Mono) -> bool {
        let guards = &entry.guards;
        self.services.sum(guards.service) == guards.sum
            && guards.tags_stand(self.services.epoch(guards.service))
            && (self.push.is_trusted() || now.since(guards.copied) < UNTOLD)
    }

    /// The entry of `key` in the local tier, if it is good for anything; no use of the key, since
    /// whoever asks changes it or has looked before.
    pub(crate) fn kept(&self, key: &Key, now: Mono) -> Option<LocalEntry> {
        self.if_good(self.local.as_ref()?.peek(key)?, now)
    }

    /// The same for a reader's first look.
    pub(crate) fn used(&self, key: &Key, now: Mono) -> Option<LocalEntry> {
        self.if_good(self.local.as_ref()?.get(key)?, now)
    }

    fn if_good(&self, entry: Arc<LocalEntry>, now: Mono) -> Option<LocalEntry> {
        let is_good = now < entry.deadlines.hard && self.is_current(&entry, now);
        is_good.then(|| Arc::unwrap_or_clone(entry))
    }

    /// Puts a copy of what the shared tier has into the local tier, unless the key has changed since
    /// `ticket`.
    pub(crate) fn copy(&self, key: &Key, entry: &LocalEntry, ticket: &Ticket) {
        if let Some(local) = &self.local {
            self.flights.unless_changed(key, ticket, || local.insert(key.clone(), entry.clone()));
            self.tidy(1);
        }
    }

    /// Whether a value of this length as JSON can be stored; `None` for one without a JSON form.
    pub(crate) fn check_len(
        &self,
        key: &Key,
        tags: &[Arc<Tag>],
        len: Option<usize>,
    ) -> StoreResult {
        match len {
            None => StoreResult::Error,
            Some(len) if len > self.limit(key, tags) => StoreResult::TooLarge,
            Some(_) => StoreResult::Stored,
        }
    }

    /// The longest value of `key` with `tags` as JSON, in bytes.
    pub(crate) fn limit(&self, key: &Key, tags: &[Arc<Tag>]) -> usize {
        self.shared.as_ref().map_or(self.max_value_len, |shared| {
            let store = shared.backend.capabilities().max_value_len;
            let tags: usize = tags.iter().map(|tag| tag.guard.tag.name().len() + TAG_LEN).sum();
            self.max_value_len.min(store.saturating_sub(Envelope::overhead(key) + tags))
        })
    }

    /// The tier whose word it is that something is stored.
    pub(crate) const fn home(&self) -> Tier {
        if self.shared.is_some() { Tier::Shared } else { Tier::Local }
    }

    /// Takes note that `count` values were stored in the local tier, and drops what is over once as
    /// many were as a quarter of what is held: the cost of looking at everything is spread over what
    /// was stored.
    pub(crate) fn tidy(&self, count: u64) {
        let Some(local) = &self.local else { return };
        let before = self.stored.fetch_add(count, Ordering::Relaxed);
        let stored = before + count;
        // How much is held costs something to find out: asked once in so many values.
        if before / TIDY_EVERY == stored / TIDY_EVERY || stored < local.usage().entries / 4 {
            return;
        }
        self.stored.store(0, Ordering::Relaxed);
        let (local, now) = (local.clone(), self.runtime.now());
        self.runtime.spawn_blocking(Box::new(move || {
            local.purge(&|entry| entry.deadlines.hard <= now);
        }));
    }

    /// Counts an answered read.
    pub(crate) fn answered_as(&self, key: &Key, count: Count) {
        self.services.count(self.services.place(key.service()), count);
    }
}
