//! Invalidating groups of entries at once: by tag, by service, everything.

use rucache_core::observer::{Origin, Scope};
use rucache_core::{CacheEvent, Count, Error, Key, Marker, ServiceName};

use crate::change::is_final;
use crate::engine::Engine;
use crate::outbox::Invalidation;
use crate::{CacheError, Written};

impl Engine {
    /// Makes all entries that carry `tag` outdated.
    pub(crate) async fn invalidate_tag(
        &self,
        tag: &Key,
        origin: Origin,
    ) -> Result<Written, CacheError> {
        let epoch = Marker::TagEpoch(tag.service_name());
        // One after the other: a load that reads the raised tag must find the raised epoch.
        let first = self.raise(epoch).await?;
        let second = self.raise(Marker::Tag(tag.clone())).await?;
        if first == Written::Deferred {
            // A load may read the raised tag and the old epoch: the tag is raised again after it.
            self.defer(Invalidation::Raise(Marker::Tag(tag.clone())));
        }
        self.raise_tag(tag);
        self.invalidated(tag.service(), Scope::Tag, origin);
        let both_done = first == Written::Done && second == Written::Done;
        Ok(if both_done { Written::Done } else { Written::Deferred })
    }

    /// Makes the copies that carry `tag` outdated, and loads that are under way.
    pub(crate) fn raise_tag(&self, tag: &Key) {
        // Before the guard: who stores what was loaded before takes its count, then asks for the
        // epoch. After it: who finds the epoch unchanged does not look at the guard.
        self.services.raise_epoch(tag.service());
        self.tags.raise(tag);
        self.services.raise_epoch(tag.service());
    }

    /// Makes all entries of `service` outdated.
    pub(crate) async fn clear(
        &self,
        service: &ServiceName,
        origin: Origin,
    ) -> Result<Written, CacheError> {
        let written = self.raise(Marker::Service(service.clone())).await?;
        self.services.clear(service.as_str());
        self.invalidated(service.as_str(), Scope::Namespace, origin);
        self.sweep();
        Ok(written)
    }

    /// Makes all entries outdated.
    pub(crate) async fn clear_all(&self) -> Result<Written, CacheError> {
        let written = self.raise(Marker::Root).await?;
        self.services.clear_everything();
        for service in self.services.all() {
            service.counters.add(Count::Invalidation(Scope::All, Origin::Local), 1);
        }
        self.observe(|| CacheEvent::Invalidated { service: "", scope: Scope::All });
        self.sweep();
        Ok(written)
    }

    /// Raises a marker at the shared tier. The guards of this process are raised after it: a copy
    /// made in between still stands under the old ones.
    async fn raise(&self, marker: Marker) -> Result<Written, CacheError> {
        let Some(shared) = &self.shared else { return Ok(Written::Done) };
        let least = shared.seed();
        let raised = shared.raise(std::slice::from_ref(&marker), least).await.pop();
        if let Some(Ok(())) = raised {
            self.note_raised(&marker, least);
        }
        let invalidation = Invalidation::Raise(marker);
        match raised {
            Some(Ok(())) => {
                self.outbox.confirmed(invalidation, self.runtime.now());
                Ok(Written::Done)
            }
            Some(Err(error)) if is_final(&error) => Err(Error::into(error)),
            Some(Err(_)) | None => {
                self.defer(invalidation);
                Ok(Written::Deferred)
            }
        }
    }

    pub(crate) fn invalidated(&self, service: &str, scope: Scope, origin: Origin) {
        let place = self.services.place(service);
        self.services.count(place, Count::Invalidation(scope, origin));
        self.observe(|| CacheEvent::Invalidated { service, scope });
    }

    /// Frees the memory of what is over in the local tier, apart from the caller.
    pub(crate) fn sweep(&self) {
        let Some(engine) = self.myself.upgrade() else { return };
        self.runtime.spawn_blocking(Box::new(move || {
            engine.drop_what_is_over();
        }));
    }

    /// Drops entries that are past their hard deadline or outdated; how many.
    pub(crate) fn drop_what_is_over(&self) -> u64 {
        let now = self.runtime.now();
        let is_over = |entry: &rucache_core::LocalEntry| {
            entry.deadlines.hard <= now || !self.is_current(entry, now)
        };
        self.local.as_ref().map_or(0, |local| local.purge(&is_over))
    }
}
