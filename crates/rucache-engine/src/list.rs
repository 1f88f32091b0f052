//! Listing what is cached: at a backend that can, or in this process.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use rucache_core::{Error, ErrorKind, Key, KeyPage, Local, LocalEntry, Operation};
use tokio::sync::oneshot;

use crate::engine::Engine;
use crate::shared::Answer;
use crate::{Cache, CacheError};

/// Where entries of this process live, as errors call it.
const MEMORY: &str = "memory";

/// Shows each of many names to whoever is given.
type Names<'a> = dyn Fn(&mut dyn FnMut(&Key)) + 'a;

impl Cache {
    /// The names of this handle's service, from the beginning or from a page's cursor: about `limit`
    /// a page, those of entries that are good for nothing any more left out.
    ///
    /// Where entries live in this process each page looks at all of them, apart from the caller: a
    /// third of a second for a million.
    ///
    /// # Errors
    ///
    /// [`CacheError::Backend`], of kind [`Unsupported`](rucache_core::ErrorKind::Unsupported) where
    /// names cannot be listed, [`Invalid`](rucache_core::ErrorKind::Invalid) where the cursor is of
    /// no page.
    pub async fn names(&self, cursor: Option<&str>, limit: usize) -> Result<KeyPage, CacheError> {
        let Some(shared) = &self.engine().shared else {
            let from = cursor.map_or(Some(0), |cursor| u64::from_str_radix(cursor, 16).ok());
            let from =
                from.ok_or_else(|| Error::new(ErrorKind::Invalid, MEMORY, Operation::Scan))?;
            let page = self.scanned(move |entries| page(entries, from, limit.max(1))).await;
            return Ok(page.unwrap_or_default());
        };
        let page = self.aside()?.scan(self.service_name(), cursor, limit).await?;
        let answers = shared.read(&page.keys).await;
        let good = |(key, answer): (Key, Answer)| match answer {
            Answer::Read { found, .. } => found.map(|_| key),
            // What cannot be told is listed.
            Answer::Newer | Answer::Failed(_) => Some(key),
        };
        let keys = page.keys.into_iter().zip(answers).filter_map(good).collect();
        Ok(KeyPage { keys, next: page.next })
    }

    /// How many entries this handle's service has, where they live in this process; nothing where
    /// they live at a backend. Looks at all entries, apart from the caller.
    pub async fn count(&self) -> Option<u64> {
        if self.engine().shared.is_some() {
            return None;
        }
        self.scanned(|entries| {
            let mut count = 0;
            entries(&mut |_| count += 1);
            count
        })
        .await
    }

    /// What `scan` makes of the names in this handle's service, apart from the caller.
    async fn scanned<T: Send + 'static>(
        &self,
        scan: impl FnOnce(&Names<'_>) -> T + Send + 'static,
    ) -> Option<T> {
        let (engine, service) = (self.engine().clone(), self.service_name().clone());
        let local = engine.local.clone()?;
        let (told, result) = oneshot::channel();
        self.runtime().spawn_blocking(Box::new(move || {
            let entries = |look: &mut dyn FnMut(&Key)| {
                engine.each_good(&local, &mut |key| {
                    if key.service() == service.as_str() {
                        look(key);
                    }
                });
            };
            // Nobody may wait for it any more.
            drop(told.send(scan(&entries)));
        }));
        result.await.ok()
    }
}

impl Engine {
    fn each_good(&self, local: &Arc<dyn Local>, look: &mut dyn FnMut(&Key)) {
        let now = self.runtime.now();
        local.each(&mut |key: &Key, entry: &LocalEntry| {
            if now < entry.deadlines.hard && self.is_current(entry, now) {
                look(key);
            }
        });
    }
}

/// The first `limit` names from the place `from` on, in the order of their hashes: it is the same for
/// every page, whatever comes and goes in between.
fn page(entries: &Names<'_>, from: u64, limit: usize) -> KeyPage {
    let mut first: BTreeMap<u64, Vec<Key>> = BTreeMap::new();
    let mut next = None;
    entries(&mut |key| {
        let place = place(key);
        let full = first.len() == limit;
        if place < from || next.is_some_and(|next| place >= next) {
            return;
        }
        let same = first.entry(place).or_default();
        if !same.contains(key) {
            same.push(key.clone());
        }
        if full && first.len() > limit {
            next = first.pop_last().map(|(place, _)| place);
        }
    });
    let keys = first.into_values().flatten().collect();
    KeyPage { keys, next: next.map(|place| format!("{place:016x}")) }
}

fn place(key: &Key) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}
