//! Handles by a name that is known only when it is first seen, bounded in number.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// The name under which everything beyond the bound is counted.
pub(crate) const OTHER: &str = "other";

/// Handles for each of at most `limit` names, and for all others together.
///
/// Labels stay bounded whatever names come: that is what keeps a monitoring system alive.
pub(crate) struct Family<T> {
    limit: usize,
    members: RwLock<BTreeMap<String, Arc<T>>>,
}

impl<T> Family<T> {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, members: RwLock::new(BTreeMap::new()) }
    }

    /// The handles of `name`, or those of all others; made by `make` from the name they go by.
    pub(crate) fn member(&self, name: &str, make: impl FnOnce(&str) -> T) -> Arc<T> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        let known = members.get(name).or_else(|| {
            let is_full = members.len() >= self.limit;
            is_full.then(|| members.get(OTHER)).flatten()
        });
        if let Some(known) = known {
            return known.clone();
        }
        drop(members);
        let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
        let name = if members.len() < self.limit { name } else { OTHER };
        // Another thread may have been faster.
        if let Some(known) = members.get(name) {
            return known.clone();
        }
        let made = Arc::new(make(name));
        members.insert(name.to_owned(), made.clone());
        made
    }
}

impl<T> fmt::Debug for Family<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Family").field("limit", &self.limit).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_bound_share_the_handles_of_others() {
        let family = Family::new(2);
        let name = |name: &str| family.member(name, str::to_owned).as_str().to_owned();
        assert_eq!([name("a"), name("b"), name("c"), name("d")], ["a", "b", OTHER, OTHER]);
        assert_eq!([name("a"), name("b"), name("c")], ["a", "b", OTHER]);
    }

    #[test]
    fn handles_are_made_once() {
        let family = Family::new(1);
        let first = family.member("a", |_| ());
        assert!(Arc::ptr_eq(&first, &family.member("a", |_| ())));
        let other = family.member("b", |_| ());
        assert!(Arc::ptr_eq(&other, &family.member("c", |_| ())));
        assert!(!Arc::ptr_eq(&other, &first));
    }
}
