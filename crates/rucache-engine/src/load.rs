//! Loads: run apart from their callers, under a deadline, told to everybody who waits.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{self, Either};
use rucache_core::observer::{LoadResult, RefreshResult, StoreResult, Tier};
use rucache_core::{BoxFuture, CacheEvent, Count, Key, Local, LocalEntry};
use tracing::{Instrument, Span};

use crate::batch;
use crate::cache::Cacheable;
use crate::engine::Engine;
use crate::flight::{FailedFlight, Leader};
use crate::loaded::{LoadedValue, forget_type};
use crate::make::Made;
use crate::notes::refreshed;
use crate::recursion::Chain;
use crate::{LoadError, Loaded, Policy};

/// The answers of a loader, one for each key it was asked for.
pub(crate) type LoadFuture = BoxFuture<Vec<Result<LoadedValue, LoadError>>>;

/// Turns a loader of typed values into one the engine can run.
///
/// The loader is called inside the future, so that its own panic is a panic of the load.
pub(crate) fn load_future<T, E, F>(loader: impl FnOnce() -> F + Send + 'static) -> LoadFuture
where
    T: Cacheable,
    E: Into<Box<dyn Error + Send + Sync>>,
    F: Future<Output = Vec<Result<Loaded<T>, E>>> + Send,
{
    Box::pin(async move { loader().await.into_iter().map(forget_type).collect() })
}

/// Calls the loader for some keys.
pub(crate) type Loader = Arc<dyn Fn(Vec<Key>) -> LoadFuture + Send + Sync>;

/// How the keys of a call are loaded, and what their values are.
#[derive(Clone)]
pub(crate) struct Job {
    pub(crate) policy: Policy,
    /// Most keys that the loader is asked for at once.
    pub(crate) at_once: NonZeroUsize,
    pub(crate) loader: Loader,
    /// An entry as the type that the caller wants, if it converts.
    pub(crate) typed: fn(LocalEntry) -> Option<LocalEntry>,
    /// The load that asks for it.
    asked_by: Option<Arc<Chain>>,
}

impl Job {
    /// A job whose values are of type `T`.
    pub(crate) fn of<T: Cacheable>(
        policy: Policy,
        at_once: NonZeroUsize,
        loader: impl Fn(Vec<Key>) -> LoadFuture + Send + Sync + 'static,
    ) -> Self {
        let asked_by = Chain::current();
        Self { policy, at_once, loader: Arc::new(loader), typed: typed::<T>, asked_by }
    }
}

/// `entry` as one of type `T`, by way of its JSON form if it is of another type.
pub(crate) fn typed<T: Cacheable>(entry: LocalEntry) -> Option<LocalEntry> {
    if entry.is::<T>() {
        return Some(entry);
    }
    let value: T = serde_json::from_slice(&entry.to_json().ok()?).ok()?;
    Some(entry.with_value(Arc::new(value)))
}

impl Engine {
    /// Completes every leader, apart from the caller.
    pub(crate) fn spawn_load(self: &Arc<Self>, leaders: Vec<Leader>, job: Job) {
        let engine = self.clone();
        let load = async move {
            match (&engine.shared, &engine.local) {
                (Some(shared), _) => engine.load_shared(shared, leaders, job).await,
                (None, Some(local)) => engine.load_local(local, leaders, job).await,
                (None, None) => {}
            }
        };
        self.runtime.spawn(Box::pin(load.instrument(Span::current())));
    }

    async fn load_local(&self, local: &Arc<dyn Local>, mut leaders: Vec<Leader>, job: Job) {
        while !leaders.is_empty() {
            let later = leaders.split_off(leaders.len().min(job.at_once.get()));
            let now = self.runtime.now();
            let keys: Vec<Key> = leaders.iter().map(|leader| leader.key.clone()).collect();
            let behind = later.iter().map(|leader| leader.key.clone()).collect();
            let priors: Vec<_> = keys.iter().map(|key| self.kept(key, now)).collect();
            let answers = self.ask(&keys, behind, &priors, &job, future::pending()).await;
            let loaded = answers.iter().filter(|answer| answer.is_ok()).count();
            let mut failed = Vec::new();
            for ((leader, key), answer) in leaders.into_iter().zip(&keys).zip(answers) {
                match answer {
                    Ok(made) => self.keep_local(local, leader, made),
                    Err(LoadError::Absent) => {
                        let absent = leader.fail_absent(|| local.remove(key));
                        failed.push((absent, self.timing.back_off));
                    }
                    Err(LoadError::Overloaded) => drop(leader.fail(LoadError::Overloaded)),
                    Err(error) => {
                        self.note_refresh(&leader, RefreshResult::Failed);
                        let (_, span) =
                            self.flights.set_back(key, self.runtime.now(), &self.timing);
                        failed.push((leader.fail(error), span));
                    }
                }
            }
            self.tidy(loaded as u64);
            self.back_off(failed);
            leaders = later;
        }
    }

    fn keep_local(&self, local: &Arc<dyn Local>, leader: Leader, made: Made) {
        let (key, ticket) = (leader.key.clone(), leader.ticket);
        self.note_refresh(&leader, refreshed(&made));
        let storable = made.storable == StoreResult::Stored;
        let guards = Self::guards(&ticket, self.runtime.now(), made.tag_counts());
        let stored = leader.complete(made.entry.clone(), |entry, current| {
            if !current {
                return false;
            }
            // A tag was invalidated meanwhile: what was loaded may be older.
            let outdated = !made.tags.is_empty()
                && self.services.epoch(ticket.service) != ticket.epoch
                && !cfg!(mutant = "tag-epoch");
            let cleared = self.services.sum(ticket.service) != ticket.sum;
            let keeps = storable && !outdated && !cleared;
            // What is too large is served; the older value must not outlive it.
            if keeps {
                local.insert(key.clone(), entry.with_guards(guards));
            } else {
                local.remove(&key);
            }
            keeps
        });
        let result = if storable && !stored { StoreResult::Superseded } else { made.storable };
        if stored {
            self.note_verdict(&key, &made);
        }
        self.note_store(&key, Tier::Local, result, made.len);
    }

    /// Lets failed flights answer for their keys during their back-offs.
    pub(crate) fn back_off(&self, failed: Vec<(FailedFlight, Duration)>) {
        let mut by_span: BTreeMap<Duration, Vec<FailedFlight>> = BTreeMap::new();
        for (flight, span) in failed {
            by_span.entry(span).or_default().push(flight);
        }
        for (span, failed) in by_span {
            let sleep = self.runtime.sleep(span);
            self.runtime.spawn(Box::pin(async move {
                sleep.await;
                drop(failed);
            }));
        }
    }

    /// Calls the loader for `keys` under the deadline, with `meanwhile` going on; one answer for
    /// each key, made of what was there before where that counts. The keys `behind` are loaded once
    /// this has ended.
    pub(crate) async fn ask(
        &self,
        keys: &[Key],
        behind: Vec<Key>,
        priors: &[Option<LocalEntry>],
        job: &Job,
        meanwhile: impl Future<Output = Infallible>,
    ) -> Vec<Result<Made, LoadError>> {
        let Some(_running) = self.bulkhead.enter() else {
            let refused = |key: &Key| {
                self.count(key, Count::Load(LoadResult::Overloaded));
                Err(LoadError::Overloaded)
            };
            return keys.iter().map(refused).collect();
        };
        // Before the load begins: what it reads may be older than its end.
        let (begun, wall) = (self.runtime.now(), self.runtime.wall());
        for key in keys {
            self.count(key, Count::LoadStarted);
        }
        let load = batch::load(job.loader.clone(), keys.to_vec());
        let waiting = keys.iter().cloned().chain(behind).collect();
        let load = Chain::link(self.id(), waiting, job.asked_by.clone(), load);
        let load = self.under_deadline(load);
        let loaded = match future::select(pin!(load), pin!(meanwhile)).await {
            Either::Left((loaded, _)) => loaded,
            Either::Right((never, _)) => match never {},
        };
        let answers = match loaded {
            Ok(answers) => answers,
            Err(error) => keys.iter().map(|_| Err(error.clone())).collect(),
        };
        let took = self.runtime.now().since(begun);
        let judged = |((key, prior), answer): ((&Key, &Option<LocalEntry>), Result<_, _>)| {
            let made = answer.and_then(|value: LoadedValue| {
                self.make(key, value, job.policy, prior.as_ref(), (begun, wall))
            });
            let result = load_result(&made);
            self.count(key, Count::Load(result));
            self.observe(|| CacheEvent::LoadEnded { service: key.service(), result, took });
            made
        };
        keys.iter().zip(priors).zip(answers).map(judged).collect()
    }

    async fn under_deadline(
        &self,
        load: LoadFuture,
    ) -> Result<Vec<Result<LoadedValue, LoadError>>, LoadError> {
        let after = self.timing.load_deadline;
        let caught = AssertUnwindSafe(load).catch_unwind();
        let deadline = match cfg!(mutant = "load-deadline") {
            true => Box::pin(future::pending()),
            false => self.runtime.sleep(after),
        };
        match future::select(caught, deadline).await {
            Either::Left((Ok(answers), _)) => Ok(answers),
            Either::Left((Err(_), _)) => Err(LoadError::Panicked),
            Either::Right(_) => Err(LoadError::DeadlinePassed { after }),
        }
    }

    /// What tells this cache from others, for as long as it lives.
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.flights).addr()
    }
}

fn load_result(answer: &Result<Made, LoadError>) -> LoadResult {
    match answer {
        Ok(made) if made.is_negative => LoadResult::Negative,
        Ok(made) if made.is_unmodified => LoadResult::NotModified,
        Ok(_) => LoadResult::Success,
        Err(LoadError::Absent) => LoadResult::Negative,
        Err(LoadError::Panicked) => LoadResult::Panic,
        Err(LoadError::DeadlinePassed { .. }) => LoadResult::Timeout,
        Err(LoadError::Cancelled) => LoadResult::Cancelled,
        Err(_) => LoadResult::Error,
    }
}
