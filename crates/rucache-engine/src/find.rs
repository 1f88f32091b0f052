//! Reading without loading: from the local tier, then from the shared one.

use std::sync::Arc;

use rucache_core::observer::{CacheOperation, StaleReason};
use rucache_core::{Count, Key, LocalEntry, Mono};
use tracing::Instrument;

use crate::CacheError;
use crate::cache::{Accept, Cacheable};
use crate::engine::Engine;
use crate::load::typed;
use crate::look::{Content, Known, Look};
use crate::negative::{Verdict, is_negative};
use crate::outcome::{Hit, Outcome, ServedFrom};
use crate::span;

/// What a cache has under a name.
#[derive(Debug, Clone)]
pub enum Found<T> {
    /// A value.
    Value(Hit<T>),
    /// A verdict that there is none; one that has lapsed only where stale values are accepted.
    Negative(Verdict),
    /// Nothing that is good enough.
    Nothing,
}

impl<T> Found<T> {
    /// The value, if there is one.
    #[must_use]
    pub fn value(self) -> Option<Hit<T>> {
        match self {
            Self::Value(hit) => Some(hit),
            Self::Negative(_) | Self::Nothing => None,
        }
    }

    pub(crate) const fn count(&self) -> Count {
        match self {
            Self::Value(hit) => hit.outcome.from.count(),
            Self::Negative(_) => Count::NegativeHit,
            Self::Nothing => Count::Miss,
        }
    }
}

impl Engine {
    /// The value of `key` in the local tier, if it is fresh, not to be refreshed, and a `T`, with the
    /// place of its service. Nothing else is looked at: this is the way of most reads.
    #[inline]
    pub(crate) fn hit<T: Cacheable>(&self, key: &Key) -> Option<(Hit<T>, u32)> {
        let entry = self.local.as_ref()?.get(key)?;
        let now = self.runtime.coarse_now();
        if now >= entry.deadlines.soft.min(entry.deadlines.early) || !self.is_current(&entry, now) {
            return None;
        }
        let outcome = Outcome::new(ServedFrom::Local, &entry, now);
        let service = entry.guards.service;
        Some((Hit { value: entry.value()?, outcome }, service))
    }

    /// What the local tier has of `key`, if it is good enough and a `T`: a reader's first look.
    #[inline]
    pub(crate) fn find<T: Cacheable>(&self, key: &Key, accept: Accept) -> Found<T> {
        self.find_in(self.local.as_ref().and_then(|local| local.get(key)), accept)
    }

    /// The same for a call that has looked before.
    pub(crate) fn find_again<T: Cacheable>(&self, key: &Key, accept: Accept) -> Found<T> {
        self.find_in(self.local.as_ref().and_then(|local| local.peek(key)), accept)
    }

    #[inline]
    fn find_in<T: Cacheable>(&self, entry: Option<Arc<LocalEntry>>, accept: Accept) -> Found<T> {
        let Some(entry) = entry else { return Found::Nothing };
        let now = self.runtime.coarse_now();
        if !self.is_current(&entry, now) {
            return Found::Nothing;
        }
        let from = if now < entry.deadlines.soft {
            ServedFrom::Local
        } else if accept == Accept::Stale && now < entry.deadlines.hard {
            ServedFrom::Stale(StaleReason::Allowed)
        } else {
            return Found::Nothing;
        };
        Found::of(&entry, from, now)
    }

    /// What the cache has of `key`, without loading, for a call that was no [`hit`](Self::hit); an
    /// outage of the shared tier is a miss, unless reads are strict.
    pub(crate) async fn read<T: Cacheable>(
        &self,
        key: &Key,
        accept: Accept,
    ) -> Result<Found<T>, CacheError> {
        let key = std::slice::from_ref(key);
        let mut found = self.read_many(key, accept, Self::find_again).await;
        found.pop().unwrap_or(Ok(Found::Nothing))
    }

    /// What the cache has of `keys`, in their order: the shared tier is asked once for all that the
    /// local tier does not have. `find` is the look at that one.
    pub(crate) async fn read_many<T: Cacheable>(
        &self,
        keys: &[Key],
        accept: Accept,
        find: fn(&Self, &Key, Accept) -> Found<T>,
    ) -> Vec<Result<Found<T>, CacheError>> {
        let Some(shared) = &self.shared else {
            return keys.iter().map(|key| Ok(find(self, key, accept))).collect();
        };
        let mut found: Vec<_> = keys.iter().map(|key| Ok(find(self, key, Accept::Fresh))).collect();
        let is_missing = |found: &Result<Found<T>, _>| matches!(found, Ok(Found::Nothing));
        let missing: Vec<usize> = (0..keys.len()).filter(|at| is_missing(&found[*at])).collect();
        if missing.is_empty() {
            return found;
        }
        let asked: Vec<Key> = missing.iter().map(|at| keys[*at].clone()).collect();
        asked.iter().for_each(|key| self.count_local_miss(key));
        let operation = if keys.len() == 1 { CacheOperation::Get } else { CacheOperation::GetMany };
        let span = span::look_up(operation, asked[0].service(), asked.len());
        let looks = self.look(shared, &asked).instrument(span.clone()).await;
        for (at, look) in missing.iter().zip(looks) {
            found[*at] = self.taken(&keys[*at], look, accept);
        }
        if let [at] = missing[..] {
            span::found(&span, &found[at]);
        }
        found
    }

    /// What stands under `keys` where entries live, fresh or not.
    pub(crate) async fn inspect_many<T: Cacheable>(
        &self,
        keys: &[Key],
    ) -> Vec<Result<Found<T>, CacheError>> {
        let now = self.runtime.now();
        let found = |entry: &LocalEntry, fresh| {
            let is_fresh = now < entry.deadlines.soft;
            let from = if is_fresh { fresh } else { ServedFrom::Stale(StaleReason::Allowed) };
            Found::of(entry, from, now)
        };
        let Some(shared) = &self.shared else {
            let kept = |key| self.kept(key, now).map(|entry| found(&entry, ServedFrom::Local));
            return keys.iter().map(|key| Ok(kept(key).unwrap_or(Found::Nothing))).collect();
        };
        let judged = |look: Look| match look.known {
            Known::Read { content, .. } => Ok(match content {
                Content::Fresh(entry) | Content::Stale(entry) | Content::Lapsed(entry) => {
                    found(&entry, ServedFrom::Shared)
                }
                Content::Nothing => Found::Nothing,
            }),
            Known::Unreachable(Some(error)) => Err(error.into()),
            // What this process has dropped, and what it cannot read, is not there.
            Known::Unreachable(None) | Known::Newer => Ok(Found::Nothing),
        };
        self.look(shared, keys).await.into_iter().map(judged).collect()
    }

    /// What a look at the shared tier is good for.
    pub(crate) fn taken<T: Cacheable>(
        &self,
        key: &Key,
        look: Look,
        accept: Accept,
    ) -> Result<Found<T>, CacheError> {
        let now = self.runtime.now();
        let is_down = matches!(look.known, Known::Unreachable(Some(_)));
        let content = match look.known {
            Known::Read { content, .. } => content,
            Known::Unreachable(Some(error)) if self.is_strict => return Err(error.into()),
            Known::Unreachable(_) | Known::Newer => Content::Nothing,
        };
        Ok(match content {
            Content::Fresh(entry) => {
                let usable = if is_negative(&entry) { Some(entry) } else { typed::<T>(entry) };
                let Some(entry) = usable else { return Ok(Found::Nothing) };
                self.copy(key, &entry, &look.ticket);
                Found::of(&entry, ServedFrom::Shared, now)
            }
            Content::Stale(entry) | Content::Lapsed(entry) if accept == Accept::Stale => {
                Found::of(&entry, ServedFrom::Stale(StaleReason::Allowed), now)
            }
            // What this process kept of it may be older, and nothing better is known.
            Content::Nothing if accept == Accept::Stale => match self.find_again(key, accept) {
                Found::Value(mut hit)
                    if is_down && matches!(hit.outcome.from, ServedFrom::Stale(_)) =>
                {
                    hit.outcome.from = ServedFrom::Stale(StaleReason::BackendDown);
                    Found::Value(hit)
                }
                found => found,
            },
            _ => Found::Nothing,
        })
    }
}

impl<T: Cacheable> Found<T> {
    #[inline]
    fn of(entry: &LocalEntry, from: ServedFrom, now: Mono) -> Self {
        if let Some(value) = entry.value() {
            return Self::Value(Hit { value, outcome: Outcome::new(from, entry, now) });
        }
        match Verdict::of(entry, from, now) {
            Some(verdict) => Self::Negative(verdict),
            None => Hit::of(entry, from, now).map_or(Self::Nothing, Self::Value),
        }
    }
}

impl<T: Cacheable> Hit<T> {
    /// The value of `entry` as a `T`, by way of its JSON form if it is of another type.
    #[inline]
    pub(crate) fn of(entry: &LocalEntry, from: ServedFrom, now: Mono) -> Option<Self> {
        let value: Arc<T> = match entry.value() {
            Some(value) => value,
            None if is_negative(entry) => return None,
            None => typed::<T>(entry.clone())?.value()?,
        };
        Some(Self { value, outcome: Outcome::new(from, entry, now) })
    }
}
