//! The most asked numbers of a service, remembered beyond the process.

use std::collections::HashMap;

use bytes::Bytes;
use rucache_core::{Key, MapEntry, Ttl};
use rucache_engine::CacheError;
use rucache_ruc::Ruc;

use crate::RucCache;

/// Numbers that a process writes down.
const WRITTEN: usize = 256;

/// For how long a number is remembered after it was among them.
const REMEMBERED: Ttl = Ttl::EXTRA_LONG;

/// Members of a page.
const PAGE: usize = 1_000;

impl RucCache {
    /// The `n` numbers that are asked for most, the most asked first, each with about how often: by
    /// a sample of this process's look-ups, and by what processes wrote down in the last 7 days.
    /// What to [`warm`](Self::warm) a new process with.
    ///
    /// # Errors
    ///
    /// [`CacheError`] when what was written down cannot be read.
    pub async fn most_asked(&self, n: usize) -> Result<Vec<(Ruc, u64)>, CacheError> {
        let mut counts: HashMap<Ruc, u64> =
            self.state().sketch.top(usize::MAX).into_iter().collect();
        let (backend, map) = (self.cache().aside()?, self.hot_map()?);
        let now = self.cache().runtime().wall();
        let mut cursor: Option<String> = None;
        loop {
            let page = backend.map_page(&map, cursor.as_deref(), PAGE, now).await?;
            for MapEntry { member, note, .. } in page.entries {
                let count =
                    std::str::from_utf8(&note).ok().and_then(|note| note.parse::<u64>().ok());
                if let (Ok(ruc), Some(count)) = (member.parse(), count) {
                    let known = counts.entry(ruc).or_insert(0);
                    // What this process wrote down is what it knows already.
                    *known = count.max(*known);
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let mut most: Vec<(Ruc, u64)> = counts.into_iter().collect();
        most.sort_unstable_by(|(a, much), (b, more)| more.cmp(much).then(a.cmp(b)));
        most.truncate(n);
        Ok(most)
    }

    /// Writes down what this process is asked for most.
    pub(crate) async fn write_most_asked(&self) -> Result<(), CacheError> {
        let most = self.state().sketch.top(WRITTEN);
        if most.is_empty() {
            return Ok(());
        }
        let now = self.cache().runtime().wall();
        let entry = |(ruc, count): (Ruc, u64)| MapEntry {
            member: ruc.to_string(),
            note: Bytes::from(count.to_string()),
            expires: now.after(REMEMBERED),
        };
        let entries: Vec<MapEntry> = most.into_iter().map(entry).collect();
        self.cache().aside()?.map_put(&self.hot_map()?, &entries, now).await?;
        Ok(())
    }

    fn hot_map(&self) -> Result<Key, CacheError> {
        Ok(Key::new(self.service_name(), "most_asked_rucs")?)
    }
}
