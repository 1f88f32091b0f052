//! Loads: run apart from their callers, under a deadline, told to everybody who waits.

use std::error::Error;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{self, Either};
use rucache_core::observer::{LoadResult, StoreResult};
use rucache_core::{BoxFuture, CacheEvent, Deadlines, LocalEntry, Timestamp, Value};

use crate::cache::{Cacheable, Engine};
use crate::flight::Leader;
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

impl Engine {
    /// Runs a load for the keys of `leaders` apart from the caller.
    pub(crate) fn spawn_load(
        self: &Arc<Self>,
        leaders: Vec<Leader>,
        policy: Policy,
        load_future: LoadFuture,
    ) {
        let engine = self.clone();
        self.runtime
            .spawn(Box::pin(async move { engine.run_load(leaders, policy, load_future).await }));
    }

    async fn run_load(&self, leaders: Vec<Leader>, policy: Policy, load_future: LoadFuture) {
        // Before the load begins: what it reads may be older than its end.
        let (loaded, loaded_at) = (self.runtime.now(), self.runtime.wall());
        for leader in &leaders {
            self.observe(|| CacheEvent::LoadStarted { service: leader.key.service() });
        }
        let mut answers = match self.under_deadline(load_future).await {
            Ok(answers) => answers.into_iter().map(Some).collect(),
            Err(error) => leaders.iter().map(|_| Some(Err(error.clone()))).collect::<Vec<_>>(),
        };
        answers.resize_with(leaders.len(), || None);
        let took = self.runtime.now().since(loaded);
        let mut failed = Vec::new();
        for (leader, answer) in leaders.into_iter().zip(answers) {
            let key = leader.key.clone();
            let answer = answer.unwrap_or_else(|| Err(LoadError::too_few_answers()));
            let result = load_result(&answer);
            self.observe(|| CacheEvent::LoadEnded { service: key.service(), result, took });
            match answer {
                Ok(loaded_value) => {
                    let random = self.runtime.random();
                    let deadlines = loaded_value.policy.unwrap_or(policy).deadlines(loaded, random);
                    self.complete(leader, loaded_value, loaded_at, deadlines);
                }
                Err(error) => {
                    failed.push(leader.fail(error, || self.local.remove(&key)));
                }
            }
        }
        if !failed.is_empty() {
            self.runtime.sleep(self.timing.back_off).await;
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

    fn complete(
        &self,
        leader: Leader,
        loaded_value: LoadedValue,
        loaded_at: Timestamp,
        deadlines: Deadlines,
    ) {
        let key = leader.key.clone();
        let (entry, len) = loaded_value.into_entry(loaded_at, deadlines);
        let storable = self.check_len(len.as_ref().ok().copied());
        let stored = leader.complete(entry, |entry| {
            // What is too large is served; the older value must not outlive it.
            match storable {
                StoreResult::Stored => self.local.insert(key.clone(), entry),
                _ => {
                    self.local.remove(&key);
                }
            }
            storable == StoreResult::Stored
        });
        let result = match storable {
            StoreResult::Stored if !stored => StoreResult::Superseded,
            other => other,
        };
        let value_len = len.unwrap_or(0);
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
