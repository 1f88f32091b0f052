//! Loads: run apart from their callers, under a deadline, told to everybody who waits.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::io;
use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{self, Either};
use rucache_core::observer::{LoadResult, StoreResult};
use rucache_core::{BoxFuture, CacheEvent, Deadlines, Key, Local, LocalEntry, Timestamp, Value};

use crate::cache::Cacheable;
use crate::engine::{Engine, Tier};
use crate::flight::{FailedFlight, Leader};
use crate::{LoadError, Policy};

/// What a loader brings: a value, and how long it is good where the value itself decides; or the
/// certainty that there is none.
#[derive(Debug)]
pub struct Loaded<T> {
    value: Option<Arc<T>>,
    policy: Option<Policy>,
}

impl<T> Loaded<T> {
    /// A value under the policy of the call.
    #[must_use]
    pub fn new(value: impl Into<Arc<T>>) -> Self {
        Self { value: Some(value.into()), policy: None }
    }

    /// The source is sure that there is no value: what the cache held is dropped, and callers get
    /// [`LoadError::Absent`] instead of a stale value.
    #[must_use]
    pub const fn absent() -> Self {
        Self { value: None, policy: None }
    }

    /// The same value under a policy of its own.
    #[must_use]
    pub fn with_policy(mut self, policy: impl Into<Policy>) -> Self {
        self.policy = Some(policy.into());
        self
    }
}

impl<T> From<T> for Loaded<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// A loaded value with its type forgotten, measured.
pub(crate) struct LoadedValue {
    pub(crate) value: Arc<dyn Value>,
    pub(crate) len: Result<usize, serde_json::Error>,
    pub(crate) policy: Option<Policy>,
}

impl LoadedValue {
    pub(crate) fn new<T: Cacheable>(value: Arc<T>, policy: Option<Policy>) -> Self {
        let len = json_len(&*value);
        Self { value, len, policy }
    }

    /// The entry that holds this value, and the value's length as JSON.
    pub(crate) fn into_entry(
        self,
        loaded_at: Timestamp,
        deadlines: Deadlines,
    ) -> (LocalEntry, Result<usize, serde_json::Error>) {
        let weight = u32::try_from(*self.len.as_ref().unwrap_or(&0)).unwrap_or(u32::MAX);
        (LocalEntry::new(self.value, loaded_at, deadlines, weight), self.len)
    }

    fn of<T: Cacheable, E>(loaded: Result<Loaded<T>, E>) -> Result<Self, LoadError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        match loaded {
            Ok(Loaded { value: Some(value), policy }) => Ok(Self::new(value, policy)),
            Ok(Loaded { value: None, .. }) => Err(LoadError::Absent),
            Err(error) => Err(LoadError::failed(error)),
        }
    }
}

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
    Box::pin(async move { loader().await.into_iter().map(LoadedValue::of).collect() })
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
}

impl Job {
    /// A job whose values are of type `T`.
    pub(crate) fn of<T: Cacheable>(
        policy: Policy,
        at_once: NonZeroUsize,
        loader: impl Fn(Vec<Key>) -> LoadFuture + Send + Sync + 'static,
    ) -> Self {
        Self { policy, at_once, loader: Arc::new(loader), typed: typed::<T> }
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

/// What a load brought for one key.
pub(crate) struct Brought {
    pub(crate) entry: LocalEntry,
    /// Whether it may be stored, and why not.
    pub(crate) storable: StoreResult,
    len: usize,
}

impl Engine {
    /// Completes every leader, apart from the caller.
    pub(crate) fn spawn_load(self: &Arc<Self>, leaders: Vec<Leader>, job: Job) {
        let engine = self.clone();
        self.runtime.spawn(Box::pin(async move {
            match &engine.tier {
                Tier::Local(local) => engine.load_local(local, leaders, job).await,
                Tier::Shared(shared) => engine.load_shared(shared, leaders, job).await,
            }
        }));
    }

    async fn load_local(&self, local: &Arc<dyn Local>, mut leaders: Vec<Leader>, job: Job) {
        while !leaders.is_empty() {
            let later = leaders.split_off(leaders.len().min(job.at_once.get()));
            let keys: Vec<Key> = leaders.iter().map(|leader| leader.key.clone()).collect();
            let answers = self.ask(&keys, &job, future::pending()).await;
            let loaded = answers.iter().filter(|answer| answer.is_ok()).count();
            let mut failed = Vec::new();
            for ((leader, key), answer) in leaders.into_iter().zip(&keys).zip(answers) {
                match answer {
                    Ok(brought) => self.keep_local(local, leader, &brought),
                    Err(LoadError::Absent) => {
                        failed.push(leader.fail_absent(|| local.remove(key)));
                    }
                    Err(error) => failed.push(leader.fail(error)),
                }
            }
            self.tidy(local, loaded as u64);
            self.back_off(failed);
            leaders = later;
        }
    }

    fn keep_local(&self, local: &Arc<dyn Local>, leader: Leader, brought: &Brought) {
        let key = leader.key.clone();
        let storable = brought.storable == StoreResult::Stored;
        let stored = leader.complete(brought.entry.clone(), |entry| {
            // What is too large is served; the older value must not outlive it.
            if storable {
                local.insert(key.clone(), entry);
            } else {
                local.remove(&key);
            }
            storable
        });
        let result = if storable && !stored { StoreResult::Superseded } else { brought.storable };
        self.note_store(&key, result, brought);
    }

    /// Lets failed flights answer for their keys during the back-off.
    pub(crate) fn back_off(&self, failed: Vec<FailedFlight>) {
        if !failed.is_empty() {
            let sleep = self.runtime.sleep(self.timing.back_off);
            self.runtime.spawn(Box::pin(async move {
                sleep.await;
                drop(failed);
            }));
        }
    }

    /// Calls the loader for `keys` under the deadline, with `meanwhile` going on; one answer for
    /// each key.
    pub(crate) async fn ask(
        &self,
        keys: &[Key],
        job: &Job,
        meanwhile: impl Future<Output = Infallible>,
    ) -> Vec<Result<Brought, LoadError>> {
        // Before the load begins: what it reads may be older than its end.
        let (begun, wall) = (self.runtime.now(), self.runtime.wall());
        for key in keys {
            self.observe(|| CacheEvent::LoadStarted { service: key.service() });
        }
        let load = self.under_deadline((job.loader)(keys.to_vec()));
        let loaded = match future::select(pin!(load), pin!(meanwhile)).await {
            Either::Left((loaded, _)) => loaded,
            Either::Right((never, _)) => match never {},
        };
        let mut answers: Vec<_> = match loaded {
            Ok(answers) => answers.into_iter().map(Some).collect(),
            Err(error) => keys.iter().map(|_| Some(Err(error.clone()))).collect(),
        };
        answers.resize_with(keys.len(), || None);
        let took = self.runtime.now().since(begun);
        let judged = |(key, answer): (&Key, Option<_>)| {
            let answer = answer.unwrap_or_else(|| Err(LoadError::too_few_answers()));
            let result = load_result(&answer);
            self.observe(|| CacheEvent::LoadEnded { service: key.service(), result, took });
            answer.map(|value: LoadedValue| {
                let policy = value.policy.unwrap_or(job.policy);
                let deadlines = policy.deadlines(begun, self.runtime.random());
                let (entry, len) = value.into_entry(wall, deadlines);
                let storable = self.check_len(key, len.as_ref().ok().copied());
                Brought { entry, storable, len: len.unwrap_or(0) }
            })
        };
        keys.iter().zip(answers).map(judged).collect()
    }

    async fn under_deadline(
        &self,
        load_future: LoadFuture,
    ) -> Result<Vec<Result<LoadedValue, LoadError>>, LoadError> {
        let after = self.timing.load_deadline;
        let caught = AssertUnwindSafe(load_future).catch_unwind();
        match future::select(caught, self.runtime.sleep(after)).await {
            Either::Left((Ok(answers), _)) => Ok(answers),
            Either::Left((Err(_), _)) => Err(LoadError::Panicked),
            Either::Right(_) => Err(LoadError::DeadlinePassed { after }),
        }
    }

    /// Tells what became of a loaded value.
    pub(crate) fn note_store(&self, key: &Key, result: StoreResult, brought: &Brought) {
        let value_len = brought.len;
        self.observe(|| CacheEvent::Store { service: key.service(), result, value_len });
    }
}

fn load_result(answer: &Result<LoadedValue, LoadError>) -> LoadResult {
    match answer {
        Ok(_) => LoadResult::Success,
        Err(LoadError::Absent) => LoadResult::Negative,
        Err(LoadError::Panicked) => LoadResult::Panic,
        Err(LoadError::DeadlinePassed { .. }) => LoadResult::Timeout,
        Err(LoadError::Cancelled) => LoadResult::Cancelled,
        Err(_) => LoadResult::Error,
    }
}

/// Length of `value` as JSON, in bytes.
pub(crate) fn json_len<T: serde::Serialize + ?Sized>(value: &T) -> serde_json::Result<usize> {
    struct Counter(usize);

    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, value)?;
    Ok(counter.0)
}
