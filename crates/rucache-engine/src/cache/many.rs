//! Many names at once.

use std::error::Error;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;

use rucache_core::observer::{CacheOperation, Reach};
use rucache_core::{Count, Key};

use super::{Accept, Cache, Cacheable};
use crate::engine::Engine;
use crate::load::{Job, load_future};
use crate::{CacheError, Found, Hit, LoadError, Loaded, Policy, Written};

impl Cache {
    /// What the cache has of `keys`, in their order, without loading: the backend is asked once for
    /// all that are not in the local tier.
    pub async fn look_many<T: Cacheable>(
        &self,
        keys: &[Key],
        accept: Accept,
    ) -> Vec<Result<Found<T>, CacheError>> {
        let began = self.engine().timed(None);
        let found = self.engine().read_many(keys, accept, Engine::find).await;
        let reach = if self.engine().shared.is_some() { Reach::Shared } else { Reach::Local };
        self.engine().called(CacheOperation::GetMany, reach, began);
        for (key, found) in keys.iter().zip(&found) {
            let count = found.as_ref().map_or(Count::Error, Found::count);
            self.engine().answered_as(key, count);
        }
        found
    }

    /// As [`look_many`](Self::look_many), for a caller who goes on to load what is not there: that
    /// is not counted here, the load is.
    pub async fn find_many<T: Cacheable>(
        &self,
        keys: &[Key],
        accept: Accept,
    ) -> Vec<Result<Found<T>, CacheError>> {
        let found = self.engine().read_many(keys, accept, Engine::find).await;
        for (key, found) in keys.iter().zip(&found) {
            if let Ok(found @ (Found::Value(_) | Found::Negative(_))) = found {
                self.engine().answered_as(key, found.count());
            }
        }
        found
    }

    /// What stands under `keys` where entries live, in their order, past copies in this process:
    /// stale values and lapsed verdicts too. For bookkeeping; not counted as reads, and nothing is
    /// copied.
    ///
    /// # Errors
    ///
    /// [`CacheError::Backend`] for a key of which the backend does not tell.
    pub async fn inspect_many<T: Cacheable>(
        &self,
        keys: &[Key],
    ) -> Vec<Result<Found<T>, CacheError>> {
        self.engine().inspect_many(keys).await
    }

    /// The fresh values of `keys`, in their order, without loading.
    pub async fn get_many<T: Cacheable + Clone>(&self, keys: &[Key]) -> Vec<Option<T>> {
        let value = |found: Result<Found<T>, _>| {
            found.ok()?.value().map(|hit| Arc::unwrap_or_clone(hit.value))
        };
        self.look_many(keys, Accept::Fresh).await.into_iter().map(value).collect()
    }

    /// Stores values, each under its key; one result for each, in their order.
    pub async fn set_many<T: Cacheable>(
        &self,
        values: Vec<(Key, T)>,
        policy: impl Into<Policy>,
    ) -> Vec<Result<Written, CacheError>> {
        let loaded = values.into_iter().map(|(key, value)| (key, Loaded::new(value)));
        self.put_many(loaded.collect(), policy).await
    }

    /// Stores for each key what a loader would bring, as [`put`](Self::put) does; one result for
    /// each, in their order. Values travel in one batch, so how many there are is how long one call
    /// to the backend takes.
    pub async fn put_many<T: Cacheable>(
        &self,
        brought: Vec<(Key, Loaded<T>)>,
        policy: impl Into<Policy>,
    ) -> Vec<Result<Written, CacheError>> {
        let policy = policy.into();
        let (keys, loaded): (Vec<Key>, Vec<Loaded<T>>) = brought.into_iter().unzip();
        let loaded = loaded.into_iter().map(Loaded::measured).collect();
        let began = self.engine().timed(None);
        let count = keys.len();
        let put =
            |engine: Arc<Engine>| async move { Ok(engine.put_many(&keys, loaded, policy).await) };
        let written = self.engine().apart(put).await;
        self.engine().called(CacheOperation::SetMany, self.engine().reach_of_change(), began);
        written.unwrap_or_else(|error| vec![Err(error); count])
    }

    /// The values of `keys`, in their order.
    ///
    /// `loader` is asked for up to `at_once` names that are missing, then for the next ones; it
    /// answers in the order it was asked. A key that stands twice is loaded once. The hard timeout
    /// holds for the call as a whole: what is not there by then is told so, and its load goes on.
    pub async fn read_or_load_many<T, F, Fut, E>(
        &self,
        keys: &[Key],
        policy: impl Into<Policy>,
        at_once: NonZeroUsize,
        loader: F,
    ) -> Vec<Result<Hit<T>, LoadError>>
    where
        T: Cacheable,
        F: Fn(Vec<Key>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Vec<Result<Loaded<T>, E>>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let policy = policy.into();
        let job = || {
            Job::of::<T>(policy, at_once, move |missing| {
                let loader = loader.clone();
                load_future(move || loader(missing))
            })
        };
        self.engine.read_or_load_many(keys, policy, job).await
    }
}
