//! Reading by way of a load.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{self, Either, join_all};
use rucache_core::observer::{CacheOperation, LoadResult, Reach, Tier};
use rucache_core::{Count, Deadlines, Key, LocalEntry, Mono};
use tracing::{Instrument, Span};

use crate::cache::Cacheable;
use crate::engine::Engine;
use crate::flight::{Completed, Completion, Joined, Leader, Waiter};
use crate::load::{Job, typed};
use crate::negative::Verdict;
use crate::outcome::{Hit, ServedFrom, StaleReason};
use crate::recursion::Chain;
use crate::span;
use crate::{LoadError, Policy, Timing};

/// What the local tier knows of a key, for a reader who may load.
enum Here<T> {
    Fresh {
        entry: LocalEntry,
        hit: Hit<T>,
        /// Whether it is past its early point.
        is_early: bool,
    },
    /// A verdict that has not lapsed.
    Negative {
        entry: LocalEntry,
        verdict: Verdict,
    },
    Stale(LocalEntry),
    Nothing,
}

impl<T> Here<T> {
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
    Refused(LoadError),
    Waiting { waiter: Waiter, collapsed: bool, stale: Option<LocalEntry> },
}

impl<T> Read<T> {
    const fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting { .. })
    }
}

/// The span of a read that `waiting` entries keep from its answer; none where none does.
fn look_up(operation: CacheOperation, key: &Key, waiting: usize) -> Span {
    match waiting {
        0 => Span::none(),
        waiting => span::look_up(operation, key.service(), waiting),
    }
}

impl Engine {
    pub(crate) async fn read_or_load<T: Cacheable>(
        self: &Arc<Self>,
        key: &Key,
        policy: Policy,
        job: impl FnOnce() -> Job,
    ) -> Result<Hit<T>, LoadError> {
        let began = self.sampled();
        let hit = self.hit(key).filter(|(hit, _): &(Hit<T>, _)| !policy.is_early(&hit.outcome));
        if let Some((hit, service)) = hit {
            self.services.count(service, Count::Hit(Tier::Local));
            self.called(CacheOperation::GetOrLoad, Reach::Local, began);
            return Ok(hit);
        }
        let began = self.timed(began);
        let mut leaders = Vec::new();
        let read = self.begin(key, policy, Self::kept, &mut leaders);
        let span = look_up(CacheOperation::GetOrLoad, key, usize::from(read.is_waiting()));
        if !leaders.is_empty() {
            span.in_scope(|| self.spawn_load(leaders, job()));
        }
        let answer = self.finish(key, read, None).instrument(span.clone()).await;
        span::loaded(&span, &answer);
        let reach = match answer.as_ref().map(|hit| hit.outcome.from) {
            Ok(ServedFrom::Local) => Reach::Local,
            Ok(ServedFrom::Shared) => Reach::Shared,
            _ => Reach::Origin,
        };
        self.called(CacheOperation::GetOrLoad, reach, began);
        answer
    }

    pub(crate) async fn read_or_load_many<T: Cacheable>(
        self: &Arc<Self>,
        keys: &[Key],
        policy: Policy,
        job: impl FnOnce() -> Job,
    ) -> Vec<Result<Hit<T>, LoadError>> {
        let began = self.timed(None);
        let mut leaders = Vec::new();
        let reads = keys.iter().map(|key| self.begin(key, policy, Self::used, &mut leaders));
        let reads: Vec<_> = reads.collect();
        let waiting = reads.iter().filter(|read| read.is_waiting()).count();
        let span = keys.first().map(|key| look_up(CacheOperation::GetOrLoadMany, key, waiting));
        let span = span.unwrap_or_else(Span::none);
        if !leaders.is_empty() {
            span.in_scope(|| self.spawn_load(leaders, job()));
        }
        // One for all: the call as a whole has to end.
        let until = Some(self.runtime.now().after(self.timing.hard_timeout));
        let reads = keys.iter().zip(reads).map(|(key, read)| self.finish(key, read, until));
        let answers = join_all(reads).instrument(span).await;
        self.called(CacheOperation::GetOrLoadMany, Reach::Origin, began);
        answers
    }

    /// Answers from the local tier, or joins a flight; a flight that this reader has to lead, in
    /// the foreground or as an early refresh, is left in `leaders`. `look` is the first look at the
    /// local tier: a use of the key, or none where the call has looked before.
    fn begin<T: Cacheable>(
        &self,
        key: &Key,
        policy: Policy,
        look: fn(&Self, &Key, Mono) -> Option<LocalEntry>,
        leaders: &mut Vec<Leader>,
    ) -> Read<T> {
        let here = self.look_up(key, policy, look);
        let here = match here {
            Here::Fresh { hit, is_early: false, .. } => return Read::Answered(hit),
            Here::Negative { verdict, .. } => {
                return Read::Refused(LoadError::Negative(verdict));
            }
            here => here,
        };
        if !matches!(here, Here::Fresh { .. }) {
            self.count_local_miss(key);
        }
        let joined = self.flights.join(key, self.ticket(key), self.runtime.now());
        let leader = match (joined, here) {
            (Joined::Wait(_), Here::Fresh { hit, .. }) => return Read::Answered(hit),
            (Joined::Wait(waiter), found) => {
                let collapsed = !waiter.has_ended();
                if collapsed && Chain::contains(self.id(), key) {
                    self.count(key, Count::Load(LoadResult::Recursive));
                    return Read::Refused(LoadError::Recursive);
                }
                if collapsed {
                    self.count(key, Count::Coalesced);
                }
                return Read::Waiting { waiter, collapsed, stale: found.stale() };
            }
            (Joined::Lead(leader), _) => leader,
        };
        let mut leader = leader;
        // Another load may have ended between the look and the joining.
        match self.look_up(key, policy, Self::kept) {
            Here::Fresh { entry, hit, is_early: false } => {
                leader.complete_from(ServedFrom::Local, entry);
                Read::Answered(hit)
            }
            Here::Fresh { hit, .. } => {
                leader.is_refresh = true;
                leaders.push(leader);
                Read::Answered(hit)
            }
            Here::Negative { entry, verdict } => {
                leader.complete_from(ServedFrom::Local, entry);
                Read::Refused(LoadError::Negative(verdict))
            }
            found => {
                let waiter = leader.waiter();
                leaders.push(leader);
                Read::Waiting { waiter, collapsed: false, stale: found.stale() }
            }
        }
    }

    fn look_up<T: Cacheable>(
        &self,
        key: &Key,
        policy: Policy,
        look: fn(&Self, &Key, Mono) -> Option<LocalEntry>,
    ) -> Here<T> {
        let now = self.runtime.coarse_now();
        let Some(entry) = look(self, key, now) else {
            return Here::Nothing;
        };
        let Deadlines { early, soft, .. } = entry.deadlines;
        match Verdict::of(&entry, ServedFrom::Local, now) {
            Some(verdict) if now < soft => return Here::Negative { entry, verdict },
            Some(_) => return Here::Nothing,
            None => {}
        }
        if now >= soft {
            return typed::<T>(entry).map_or(Here::Nothing, Here::Stale);
        }
        match Hit::of(&entry, ServedFrom::Local, now) {
            // A copy that was made by a read without a load knows of no early point.
            Some(hit) => {
                let is_early = now >= early || policy.is_early(&hit.outcome);
                Here::Fresh { entry, hit, is_early }
            }
            None => Here::Nothing,
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
            Read::Refused(error) => Err(error),
            Read::Waiting { waiter, collapsed, stale } => {
                let mut answer = self.wait(waiter, stale, until).await;
                match &mut answer {
                    Ok(hit) => hit.outcome.collapsed = collapsed,
                    Err(LoadError::Negative(verdict)) => verdict.outcome.collapsed = collapsed,
                    Err(_) => {}
                }
                answer
            }
        };
        self.answered_as(
            key,
            match &answer {
                Ok(hit) => hit.outcome.from.count(),
                Err(LoadError::Negative(verdict)) if verdict.outcome.from != ServedFrom::Load => {
                    Count::NegativeHit
                }
                Err(LoadError::Negative(_) | LoadError::Absent) => Count::Miss,
                Err(_) => Count::Error,
            },
        );
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
                None => match Verdict::of(&entry, from, now) {
                    Some(mut verdict) => {
                        verdict.outcome.stored = stored;
                        LoadError::Negative(verdict)
                    }
                    None => LoadError::other_type(),
                },
            },
            Err(error) => error,
        };
        let reason = match error {
            LoadError::TimedOut { .. } => StaleReason::SoftTimeout,
            LoadError::LoadedElsewhere => StaleReason::Refreshing,
            LoadError::Absent | LoadError::Negative(_) => return Err(error),
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
            Some(Some(ended)) => return ended,
            Some(None) => {}
        }
        // What is being refreshed is fresh.
        let is_fresh = |entry: &LocalEntry| self.runtime.now() < entry.deadlines.soft;
        if let Some(entry) = waiter.fallback().filter(is_fresh) {
            return (Ok(Completed { entry, from: ServedFrom::Shared, stored: true }), None);
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
