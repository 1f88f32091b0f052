//! Tags: their guards in this process, and what is known of their markers at the shared tier.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rucache_core::{Guard, Key, MarkerVersion, TagCounts, TagGuard};

use crate::services::SeenMarker;

/// Tags known from which on those that nobody carries any more are dropped now and then.
const COMPACT_FROM: usize = 1_024;

/// A tag as its cache knows it.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) guard: Arc<TagGuard>,
    pub(crate) seen: SeenMarker,
    copy: Mutex<Option<MarkerCopy>>,
}

/// A marker's version as read, good for as long as neither the tag nor its service has changed.
#[derive(Debug, Clone, Copy)]
struct MarkerCopy {
    version: MarkerVersion,
    count: u64,
    sum: u64,
}

impl Tag {
    /// The marker's version, where the copy was made under `count` and `sum`.
    pub(crate) fn copy(&self, count: u64, sum: u64) -> Option<MarkerVersion> {
        let copy = (*self.copy.lock().unwrap_or_else(PoisonError::into_inner))?;
        (copy.count == count && copy.sum == sum).then_some(copy.version)
    }

    /// Keeps `version`, which was read after `count` and `sum` were.
    pub(crate) fn keep(&self, version: MarkerVersion, count: u64, sum: u64) {
        let copy = MarkerCopy { version, count, sum };
        *self.copy.lock().unwrap_or_else(PoisonError::into_inner) = Some(copy);
    }
}

/// The tags that a cache has met.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    table: RwLock<Table>,
}

#[derive(Debug, Default)]
struct Table {
    tags: HashMap<Key, Arc<Tag>>,
    /// How many there may be before the next look at which are still carried.
    compact_at: usize,
}

impl Tags {
    /// The tag with this key, made when it is new.
    pub(crate) fn of(&self, key: &Key) -> Arc<Tag> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(tag) = table.tags.get(key) {
            return tag.clone();
        }
        drop(table);
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.make_room();
        let guard = || Arc::new(TagGuard { tag: key.clone(), guard: Guard::default() });
        let new = || {
            Arc::new(Tag { guard: guard(), seen: SeenMarker::default(), copy: Mutex::default() })
        };
        table.tags.entry(key.clone()).or_insert_with(new).clone()
    }

    /// The guards of these tags as they stand now.
    pub(crate) fn counts(tags: &[Arc<Tag>]) -> TagCounts {
        tags.iter().map(|tag| (tag.guard.clone(), tag.guard.guard.count())).collect()
    }

    /// Makes all copies that carry the tag outdated. A tag that nobody has met is carried by none.
    pub(crate) fn raise(&self, key: &Key) {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(tag) = table.tags.get(key) {
            tag.guard.guard.raise();
        }
    }

    /// All tags, as they are now, in the order of their keys.
    pub(crate) fn all(&self) -> Vec<Arc<Tag>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let mut tags: Vec<_> = table.tags.values().cloned().collect();
        drop(table);
        tags.sort_unstable_by(|left, right| left.guard.tag.as_str().cmp(right.guard.tag.as_str()));
        tags
    }

    /// Drops the tags that nobody carries.
    pub(crate) fn compact(&self) {
        self.table.write().unwrap_or_else(PoisonError::into_inner).compact();
    }
}

impl Table {
    fn make_room(&mut self) {
        if self.tags.len() >= self.compact_at.max(COMPACT_FROM) {
            self.compact();
        }
    }

    fn compact(&mut self) {
        // Whoever is about to carry a tag holds it already.
        self.tags.retain(|_, tag| Arc::strong_count(tag) > 1 || Arc::strong_count(&tag.guard) > 1);
        self.compact_at = self.tags.len() * 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::parse(&format!("default:{name}")).unwrap()
    }

    #[test]
    fn tag_that_somebody_carries_is_kept_and_the_others_are_dropped() {
        let tags = Tags::default();
        let held = tags.of(&key("held"));
        let carried = Tags::counts(&[tags.of(&key("carried"))]);
        drop(tags.of(&key("idle")));
        tags.compact();
        let mut names: Vec<_> =
            tags.all().iter().map(|tag| tag.guard.tag.name().to_owned()).collect();
        names.sort_unstable();
        assert_eq!(names, ["carried", "held"]);
        // Whoever carries it is reached by its next change.
        tags.raise(&key("carried"));
        assert_ne!(carried[0].0.guard.count(), carried[0].1);
        assert!(Arc::ptr_eq(&held, &tags.of(&key("held"))));
    }

    #[test]
    fn tags_that_nobody_carries_do_not_pile_up() {
        let tags = Tags::default();
        (0..100_000).for_each(|n| drop(tags.of(&key(&n.to_string()))));
        assert!(tags.all().len() <= COMPACT_FROM);
    }

    #[test]
    fn copy_of_a_marker_is_good_until_the_tag_or_its_service_changes() {
        let tag = Tags::default().of(&key("red"));
        let version = MarkerVersion::from_raw(7);
        assert_eq!(tag.copy(0, 0), None);
        tag.keep(version, 3, 5);
        assert_eq!(tag.copy(3, 5), Some(version));
        assert_eq!((tag.copy(4, 5), tag.copy(3, 6)), (None, None));
    }
}
