//! The registry of invalid numbers: verdicts in the numbers' own slots, and an index of them.
//!
//! The verdict under a number is the truth of it; the index only says which numbers to look at. A
//! mark is announced in the index, stored, listed again, and looked at once more; whoever takes a
//! number out of the index looks once more whether it has been marked meanwhile. So every verdict
//! that stands is listed, wherever a process stops and whatever others do in between, and what is
//! listed without a verdict is passed over and dropped.

mod index;
mod list;
mod name;
mod record;

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::Ordering;

use rucache_core::{Key, Timestamp, Ttl};
use rucache_engine::{Accept, CacheError, Found, Loaded, Only, Policy, Removed, Verdict, Written};
use rucache_ruc::{Freshness, Reason, Ruc};
use thiserror::Error;

use crate::{CachedRecord, RucCache};

use name::Member;

pub use index::InvalidCounts;
pub use list::InvalidPage;
pub use record::{Include, InvalidRecord, Marked};

/// Why the registry could not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is nothing to mark or to look for.
    #[error("the number is empty; give 1 byte at least besides white space")]
    Empty,
    /// The cursor is none that a page has given.
    #[error("the cursor is none of this listing; begin without one")]
    Cursor,
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl From<rucache_core::Error> for RegistryError {
    fn from(error: rucache_core::Error) -> Self {
        Self::Cache(error.into())
    }
}

impl RucCache {
    /// Marks `text`, a RUC or not, as invalid because of `reason`, for `ttl` or else 24 hours, 5
    /// minutes where the source failed; the record of it is kept for 7 days. A record of the
    /// taxpayer that is cached is gone. Every mark counts as an attempt.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Empty`], or what the cache could not do.
    pub async fn mark_invalid(
        &self,
        text: &str,
        reason: Reason,
        ttl: Option<Ttl>,
    ) -> Result<Marked, RegistryError> {
        let member = Member::of(text)?;
        let key = member.key(self.service_name())?;
        let ttl = ttl.unwrap_or_else(|| self.shared().options.mark_ttl(reason.kind()));
        let _turn = self.shared().turn(hash_of(&key, Timestamp::default())).await;
        let expires = self.cache().runtime().wall().after(ttl);
        let listing = [(&member, reason.kind(), expires)];
        let announced = self.list(&listing).await;
        if let Err(error @ CacheError::NoAside) = announced {
            return Err(error.into());
        }
        let life = mark_policy(ttl);
        let mark = Loaded::<CachedRecord>::negative(reason.as_str()).with_policy(life);
        let written = self.cache().put(&key, mark, life).await?;
        if written == Written::Deferred {
            let record = self.kept_record(&member, &key, reason, expires);
            return Ok(Marked { record, written });
        }
        let listed = self.list(&listing).await;
        if announced.is_err() {
            listed?;
        }
        let record = match self.verdict(&key).await {
            Ok(Some(verdict)) if is_active(&verdict) => {
                InvalidRecord::of(&member, &verdict, self.cache().runtime().wall())
            }
            // Somebody has stored a record or dropped the mark since.
            Ok(_) => {
                let _ = self.unlist(vec![member.as_str().to_owned()]).await;
                self.kept_record(&member, &key, reason, expires)
            }
            // It is marked and listed all the same.
            Err(_) => self.kept_record(&member, &key, reason, expires),
        };
        Ok(Marked { record, written })
    }

    /// Whether `text` is marked as invalid, or was found not to exist; one read of the cache. What
    /// the cache cannot tell is not invalid.
    pub async fn is_invalid(&self, text: &str) -> bool {
        let Ok(key) = Member::of(text).and_then(|member| member.key(self.service_name())) else {
            return false;
        };
        let found = self.cache().look::<CachedRecord>(&key, Accept::Fresh).await;
        matches!(found, Ok(Found::Negative(_)))
    }

    /// What is known of the verdict on `text`.
    ///
    /// # Errors
    ///
    /// Those of [`mark_invalid`](Self::mark_invalid).
    pub async fn invalid_info(
        &self,
        text: &str,
        include: Include,
    ) -> Result<Option<InvalidRecord>, RegistryError> {
        let member = Member::of(text)?;
        let key = member.key(self.service_name())?;
        let verdict = self.verdict(&key).await?;
        let verdict = verdict.filter(|verdict| include == Include::Lapsed || is_active(verdict));
        let now = self.cache().runtime().wall();
        Ok(verdict.map(|verdict| InvalidRecord::of(&member, &verdict, now)))
    }

    /// Drops the verdict on `text`, lapsed or not; a record of the taxpayer stays.
    ///
    /// # Errors
    ///
    /// Those of [`mark_invalid`](Self::mark_invalid).
    pub async fn unmark_invalid(&self, text: &str) -> Result<Removed, RegistryError> {
        let member = Member::of(text)?;
        let key = member.key(self.service_name())?;
        let removed = self.cache().delete_only(&key, Only::Verdict).await?;
        // Should that fail, a listing passes over it.
        let _ = self.unlist(vec![member.as_str().to_owned()]).await;
        Ok(removed)
    }

    /// The verdict under `key` where entries live.
    async fn verdict(&self, key: &Key) -> Result<Option<Verdict>, CacheError> {
        let found =
            self.cache().inspect_many::<CachedRecord>(std::slice::from_ref(key)).await.pop();
        Ok(match found.transpose()? {
            Some(Found::Negative(verdict)) => Some(verdict),
            _ => None,
        })
    }

    /// The record of a mark as far as this process knows it.
    fn kept_record(
        &self,
        member: &Member,
        key: &Key,
        reason: Reason,
        expires: Timestamp,
    ) -> InvalidRecord {
        let now = self.cache().runtime().wall();
        match self.cache().find::<CachedRecord>(key, Accept::Fresh) {
            Ok(Found::Negative(verdict)) => InvalidRecord::of(member, &verdict, now),
            _ => InvalidRecord::first(member, reason, now, expires),
        }
    }

    /// Lists numbers that a source has just said do not exist, before that is stored.
    pub(crate) async fn announce_learned(&self, rucs: &[Ruc]) {
        if rucs.is_empty() {
            return;
        }
        // As long as the first verdict lasts at most; what a later one adds is listed with it.
        let life = Freshness::learned(1).fresh * 11 / 10;
        let expires = self.cache().runtime().wall().after(Ttl::try_from(life).unwrap_or(Ttl::MIN));
        let members: Vec<Member> = rucs.iter().map(|ruc| Member::from(*ruc)).collect();
        let kind = Reason::NO_EXISTE_SUNAT.kind();
        let entries: Vec<_> = members.iter().map(|member| (member, kind, expires)).collect();
        // Unlisted, it is a verdict all the same.
        let _ = self.list(&entries).await;
    }

    /// Lists the verdicts that a load has brought for as long as they stand, apart from the caller
    /// and once for all who waited for the load.
    pub(crate) fn list_learned(&self, mut learned: Vec<(Ruc, Verdict)>) {
        learned.retain(|(ruc, verdict)| {
            self.shared().is_news(hash_of(&self.key(*ruc), verdict.negative.last_seen))
        });
        if learned.is_empty() {
            return;
        }
        let (rucs, now) = (self.clone(), self.cache().runtime().wall());
        self.cache().runtime().spawn(Box::pin(async move {
            let kind = Reason::NO_EXISTE_SUNAT.kind();
            let verdict = |(ruc, verdict): (Ruc, Verdict)| {
                (
                    Member::from(ruc),
                    now.after(Ttl::try_from(verdict.outcome.ttl).unwrap_or(Ttl::MIN)),
                )
            };
            let verdicts: Vec<_> = learned.into_iter().map(verdict).collect();
            let entries: Vec<_> =
                verdicts.iter().map(|(member, expires)| (member, kind, *expires)).collect();
            // Announced before, they are passed over or listed by the next verdict at worst.
            let _ = rucs.list(&entries).await;
        }));
    }

    pub(crate) fn note_registry(&self) {
        self.state().has_registry.store(true, Ordering::Relaxed);
    }
}

/// Whether a verdict has not lapsed.
fn is_active(verdict: &Verdict) -> bool {
    !verdict.outcome.ttl.is_zero()
}

/// The life of a mark: a verdict for `ttl`, whose record is kept for 7 days in all.
fn mark_policy(ttl: Ttl) -> Policy {
    let rest = Ttl::EXTRA_LONG.as_duration().saturating_sub(ttl.as_duration());
    match Ttl::try_from(rest) {
        Ok(rest) => Policy::exact(ttl).with_stale(rest),
        Err(_) => Policy::exact(ttl),
    }
}

/// A number that tells keys and moments apart, within this process.
fn hash_of(key: &Key, moment: Timestamp) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one((key, moment))
}
