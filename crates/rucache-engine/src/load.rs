//! Loads: run apart from their callers, under a deadline, told to everybody who waits.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{self, Either};
use rucache_core::observer::{LoadResult, StoreResult};
use rucache_core::{
    BoxFuture, CacheEvent, Deadlines, Key, LeaseHold, Local, LocalEntry, Mono, Timestamp, Value,
};

use crate::cache::{Cacheable, Engine, Tier};
use crate::flight::{FailedFlight, Leader};
use crate::shared::Shared;
use crate::{LoadError, Policy};

/// How often the leases of a running load are prolonged.
const RENEW_EVERY: Duration = Duration::from_millis(1_500);

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

/// Calls the loader for some keys; may be called again for others.
pub(crate) type Loader = Box<dyn FnMut(Vec<Key>) -> LoadFuture + Send>;

/// When a load began, on both clocks: what it reads may be older than its end.
#[derive(Clone, Copy)]
pub(crate) struct Begun {
    mono: Mono,
    wall: Timestamp,
}

/// What a load brought for one key.
pub(crate) struct Brought {
    pub(crate) entry: LocalEntry,
    /// Whether it may be stored, and why not.
    pub(crate) storable: StoreResult,
    len: usize,
}

impl Engine {
    /// Runs a load for the keys of `leaders` apart from the caller.
    pub(crate) fn spawn_load(
        self: &Arc<Self>,
        leaders: Vec<Leader>,
        policy: Policy,
        loader: Loader,
    ) {
        let engine = self.clone();
        self.runtime.spawn(Box::pin(async move {
            let failed = match &engine.tier {
                Tier::Local(local) => engine.load_local(local, leaders, policy, loader).await,
                Tier::Shared(shared) => engine.load_shared(shared, leaders, policy, loader).await,
            };
            // They answer for their keys for as long as they live.
            if !failed.is_empty() {
                engine.runtime.sleep(engine.timing.back_off).await;
            }
        }));
    }

    async fn load_local(
        &self,
        local: &Arc<dyn Local>,
        leaders: Vec<Leader>,
        policy: Policy,
        mut loader: Loader,
    ) -> Vec<FailedFlight> {
        let keys: Vec<Key> = leaders.iter().map(|leader| leader.key.clone()).collect();
        let answers = self.ask(&keys, policy, &mut loader, None).await;
        let mut failed = Vec::new();
        for ((leader, key), answer) in leaders.into_iter().zip(&keys).zip(answers) {
            match answer {
                Ok(brought) => {
                    let stored = leader.complete(brought.entry.clone(), |entry| {
                        // What is too large is served; the older value must not outlive it.
                        if brought.storable == StoreResult::Stored {
                            local.insert(key.clone(), entry);
                        } else {
                            local.remove(key);
                        }
                        brought.storable == StoreResult::Stored
                    });
                    self.note_store(key, &brought, stored);
                }
                Err(error) => failed.push(leader.fail(error, || local.remove(key))),
            }
        }
        failed
    }

    /// Calls the loader for `keys` under the deadline, prolonging the leases of the load
    /// meanwhile; one answer for each key.
    pub(crate) async fn ask(
        &self,
        keys: &[Key],
        policy: Policy,
        loader: &mut Loader,
        leases: Option<(&Shared, &[LeaseHold])>,
    ) -> Vec<Result<Brought, LoadError>> {
        let begun = Begun { mono: self.runtime.now(), wall: self.runtime.wall() };
        for key in keys {
            self.observe(|| CacheEvent::LoadStarted { service: key.service() });
        }
        let load = self.under_deadline(loader(keys.to_vec()));
        let loaded = match leases {
            None => load.await,
            Some((shared, holds)) => {
                let renewing = pin!(self.renew(shared, holds));
                match future::select(pin!(load), renewing).await {
                    Either::Left((loaded, _)) => loaded,
                    Either::Right((never, _)) => match never {},
                }
            }
        };
        let mut answers: Vec<_> = match loaded {
            Ok(answers) => answers.into_iter().map(Some).collect(),
            Err(error) => keys.iter().map(|_| Some(Err(error.clone()))).collect(),
        };
        answers.resize_with(keys.len(), || None);
        let took = self.runtime.now().since(begun.mono);
        let judged = |(key, answer): (&Key, Option<_>)| {
            let answer = answer.unwrap_or_else(|| Err(LoadError::too_few_answers()));
            let result = load_result(&answer);
            self.observe(|| CacheEvent::LoadEnded { service: key.service(), result, took });
            answer.map(|value| self.brought(value, policy, begun))
        };
        keys.iter().zip(answers).map(judged).collect()
    }

    async fn renew(&self, shared: &Shared, holds: &[LeaseHold]) -> Infallible {
        loop {
            self.runtime.sleep(RENEW_EVERY).await;
            shared.renew(holds).await;
        }
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

    fn brought(&self, value: LoadedValue, policy: Policy, begun: Begun) -> Brought {
        let policy = value.policy.unwrap_or(policy);
        let deadlines = policy.deadlines(begun.mono, self.runtime.random());
        let (entry, len) = value.into_entry(begun.wall, deadlines);
        let storable = self.check_len(len.as_ref().ok().copied());
        Brought { entry, storable, len: len.unwrap_or(0) }
    }

    /// Tells what became of a loaded value.
    pub(crate) fn note_store(&self, key: &Key, brought: &Brought, stored: bool) {
        let result = match brought.storable {
            StoreResult::Stored if !stored => StoreResult::Superseded,
            other => other,
        };
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
