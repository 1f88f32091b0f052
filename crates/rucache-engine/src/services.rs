//! The services of a cache: their guards and counters, found without a lock on a hit.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use rucache_core::{Count, Counters, Guard, MarkerVersion, ServiceName};

/// A service as its cache knows it.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: ServiceName,
    /// Raised when the service is cleared.
    guard: Guard,
    /// Raised when this process clears the service.
    cleared: Guard,
    /// Raised when a tag of the service is invalidated.
    pub(crate) epoch: Guard,
    pub(crate) counters: Counters,
    /// The service's marker as seen at a shared tier.
    pub(crate) seen: SeenMarker,
}

/// The highest version that a marker was seen at.
#[derive(Debug, Default)]
pub(crate) struct SeenMarker(AtomicU64);

impl SeenMarker {
    pub(crate) fn note(&self, version: MarkerVersion) {
        // Read first: it rarely changes, and everybody who reads an entry comes by.
        if self.0.load(Ordering::Relaxed) < version.as_raw() {
            self.0.fetch_max(version.as_raw(), Ordering::Relaxed);
        }
    }

    pub(crate) fn highest(&self) -> Option<MarkerVersion> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            raw => Some(MarkerVersion::from_raw(raw)),
        }
    }
}

/// All services that a cache has met. They are meant to be few, and are never forgotten.
#[derive(Debug, Default)]
pub(crate) struct Services {
    table: boxcar::Vec<Service>,
    places: RwLock<HashMap<ServiceName, u32>>,
    /// Raised when everything is cleared.
    everything: Guard,
    /// Raised when this process clears everything.
    all_cleared: Guard,
    pub(crate) seen_root: SeenMarker,
}

impl Services {
    /// The place of the service called `name`, made when it is new.
    pub(crate) fn place(&self, name: &str) -> u32 {
        let known = self.places.read().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        known.unwrap_or_else(|| self.admit(name))
    }

    fn admit(&self, name: &str) -> u32 {
        // The text is the service part of a key.
        let name = ServiceName::new(name).unwrap_or_default();
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        *places.entry(name.clone()).or_insert_with(|| {
            let place = self.table.push(Service {
                name,
                guard: Guard::default(),
                cleared: Guard::default(),
                epoch: Guard::default(),
                counters: Counters::default(),
                seen: SeenMarker::default(),
            });
            u32::try_from(place).unwrap_or(u32::MAX)
        })
    }

    #[inline]
    pub(crate) fn at(&self, place: u32) -> Option<&Service> {
        self.table.get(usize::try_from(place).unwrap_or(usize::MAX))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Service> {
        self.table.iter().map(|(_, service)| service)
    }

    /// The service called `name`, if anything of it was ever asked for.
    pub(crate) fn known(&self, name: &str) -> Option<&Service> {
        let place = *self.places.read().unwrap_or_else(PoisonError::into_inner).get(name)?;
        self.at(place)
    }

    /// Counts `what` for the service at `place`.
    #[inline]
    pub(crate) fn count(&self, place: u32, what: Count) {
        if let Some(service) = self.at(place) {
            service.counters.add(what, 1);
        }
    }

    /// The guards of everything and of the service at `place`, added up: both only grow.
    #[inline]
    pub(crate) fn sum(&self, place: u32) -> u64 {
        let service = self.at(place).map_or(0, |service| service.guard.count());
        self.everything.count().wrapping_add(service)
    }

    /// The tag epoch of the service at `place`.
    pub(crate) fn epoch(&self, place: u32) -> u64 {
        self.at(place).map_or(0, |service| service.epoch.count())
    }

    /// Makes all copies of the service called `name` outdated.
    pub(crate) fn raise(&self, name: &str) {
        if let Some(service) = self.known(name) {
            service.guard.raise();
        }
    }

    /// Makes all copies outdated.
    pub(crate) fn raise_everything(&self) {
        self.everything.raise();
    }

    /// Takes note that this process has cleared the service called `name`.
    pub(crate) fn clear(&self, name: &str) {
        if let Some(service) = self.known(name) {
            service.cleared.raise();
        }
        self.raise(name);
    }

    /// Takes note that this process has cleared everything.
    pub(crate) fn clear_everything(&self) {
        self.all_cleared.raise();
        self.raise_everything();
    }

    /// How often this process has cleared the service at `place`, or everything.
    pub(crate) fn cleared(&self, place: u32) -> u64 {
        let service = self.at(place).map_or(0, |service| service.cleared.count());
        self.all_cleared.count().wrapping_add(service)
    }

    /// Keeps loads that are running from storing values with tags, in the service called `name`.
    pub(crate) fn raise_epoch(&self, name: &str) {
        if let Some(service) = self.known(name) {
            service.epoch.raise();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_keeps_its_place_and_its_guards_are_its_own() {
        let services = Services::default();
        let (users, abc) = (services.place("users"), services.place("usersabc"));
        assert_ne!(users, abc);
        assert_eq!(services.place("users"), users);
        let before = (services.sum(users), services.sum(abc));
        services.raise("users");
        assert_ne!(services.sum(users), before.0);
        assert_eq!(services.sum(abc), before.1);
        services.raise_everything();
        assert_ne!(services.sum(abc), before.1);
        services.raise_epoch("users");
        assert_eq!((services.epoch(users), services.epoch(abc)), (1, 0));
    }

    #[test]
    fn service_that_nobody_asked_for_is_not_admitted_by_what_is_told_of_it() {
        let services = Services::default();
        services.raise("nobody");
        services.raise_epoch("nobody");
        assert!(services.known("nobody").is_none());
        assert_eq!(services.all().count(), 0);
    }

    #[test]
    fn highest_version_seen_never_falls() {
        let seen = SeenMarker::default();
        assert_eq!(seen.highest(), None);
        for (version, highest) in [(5, 5), (3, 5), (8, 8)] {
            seen.note(MarkerVersion::from_raw(version));
            assert_eq!(seen.highest(), Some(MarkerVersion::from_raw(highest)));
        }
    }
}
