//! What a cache keeps beside its entries: maps and counters, at its backend or in this process.

use std::sync::Arc;

use rucache_core::{Backend, Key, Marker, MarkerRef};

use crate::{Cache, CacheError};

impl Cache {
    /// Where maps and counters of this cache's users live: the backend that entries live at, or the
    /// one that the cache was [built with](crate::CacheBuilder::aside).
    ///
    /// # Errors
    ///
    /// [`CacheError::NoAside`] when there is neither.
    pub fn aside(&self) -> Result<&Arc<dyn Backend>, CacheError> {
        self.engine().aside.as_ref().ok_or(CacheError::NoAside)
    }

    /// A number that changes when this handle's service is cleared, or everything is: what is named
    /// by it goes with the service's entries.
    ///
    /// # Errors
    ///
    /// [`CacheError::Backend`] when the backend does not answer.
    pub async fn generation(&self) -> Result<u64, CacheError> {
        let engine = self.engine();
        let place = engine.services.place(self.service_name().as_str());
        let Some(shared) = &engine.shared else { return Ok(engine.services.sum(place)) };
        // Always near the same key: nodes that know nothing of one another count for themselves.
        let near = Key::new(self.service_name(), "generation")?;
        let service = Marker::Service(self.service_name().clone());
        let at = [Marker::Root, service].map(|marker| MarkerRef { marker, near: near.clone() });
        let mut generation: u64 = 0;
        for version in shared.marker_versions(&at).await {
            // Both only grow.
            generation = generation.wrapping_add(version?.as_raw());
        }
        Ok(generation)
    }
}
