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
#[derive(Debug, Default)]
#[repr(C)] // In the order in which a hit looks at them.
pub struct Guards {
    /// The guards of everything and of the service, added up.
    pub sum: u64,
    tags: Box<[(Arc<TagGuard>, u64)]>,
    /// The epoch at which the tags were found to stand.
    stood: AtomicU64,
    /// The place of the entry's service in its cache's table.
    pub service: u32,
    /// When the copy was made.
    pub copied: Mono,
}

impl Guards {
    /// Without tags.
    #[must_use]
    pub fn new(service: u32, sum: u64, copied: Mono) -> Self {
        Self { service, sum, copied, ..Self::default() }
    }

    /// The same with `tags`, whose counts were taken after the service's epoch of tags was read as
    /// `epoch`.
    #[must_use]
    pub fn with_tags(self, tags: TagCounts, epoch: u64) -> Self {
        Self { tags: tags.into(), stood: AtomicU64::new(epoch), ..self }
    }

    /// The guards of its tags, with the counts they had.
    #[must_use]
    pub fn tags(&self) -> &[(Arc<TagGuard>, u64)] {
        &self.tags
    }

    /// Whether none of its tags was raised since, where the service's epoch of tags has been read as
    /// `epoch` just now.
    ///
    /// Who raises a tag raises the epoch after it. So where that is as it was before the counts were
    /// taken, or when they were compared last, no tag needs to be looked at.
    #[inline]
    #[must_use]
    pub fn tags_stand(&self, epoch: u64) -> bool {
        self.tags.is_empty() || self.stood.load(Ordering::Relaxed) == epoch || self.compare(epoch)
    }

    #[cold]
    fn compare(&self, epoch: u64) -> bool {
        let stand = self.tags.iter().all(|(tag, count)| tag.guard.count() == *count);
        if stand {
            self.stood.store(epoch, Ordering::Relaxed);
        }
        stand
    }
}

impl Clone for Guards {
    fn clone(&self) -> Self {
        let Self { service, sum, copied, tags, stood } = self;
        let stood = AtomicU64::new(stood.load(Ordering::Relaxed));
        Self { service: *service, sum: *sum, copied: *copied, tags: tags.clone(), stood }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(name: &str) -> Arc<TagGuard> {
        let tag = Key::parse(&format!("default:{name}")).unwrap();
        Arc::new(TagGuard { tag, guard: Guard::default() })
    }

    #[test]
    fn tags_stand_until_one_of_them_is_raised_and_the_epoch_after_it() {
        let (red, round, epoch) = (tag("red"), tag("round"), Guard::default());
        let noted = |tag: &Arc<TagGuard>| (tag.clone(), tag.guard.count());
        let guards = Guards::new(0, 0, Mono::default());
        let tags = guards.with_tags(vec![noted(&red), noted(&round)], epoch.count());
        assert!(tags.tags_stand(epoch.count()));
        // Another tag of the service: these are compared once, and stand again.
        epoch.raise();
        assert!(tags.tags_stand(epoch.count()));
        assert!(tags.tags_stand(epoch.count()));
        let copy = tags.clone();
        round.guard.raise();
        epoch.raise();
        assert!(!tags.tags_stand(epoch.count()));
        assert!(!tags.tags_stand(epoch.count()), "for good");
        assert!(!copy.tags_stand(epoch.count()));
    }
}
