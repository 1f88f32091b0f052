//! Markers: versions of everything, of services and of tags.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rucache_core::{Marker, MarkerVersion};

use crate::generations::Generations;

/// The markers of a backend, bounded in bytes.
///
/// Those of tags, of which there may be very many, stand apart from the few others, so that they
/// cannot push them out. A marker that was pushed out is seeded anew, above every value that any
/// marker of its group has had; the entries written under it become misses.
#[derive(Debug)]
pub(crate) struct Markers {
    services: RwLock<Group>,
    tags: RwLock<Group>,
}

#[derive(Debug)]
struct Group {
    versions: Generations<Marker, MarkerVersion>,
    /// The highest value that any marker of the group has had.
    highest: u64,
}

impl Markers {
    /// No markers, and room for `capacity_bytes` of them.
    pub(crate) fn new(capacity_bytes: u64) -> Self {
        let group = || RwLock::new(Group::new(capacity_bytes / 2));
        Self { services: group(), tags: group() }
    }

    /// The version of `marker`, if it exists.
    pub(crate) fn peek(&self, marker: &Marker) -> Option<MarkerVersion> {
        let young = self.read(marker).versions.get_young(marker).copied();
        young.or_else(|| self.write(marker).versions.get_mut(marker).copied())
    }

    /// The version of `marker`, which is created as `seed` where it is missing.
    pub(crate) fn read_or_seed(&self, marker: &Marker, seed: MarkerVersion) -> MarkerVersion {
        self.peek(marker).unwrap_or_else(|| {
            let mut group = self.write(marker);
            // Somebody may have created it between the two locks.
            let found = group.versions.get_mut(marker).copied();
            found.unwrap_or_else(|| group.create(marker, seed))
        })
    }

    /// Raises `marker`, which is created as `seed` where it is missing.
    pub(crate) fn bump(&self, marker: &Marker, seed: MarkerVersion) {
        let mut group = self.write(marker);
        let Group { versions, highest } = &mut *group;
        let Some(version) = versions.get_mut(marker) else {
            group.create(marker, seed);
            return;
        };
        *version = MarkerVersion::from_raw(version.as_raw().saturating_add(1));
        *highest = version.as_raw().max(*highest);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.groups().map(|group| group.versions.len()).sum()
    }

    /// Bytes charged.
    pub(crate) fn bytes(&self) -> u64 {
        self.groups().map(|group| group.versions.bytes()).sum()
    }

    /// How many were pushed out.
    pub(crate) fn dropped(&self) -> u64 {
        self.groups().map(|group| group.versions.dropped()).sum()
    }

    fn group(&self, marker: &Marker) -> &RwLock<Group> {
        match marker {
            Marker::Tag(_) => &self.tags,
            Marker::Root | Marker::Service(_) | Marker::TagEpoch(_) => &self.services,
        }
    }

    fn groups(&self) -> impl Iterator<Item = RwLockReadGuard<'_, Group>> {
        [&self.services, &self.tags]
            .into_iter()
            .map(|group| group.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn read(&self, marker: &Marker) -> RwLockReadGuard<'_, Group> {
        self.group(marker).read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, marker: &Marker) -> RwLockWriteGuard<'_, Group> {
        self.group(marker).write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    fn new(capacity_bytes: u64) -> Self {
        Self { versions: Generations::new(capacity_bytes), highest: 0 }
    }

    fn create(&mut self, marker: &Marker, seed: MarkerVersion) -> MarkerVersion {
        // Before anything was pushed out no marker can be a lost one, and the seed stands as given.
        let unused = if self.versions.dropped() == 0 { 0 } else { self.highest.saturating_add(1) };
        let version = MarkerVersion::from_raw(seed.as_raw().max(unused));
        self.highest = self.highest.max(version.as_raw());
        self.versions.insert(marker.clone(), version);
        version
    }
}

#[cfg(test)]
mod tests {
    use rucache_core::Key;

    use super::*;

    fn tag(number: u32) -> Marker {
        Marker::Tag(Key::parse(&format!("migo:tag_{number}")).unwrap())
    }

    fn version(raw: u64) -> MarkerVersion {
        MarkerVersion::from_raw(raw)
    }

    #[test]
    fn a_missing_marker_is_created_as_seed_and_stays() {
        let markers = Markers::new(1 << 20);
        assert_eq!(markers.peek(&Marker::Root), None);
        assert_eq!(markers.read_or_seed(&Marker::Root, version(500)), version(500));
        assert_eq!(markers.read_or_seed(&Marker::Root, version(900)), version(500));
        assert_eq!(markers.peek(&Marker::Root), Some(version(500)));
    }

    #[test]
    fn a_bump_grows() {
        let markers = Markers::new(1 << 20);
        markers.bump(&tag(1), version(500));
        assert_eq!(markers.peek(&tag(1)), Some(version(500)));
        markers.bump(&tag(1), version(3));
        assert_eq!(markers.peek(&tag(1)), Some(version(501)));
    }

    #[test]
    fn a_lost_marker_never_takes_a_value_it_had() {
        let markers = Markers::new(16 << 10);
        for _ in 0..1_000 {
            markers.bump(&tag(0), version(5));
        }
        let had = markers.peek(&tag(0)).unwrap();
        for number in 1..1_000 {
            markers.bump(&tag(number), version(5));
        }
        assert!(markers.dropped() > 0, "the flood pushes it out");
        assert_eq!(markers.peek(&tag(0)), None);
        let again = markers.read_or_seed(&tag(0), version(5));
        assert!(again > had, "{again:?} after {had:?}");
    }

    #[test]
    fn a_flood_of_tags_pushes_out_neither_root_nor_services() {
        let markers = Markers::new(16 << 10);
        let service = Marker::Service("migo".parse().unwrap());
        markers.bump(&Marker::Root, version(7));
        markers.bump(&service, version(8));
        (0..100_000).for_each(|number| markers.bump(&tag(number), version(1)));
        assert_eq!(markers.peek(&Marker::Root), Some(version(7)));
        assert_eq!(markers.peek(&service), Some(version(8)));
        assert!(markers.bytes() <= 16 << 10);
    }
}
