//! The index of a service's verdicts: a map of the numbers, each with the kind of its reason.

use std::collections::{BTreeMap, HashSet};
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use rucache_core::{Backend, Key, MapEntry, Timestamp};
use rucache_engine::{CacheError, Found};
use rucache_ruc::{Reason, ReasonKind};
use serde::{Deserialize, Serialize};

use super::name::Member;
use super::{RegistryError, is_active};
use crate::{CachedRecord, RucCache};

/// Members of a page where a whole index is gone through.
pub(super) const PAGE: usize = 1_000;

/// How many verdicts stand, in all and by the group of their reasons.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InvalidCounts {
    /// All of them.
    pub total_count: u64,
    /// Those of each reason, by its canonical name.
    pub breakdown_by_reason: BTreeMap<String, u64>,
}

impl InvalidCounts {
    pub(crate) fn add(&mut self, other: Self) {
        self.total_count += other.total_count;
        for (reason, count) in other.breakdown_by_reason {
            *self.breakdown_by_reason.entry(reason).or_default() += count;
        }
    }
}

/// Where an index lives, as of a clear of its service.
pub(super) struct Index {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) map: Key,
    pub(super) generation: u64,
}

impl RucCache {
    /// The index as it stands under the service's generation: clearing the service leaves it behind.
    pub(super) async fn index(&self) -> Result<Index, CacheError> {
        let backend = self.cache().aside()?.clone();
        let generation = self.cache().generation().await?;
        let name = format_args!("{generation:016x}");
        let map = Key::of_kind(self.service_name(), "invalid_rucs", name)?;
        Ok(Index { backend, map, generation })
    }

    /// Puts verdicts into the index, each until it lapses.
    pub(super) async fn list(
        &self,
        verdicts: &[(&Member, ReasonKind, Timestamp)],
    ) -> Result<(), CacheError> {
        self.note_registry();
        let index = self.index().await?;
        let entry = |(member, kind, expires): &(&Member, ReasonKind, Timestamp)| MapEntry {
            member: member.as_str().to_owned(),
            note: Bytes::from_static(kind.as_str().as_bytes()),
            expires: *expires,
        };
        let entries: Vec<MapEntry> = verdicts.iter().map(entry).collect();
        index.backend.map_put(&index.map, &entries, self.cache().runtime().wall()).await?;
        Ok(())
    }

    /// Takes numbers out of the index that are not, or no longer, invalid; how many were in it and
    /// stay out. Those that have been marked meanwhile go in again.
    pub(crate) async fn unlist(&self, members: Vec<String>) -> Result<u64, CacheError> {
        let index = self.index().await?;
        let now = self.cache().runtime().wall();
        let removed = index.backend.map_remove(&index.map, &members, now).await?;
        if removed == 0 {
            return Ok(0);
        }
        let members: Vec<Member> = members.into_iter().map(Member::listed).collect();
        let key = |member: &Member| member.key(self.service_name()).ok();
        let keys: Vec<Key> = members.iter().filter_map(key).collect();
        let mut again = Vec::new();
        let found = self.cache().inspect_many::<CachedRecord>(&keys).await;
        for (member, found) in members.iter().zip(found) {
            match found {
                Ok(Found::Negative(verdict)) if is_active(&verdict) => {
                    let kind = Reason::new(verdict.negative.reason.clone()).kind();
                    let left = rucache_core::Ttl::try_from(verdict.outcome.ttl);
                    again.push((member, kind, now.after(left.unwrap_or(rucache_core::Ttl::MIN))));
                }
                Ok(_) => {}
                // In doubt it is listed: a listing looks at it again.
                Err(_) => {
                    again.push((member, ReasonKind::Otro, now.after(rucache_core::Ttl::LONG)))
                }
            }
        }
        if !again.is_empty() {
            self.list(&again).await?;
        }
        Ok(removed.saturating_sub(u64::try_from(again.len()).unwrap_or(u64::MAX)))
    }

    /// How many numbers are invalid, by the index: one that has been given a record by its plain
    /// name, or was dropped by a rule, counts until it is listed or the index is compacted.
    ///
    /// # Errors
    ///
    /// What the cache could not do.
    pub async fn invalid_count(&self) -> Result<u64, RegistryError> {
        let index = self.index().await?;
        Ok(index.backend.map_len(&index.map, self.cache().runtime().wall()).await?)
    }

    /// How many numbers are invalid, and for what; goes through the whole index.
    ///
    /// # Errors
    ///
    /// What the cache could not do.
    pub async fn invalid_breakdown(&self) -> Result<InvalidCounts, RegistryError> {
        let index = self.index().await?;
        let now = self.cache().runtime().wall();
        // A page may repeat what an earlier one has told; of what was told a hash is enough.
        let (mut told, hasher) = (HashSet::<u64>::new(), RandomState::new());
        let mut notes: BTreeMap<Bytes, u64> = BTreeMap::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = index.backend.map_page(&index.map, cursor.as_deref(), PAGE, now).await?;
            for MapEntry { member, note, .. } in page.entries {
                if told.insert(hasher.hash_one(&member)) {
                    *notes.entry(note).or_default() += 1;
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
            let_others_go_on().await;
        }
        let mut counts = InvalidCounts::default();
        for (note, count) in notes {
            counts.total_count += count;
            let reason = String::from_utf8_lossy(&note).into_owned();
            *counts.breakdown_by_reason.entry(reason).or_default() += count;
        }
        Ok(counts)
    }
}

/// Waits for its next turn: where pages come from this process's memory, nothing else would let
/// other tasks of the thread go on.
async fn let_others_go_on() {
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
