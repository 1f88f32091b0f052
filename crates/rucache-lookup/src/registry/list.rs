//! Going through the registry: by pages, as a stream, to clear it, to compact it.

use std::collections::{HashSet, VecDeque};

use futures_util::stream::{self, Stream, StreamExt};
use rucache_core::{Key, MapEntry};
use rucache_engine::{Found, Only};

use super::index::{Index, PAGE};
use super::name::Member;
use super::{InvalidRecord, RegistryError, is_active};
use crate::{CachedRecord, RucCache};

/// Longest page.
const MAX_PAGE: usize = 10_000;

/// Marks that are dropped at once.
const AT_ONCE: usize = 32;

/// Part of a listing of the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidPage {
    /// The verdicts of this page, in no order.
    pub items: Vec<InvalidRecord>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
}

/// A page of the index with what stands behind it.
struct Looked {
    items: Vec<InvalidRecord>,
    /// Members without a verdict.
    dead: Vec<String>,
    next: Option<String>,
}

impl RucCache {
    /// About `limit` numbers that are invalid (at most 10,000), from the beginning or from a page's
    /// cursor. What is invalid from the first page to the last is listed at least once; a service
    /// that is cleared meanwhile has no further page.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Cursor`], or what the cache could not do.
    pub async fn invalid_page(
        &self,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<InvalidPage, RegistryError> {
        let index = self.index().await?;
        let mut place = match cursor.map(|cursor| cursor.split_once('.')) {
            None => None,
            Some(Some((generation, place))) => {
                let generation = u64::from_str_radix(generation, 16);
                if generation.map_err(|_| RegistryError::Cursor)? != index.generation {
                    return Ok(InvalidPage::default());
                }
                Some(place.to_owned())
            }
            Some(None) => return Err(RegistryError::Cursor),
        };
        loop {
            let limit = limit.clamp(1, MAX_PAGE);
            let looked = self.looked(&index, place.as_deref(), limit).await?;
            if !looked.dead.is_empty() {
                // Passed over whether that works or not.
                let _ = self.unlist(looked.dead).await;
            }
            if looked.items.is_empty() && looked.next.is_some() {
                place = looked.next;
                continue;
            }
            let next = looked.next.map(|place| format!("{:x}.{place}", index.generation));
            return Ok(InvalidPage { items: looked.items, next });
        }
    }

    async fn looked(
        &self,
        index: &Index,
        place: Option<&str>,
        limit: usize,
    ) -> Result<Looked, RegistryError> {
        let now = self.cache().runtime().wall();
        let page = index.backend.map_page(&index.map, place, limit, now).await?;
        let next = page.next;
        let member = |entry: MapEntry| Member::listed(entry.member);
        let members: Vec<Member> = page.entries.into_iter().map(member).collect();
        let key = |member: &Member| member.key(self.service_name());
        let keys: Vec<Key> = members.iter().map(key).collect::<Result<_, _>>()?;
        let (mut items, mut dead) = (Vec::new(), Vec::new());
        let found = self.cache().inspect_many::<CachedRecord>(&keys).await;
        for (member, found) in members.into_iter().zip(found) {
            match found? {
                Found::Negative(verdict) if is_active(&verdict) => {
                    items.push(InvalidRecord::of(&member, &verdict, now));
                }
                _ => dead.push(member.as_str().to_owned()),
            }
        }
        Ok(Looked { items, dead, next })
    }

    /// Every number that is invalid, each once; ends after an error. The names that have been told
    /// are held until the end.
    pub fn all_invalid(
        &self,
    ) -> impl Stream<Item = Result<InvalidRecord, RegistryError>> + Send + use<> {
        struct Listing {
            rucs: RucCache,
            ready: VecDeque<InvalidRecord>,
            told: HashSet<String>,
            next: Option<Option<String>>,
        }

        let listing = Listing {
            rucs: self.clone(),
            ready: VecDeque::new(),
            told: HashSet::new(),
            next: Some(None),
        };
        stream::unfold(listing, |mut listing| async move {
            loop {
                while let Some(record) = listing.ready.pop_front() {
                    if listing.told.insert(record.ruc.clone()) {
                        return Some((Ok(record), listing));
                    }
                }
                let cursor = listing.next.take()?;
                match listing.rucs.invalid_page(cursor.as_deref(), PAGE).await {
                    Ok(page) => {
                        listing.ready.extend(page.items);
                        listing.next = page.next.map(Some);
                    }
                    Err(error) => return Some((Err(error), listing)),
                }
            }
        })
    }

    /// Drops every verdict that stands; how many. Records of taxpayers stay.
    ///
    /// # Errors
    ///
    /// What the cache could not do; what was dropped before that stays dropped.
    pub async fn clear_invalid(&self) -> Result<u64, RegistryError> {
        let index = self.index().await?;
        let mut removed = 0;
        let mut cursor: Option<String> = None;
        loop {
            let now = self.cache().runtime().wall();
            let page = index.backend.map_page(&index.map, cursor.as_deref(), PAGE, now).await?;
            let members: Vec<String> = page.entries.into_iter().map(|entry| entry.member).collect();
            let drop_one = |member: String| async move {
                let key = Member::listed(member).key(self.service_name())?;
                Ok::<_, RegistryError>(self.cache().delete_only(&key, Only::Verdict).await?)
            };
            let mut dropped =
                stream::iter(members.clone().into_iter().map(drop_one)).buffer_unordered(AT_ONCE);
            while let Some(one) = dropped.next().await {
                removed += u64::from(one?.existed);
            }
            drop(dropped);
            self.unlist(members).await?;
            cursor = page.next;
            if cursor.is_none() {
                return Ok(removed);
            }
        }
    }

    /// Drops from the index what has lapsed and what stands no longer; how many members.
    pub(crate) async fn compact_invalid(&self) -> Result<u64, RegistryError> {
        let index = self.index().await?;
        let mut dropped =
            index.backend.map_purge(&index.map, self.cache().runtime().wall()).await?;
        let mut place: Option<String> = None;
        loop {
            let looked = self.looked(&index, place.as_deref(), PAGE).await?;
            if !looked.dead.is_empty() {
                dropped += self.unlist(looked.dead).await?;
            }
            place = looked.next;
            if place.is_none() {
                return Ok(dropped);
            }
        }
    }
}
