//! Markers: counters whose change makes whole groups of entries outdated at once.

use crate::{Key, ServiceName};

/// What a marker stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Marker {
    /// Everything.
    Root,
    /// All entries of a service.
    Service(ServiceName),
    /// The last change of any tag of a service.
    TagEpoch(ServiceName),
    /// All entries of a service that carry a tag; service and tag together are the key.
    Tag(Key),
}

/// The state of a marker. Compared for equality; grows with every bump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MarkerVersion(u64);

impl MarkerVersion {
    /// A value that no marker has had: the wall clock in milliseconds, then 20 random bits.
    ///
    /// Fits 63 bits until the year 2248.
    #[must_use]
    pub const fn seed(wall: crate::Timestamp, random: u64) -> Self {
        if cfg!(mutant = "marker-reseed") {
            return Self(1);
        }
        Self(((wall.as_millis() & ((1 << 43) - 1)) << 20) | (random >> 44))
    }

    /// The state that an adapter's store calls `raw`.
    #[must_use]
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// What the adapter's store calls it.
    #[must_use]
    pub const fn as_raw(self) -> u64 {
        self.0
    }
}

/// A marker as it stands where an entry lives: a pool of independent nodes holds one copy a node.
#[derive(Debug, Clone)]
pub struct MarkerRef {
    /// Which marker.
    pub marker: Marker,
    /// The entry whose node's copy is meant.
    pub near: Key,
}
