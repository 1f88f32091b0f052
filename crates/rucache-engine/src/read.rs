//! Reading: from the local tier, or by way of a load.

use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{self, Either, join_all};
use rucache_core::observer::RequestResult;
use rucache_core::{CacheEvent, Deadlines, Key, LocalEntry, Mono};

use crate::cache::{Accept, Cacheable, Engine};
use crate::flight::{Completed, Joined, Leader, Waiter};
use crate::load::LoadFuture;
use crate::outcome::{Hit, Outcome, ServedFrom, StaleReason};
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
        let entry = self.local.get(key)?;
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

    pub(crate) async fn read_or_load<T: Cacheable>(
        self: &Arc<Self>,
        key: &Key,
        policy: Policy,
        load: impl FnOnce() -> LoadFuture,
    ) -> Result<Hit<T>, LoadError> {
        let mut leaders = Vec::new();
        let read = self.begin(key, &mut leaders);
        if !leaders.is_empty() {
            self.spawn_load(leaders, policy, load());
        }
        self.finish(key, read).await
    }

    pub(crate) async fn read_or_load_many<T: Cacheable>(
        self: &Arc<Self>,
        keys: &[Key],
        policy: Policy,
        at_once: NonZeroUsize,
        mut load: impl FnMut(Vec<Key>) -> LoadFuture,
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
                let missing = leaders.iter().map(|leader| leader.key.clone()).collect();
                self.spawn_load(leaders, policy, load(missing));
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
                    leader.complete(entry, |_| true);
                    return Read::Answered(hit);
                }
                let waiter = leader.waiter();
                leaders.push(leader);
                Read::Waiting { waiter, collapsed: false, stale }
            }
        }
    }

    fn look_up<T: Cacheable>(&self, key: &Key) -> Found<T> {
        let Some(entry) = self.local.get(key) else {
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

    /// Waits for a load as long as a caller may, and falls back on `stale`.
    async fn wait<T: Cacheable>(
        &self,
        waiter: Waiter,
        stale: Option<LocalEntry>,
    ) -> Result<Hit<T>, LoadError> {
        let Timing { soft_timeout, hard_timeout, .. } = self.timing;
        let patience = if stale.is_some() { soft_timeout.min(hard_timeout) } else { hard_timeout };
        let completion = pin!(waiter.completion());
        let completion = match future::select(completion, self.runtime.sleep(patience)).await {
            Either::Left((completion, _)) => completion,
            Either::Right(_) => Err(LoadError::TimedOut { after: patience }),
        };
        let now = self.runtime.now();
        let error = match completion {
            Ok(Completed { entry, stored }) => match Hit::of(&entry, ServedFrom::Load, now) {
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
            LoadError::Absent => return Err(error),
            _ => StaleReason::LoadError,
        };
        stale
            .filter(|entry| now < entry.deadlines.hard)
            .and_then(|entry| Hit::of(&entry, ServedFrom::Stale(reason), now))
            .ok_or(error)
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
