//! Entries as a backend holds them, and the conditions of their writes.

use bytes::Bytes;

use super::{LeaseToken, MarkerVersion};
use crate::{Key, Ttl};

/// Whether a read brings the markers that decide if its entries are still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Companions {
    /// Entries only.
    #[default]
    None,
    /// The root and service markers of each entry, from the node that holds the entry.
    Markers,
}

/// The state of an entry at a backend. Opaque; compared for equality only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version(u64);

impl Version {
    /// The version that an adapter's store calls `raw`.
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

/// An entry as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its bytes, as they were written.
    pub value: Bytes,
    /// Its state, for conditional writes and leases.
    pub version: Version,
    /// Whether a caller expired it: a fallback only.
    pub stale: bool,
}

/// The answer to the read of one key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fetched {
    /// The entry, if there is one.
    pub entry: Option<Stored>,
    /// The root marker, if it was asked for and exists.
    pub root: Option<MarkerVersion>,
    /// The marker of the key's service, if it was asked for and exists.
    pub service: Option<MarkerVersion>,
}

/// When a write may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// In any case.
    Always,
    /// If there is no entry; one kept as stale counts as an entry.
    Absent,
    /// If the entry is as it was read.
    Version(Version),
    /// If the lease is still the writer's. A successful write ends it.
    Lease(LeaseToken),
}

/// One write of a batch.
#[derive(Debug, Clone)]
pub struct Write {
    /// Which entry.
    pub key: Key,
    /// Its new bytes.
    pub value: Bytes,
    /// How long the store keeps it.
    pub ttl: Ttl,
    /// When the write may happen.
    pub when: Precondition,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The entry is as written.
    Stored,
    /// The precondition did not hold; nothing changed.
    Refused,
}
