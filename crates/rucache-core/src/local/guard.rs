//! Guards: numbers in this process whose change makes copies outdated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Key, Mono};

/// A number that only grows: whoever noted it finds out whether it was raised since.
#[derive(Debug, Default)]
pub struct Guard(AtomicU64);

impl Guard {
    /// How often it was raised.
    #[inline]
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Makes everything outdated that was noted before.
    pub fn raise(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// The guard of a tag, shared by the copies that carry the tag.
#[derive(Debug)]
pub struct TagGuard {
    /// Service and tag.
    pub tag: Key,
    /// Raised when the tag is invalidated.
    pub guard: Guard,
}

/// The guards of an entry's tags, each with the count that the entry was made under.
pub type TagCounts = Vec<(Arc<TagGuard>, u64)>;

/// What an entry of the local tier stands under, as its cache noted it.
///
/// Opaque to the store that holds the entry.
#[derive(Debug, Clone, Default)]
pub struct Guards {
    /// The place of the entry's service in its cache's table.
    pub service: u32,
    /// The guards of everything and of the service, added up.
    pub sum: u64,
    /// When the copy was made.
    pub copied: Mono,
    /// The guards of its tags, with their counts; none without tags.
    pub tags: Option<Arc<TagCounts>>,
}
