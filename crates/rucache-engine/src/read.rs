//! Reading: from the local tier, or by way of a load.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{self, Either, join_all};
use rucache_core::observer::RequestResult;
use rucache_core::{CacheEvent, Deadlines, Key, LocalEntry, Mono};

use crate::cache::{Accept, Cacheable};
use crate::engine::{Engine, Tier};
use crate::flight::{Completed, Completion, Joined, Leader, News, Waiter};
use crate::load::{Job, typed};
use crate::outcome::{Hit, Outcome, ServedFrom, StaleReason};
use crate::shared::{Content, Known};
use crate::{LoadError, Timing};

/// What the local tier knows of a key, for a reader who may load.
enum Found<T> {
    Fresh {
        entry: LocalEntry,
        hit: Hit<T>,
        /// Whether it is past its early point.
        is_early: bool,
    },
    Stale(LocalEntry),
    Nothing,
}

impl<T> Found<T> {
    fn stale(self) -> Option<LocalEntry> {
        match self {
            Self::Stale(entry) => Some(entry),
            _ => None,
        }
    }
}

/// A read that has begun.
enum Read<T> {
    Answered(Hit<T>),
    Waiting { waiter: Waiter, collapsed: bool, stale: Option<LocalEntry> },
}

impl Engine {
    /// The value of `key` in the local tier, if it is good enough and a `T`.
    #[inline]
    pub(crate) fn find<T: Cacheable>(&self, key: &Key, accept: Accept) -> Option<Hit<T>> {
        let entry = self.local()?.get(key)?;
        let now = self.runtime.coarse_now();
        let from = if now < entry.deadlines.soft {
            ServedFrom::Local
        } else if accept == Accept::Stale && now < entry.deadlines.hard {
            ServedFrom::Stale(StaleReason::Allowed)
        } else {
            return None;
        };
        Hit::of(&entry, from, now)
    }

    /// The value of `key` in the cache, without loading; an outage is a miss.
    pub(crate) async fn read<T: Cacheable>(&self, key: &Key, accept: Accept) -> Option<Hit<T>> {
        let Tier::Shared(shared) = &self.tier else { return self.find(key, accept) };
        let Known::Read { content, .. } = shared.read(std::slice::from_ref(key)).await.pop()?
        else {
            return None;
        };
        let (entry, from) = match content {
            Content::Fresh(entry) => (entry, ServedFrom::Shared),
            Content::Stale(entry) if accept == Accept::Stale => {
                (entry, ServedFrom::Stale(StaleReason::Allowed))
            }
            _ => return None,
        };
        Hit::of(&entry, from, self.runtime.now())
    }

    pub(crate) async fn read_or_load<T: Cacheable>(
        self: &Arc<Self>,
        key: &Key,
        job: impl FnOnce() -> Job,
    ) -> Result<Hit<T>, LoadError> {
        let mut leaders = Vec::new();
        let read = self.begin(key, &mut leaders);
        if !leaders.is_empty() {
            self.spawn_load(leaders, job());
        }
        self.finish(key, read, None).await
    }

    pub(crate) async fn read_or_load_many<T: Cacheable>(
        self: &Arc<Self>,
        keys: &[Key],
        job: impl FnOnce() -> Job,
    ) -> Vec<Result<Hit<T>, LoadError>> {
        let mut leaders = Vec::new();
        let reads: Vec<_> = keys.iter().map(|key| self.begin(key, &mut leaders)).collect();
        if !leaders.is_empty() {
            self.spawn_load(leaders, job());
        }
        // One for all: the call as a whole has to end.
        let until = Some(self.runtime.now().after(self.timing.hard_timeout));
        join_all(keys.iter().zip(reads).map(|(key, read)| self.finish(key, read, until))).await
    }

    /// Answers from the local tier, or joins a flight; a flight that this reader has to lead, in
    /// the foreground or as an early refresh, is left in `leaders`.
    fn begin<T: Cacheable>(&self, key: &Key, leaders: &mut Vec<Leader>) -> Read<T> {
        let found = self.look_up(key);
        if let Found::Fresh { hit, is_early: false, .. } = found {
            return Read::Answered(hit);
        }
        let leader = match (self.flights.join(key), found) {
            (Joined::Wait(_), Found::Fresh { hit, .. }) => return Read::Answered(hit),
            (Joined::Wait(waiter), found) => {
                let collapsed = !waiter.has_ended();
                if collapsed {
                    self.observe(|| CacheEvent::Coalesced { service: key.service() });
                }
                return Read::Waiting { waiter, collapsed, stale: found.stale() };
            }
            (Joined::Lead(leader), _) => leader,
        };
        // Another load may have ended between the look and the joining.
        match self.look_up(key) {
            Found::Fresh { entry, hit, is_early: false } => {
                leader.complete_from(ServedFrom::Local, entry);
                Read::Answered(hit)
            }
            Found::Fresh { hit, .. } => {
                leaders.push(leader);
                Read::Answered(hit)
            }
            found => {
                let waiter = leader.waiter();
                leaders.push(leader);
                Read::Waiting { waiter, collapsed: false, stale: found.stale() }
            }
        }
    }

    fn look_up<T: Cacheable>(&self, key: &Key) -> Found<T> {
        let Some(entry) = self.local().and_then(|local| local.get(key)) else {
            return Found::Nothing;
        };
        let now = self.runtime.coarse_now();
        let Deadlines { early, soft, hard, .. } = entry.deadlines;
        if now >= hard {
            return Found::Nothing;
        }
        if now >= soft {
            return typed::<T>(entry).map_or(Found::Nothing, Found::Stale);
        }
        match Hit::of(&entry, ServedFrom::Local, now) {
            Some(hit) => Found::Fresh { entry, hit, is_early: now >= early },
            None => Found::Nothing,
        }
    }

    async fn finish<T: Cacheable>(
        &self,
        key: &Key,
        read: Read<T>,
        until: Option<Mono>,
    ) -> Result<Hit<T>, LoadError> {
        let answer = match read {
            Read::Answered(hit) => Ok(hit),
            Read::Waiting { waiter, collapsed, stale } => {
                self.wait(waiter, stale, until).await.map(|mut hit| {
                    hit.outcome.collapsed = collapsed;
                    hit
                })
            }
        };
        self.observe(|| CacheEvent::Request {
            service: key.service(),
            result: match &answer {
                Ok(hit) => hit.outcome.from.request_result(),
                Err(_) => RequestResult::Error,
            },
        });
        answer
    }

    /// Waits for a load as long as a caller may, and falls back on `stale`, or on what the load
    /// finds.
    async fn wait<T: Cacheable>(
        &self,
        waiter: Waiter,
        stale: Option<LocalEntry>,
        until: Option<Mono>,
    ) -> Result<Hit<T>, LoadError> {
        let (completion, stale) = self.patience(waiter, stale, until).await;
        let now = self.runtime.now();
        let error = match completion {
            Ok(Completed { entry, from, stored }) => match Hit::of(&entry, from, now) {
                Some(mut hit) => {
                    hit.outcome.stored = stored;
                    return Ok(hit);
                }
                None => LoadError::other_type(),
            },
            Err(error) => error,
        };
        let reason = match error {
            LoadError::TimedOut { .. } => StaleReason::SoftTimeout,
            LoadError::LoadedElsewhere => StaleReason::Refreshing,
            LoadError::Absent => return Err(error),
            _ => StaleReason::LoadError,
        };
        stale
            .filter(|entry| now < entry.deadlines.hard)
            .and_then(|entry| Hit::of(&entry, ServedFrom::Stale(reason), now))
            .ok_or(error)
    }

    /// The end of a load, or that it takes too long; and the stale value that there is. `until` is
    /// the end of the call's patience, where the call has begun before.
    async fn patience(
        &self,
        mut waiter: Waiter,
        stale: Option<LocalEntry>,
        until: Option<Mono>,
    ) -> (Completion, Option<LocalEntry>) {
        let Timing { soft_timeout, hard_timeout, .. } = self.timing;
        let until = until.unwrap_or_else(|| self.runtime.now().after(hard_timeout));
        let left = || until.since(self.runtime.now());
        let late = |after| Err(LoadError::TimedOut { after });
        if stale.is_some() {
            return match self.within(soft_timeout.min(left()), waiter.end()).await {
                None => (late(soft_timeout), stale),
                Some((completion, _)) => (completion, stale),
            };
        }
        match self.within(left(), waiter.news()).await {
            None => return (late(hard_timeout), None),
            Some(News::Ended(completion, stale)) => return (completion, stale),
            Some(News::Fallback) => {}
        }
        if let Some(ended) = self.within(soft_timeout.min(left()), waiter.end()).await {
            return ended;
        }
        // What was there may have been removed since.
        if let Some(stale) = waiter.fallback() {
            return (late(soft_timeout), Some(stale));
        }
        let ended = self.within(left(), waiter.end()).await;
        ended.unwrap_or_else(|| (late(hard_timeout), None))
    }

    async fn within<T>(&self, span: Duration, future: impl Future<Output = T>) -> Option<T> {
        match future::select(pin!(future), self.runtime.sleep(span)).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(_) => None,
        }
    }
}

impl<T: Cacheable> Hit<T> {
    /// The value of `entry` as a `T`, by way of its JSON form if it is of another type.
    #[inline]
    fn of(entry: &LocalEntry, from: ServedFrom, now: Mono) -> Option<Self> {
        let value = match entry.value() {
            Some(value) => value,
            None => typed::<T>(entry.clone())?.value()?,
        };
        Some(Self { value, outcome: Outcome::new(from, entry, now) })
    }
}
