//! Reading: from the local tier, or by way of a load.

use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{self, Either, join_all};
use rucache_core::observer::RequestResult;
use rucache_core::{CacheEvent, Deadlines, Key, LocalEntry, Mono};

use crate::cache::{Accept, Cacheable, Engine, Tier};
use crate::flight::{Completed, Completion, Joined, Leader, News, Waiter};
use crate::load::Loader;
use crate::outcome::{Hit, Outcome, ServedFrom, StaleReason};
use crate::shared::Known;
use crate::{LoadError, Policy, Timing};

/// What the local tier knows of a key, for a reader who may load.
enum Found<T> {
    Fresh(LocalEntry, Hit<T>),
    /// Fresh, and past its early point.
    Early(Hit<T>),
    Stale(LocalEntry),
    Nothing,
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
        let known = shared.read(std::slice::from_ref(key)).await.pop()?;
        let (entry, from) = match known {
            Known::Fresh(entry) => (entry, ServedFrom::Shared),
            Known::NotFresh { stale: Some(entry), .. } if accept == Accept::Stale => {
                (entry, ServedFrom::Stale(StaleReason::Allowed))
            }
            _ => return None,
        };
        Hit::of(&entry, from, self.runtime.now())
    }

    pub(crate) async fn read_or_load<T: Cacheable>(
        self: &Arc<Self>,
        key: &Key,
        policy: Policy,
        loader: impl FnOnce() -> Loader,
    ) -> Result<Hit<T>, LoadError> {
        let mut leaders = Vec::new();
        let read = self.begin(key, &mut leaders);
        if !leaders.is_empty() {
            self.spawn_load(leaders, policy, loader());
        }
        self.finish(key, read).await
    }

    pub(crate) async fn read_or_load_many<T: Cacheable>(
        self: &Arc<Self>,
        keys: &[Key],
        policy: Policy,
        at_once: NonZeroUsize,
        loader: impl Fn() -> Loader,
    ) -> Vec<Result<Hit<T>, LoadError>> {
        let mut answers = Vec::with_capacity(keys.len());
        while answers.len() < keys.len() {
            let mut leaders = Vec::new();
            let mut reads = Vec::new();
            for key in &keys[answers.len()..] {
                reads.push((key, self.begin(key, &mut leaders)));
                if leaders.len() == at_once.get() {
                    break;
                }
            }
            if !leaders.is_empty() {
                self.spawn_load(leaders, policy, loader());
            }
            let reads = reads.into_iter().map(|(key, read)| self.finish(key, read));
            answers.extend(join_all(reads).await);
        }
        answers
    }

    /// Answers from the local tier, or joins a flight; a flight that this reader has to lead, in
    /// the foreground or as an early refresh, is left in `leaders`.
    fn begin<T: Cacheable>(&self, key: &Key, leaders: &mut Vec<Leader>) -> Read<T> {
        let stale = match self.look_up(key) {
            Found::Fresh(_, hit) => return Read::Answered(hit),
            Found::Early(hit) => {
                if let Joined::Lead(leader) = self.flights.join(key) {
                    leaders.push(leader);
                }
                return Read::Answered(hit);
            }
            Found::Stale(entry) => Some(entry),
            Found::Nothing => None,
        };
        match self.flights.join(key) {
            Joined::Wait(waiter) => {
                self.observe(|| CacheEvent::Coalesced { service: key.service() });
                Read::Waiting { waiter, collapsed: true, stale }
            }
            Joined::Lead(leader) => {
                // Another load may have landed between the look and the joining.
                if let Found::Fresh(entry, hit) = self.look_up(key) {
                    leader.complete_from(ServedFrom::Local, entry);
                    return Read::Answered(hit);
                }
                let waiter = leader.waiter();
                leaders.push(leader);
                Read::Waiting { waiter, collapsed: false, stale }
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
            return Found::Stale(entry);
        }
        let Some(hit) = Hit::of(&entry, ServedFrom::Local, now) else {
            return Found::Nothing;
        };
        if now >= early { Found::Early(hit) } else { Found::Fresh(entry, hit) }
    }

    async fn finish<T: Cacheable>(&self, key: &Key, read: Read<T>) -> Result<Hit<T>, LoadError> {
        let answer = match read {
            Read::Answered(hit) => Ok(hit),
            Read::Waiting { waiter, collapsed, stale } => {
                self.wait(waiter, stale).await.map(|mut hit| {
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
    ) -> Result<Hit<T>, LoadError> {
        let (completion, stale) = self.patience(waiter, stale).await;
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

    /// The end of a load, or that it takes too long; and the stale value that there is.
    async fn patience(
        &self,
        mut waiter: Waiter,
        stale: Option<LocalEntry>,
    ) -> (Completion, Option<LocalEntry>) {
        let Timing { soft_timeout, hard_timeout, .. } = self.timing;
        let late = |after| Err(LoadError::TimedOut { after });
        let stale = match stale {
            Some(stale) => stale,
            None => match self.within(hard_timeout, waiter.news()).await {
                None => return (late(hard_timeout), None),
                Some(News::Ended(completion, stale)) => return (completion, stale),
                Some(News::Fallback(stale)) => stale,
            },
        };
        let soft_timeout = soft_timeout.min(hard_timeout);
        match self.within(soft_timeout, waiter.end()).await {
            None => (late(soft_timeout), Some(stale)),
            Some((completion, newer)) => (completion, newer.or(Some(stale))),
        }
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
        let value = entry.value().or_else(|| {
            let json = entry.to_json().ok()?;
            serde_json::from_slice(&json).ok().map(Arc::new)
        })?;
        Some(Self { value, outcome: Outcome::new(from, entry, now) })
    }
}
