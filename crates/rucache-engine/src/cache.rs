//! The cache as its users hold it.

use std::error::Error;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{FutureExt, TryFutureExt};
use rucache_core::observer::Scope;
use rucache_core::{Backend, CacheEvent, Key, Local, Runtime, ServiceName, Usage};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::{Engine, Tier};
use crate::load::{Job, LoadedValue, load_future};
use crate::name::KeyName;
use crate::{CacheBuilder, CacheError, Hit, LoadError, Loaded, Policy, Timing};

/// What can be cached: anything with a JSON form both ways.
pub trait Cacheable: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Cacheable for T {}

/// Whether a read takes a value past its soft deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Accept {
    /// Fresh values only.
    #[default]
    Fresh,
    /// Fresh values, else one that is kept as a fallback.
    Stale,
}

/// A cache: values of any serialisable type under names in services.
///
/// Clones share everything. A handle names the service that plain names are in, `default` at first;
/// [`service`](Self::service) gives a handle on another one.
#[derive(Debug, Clone)]
pub struct Cache {
    engine: Arc<Engine>,
    service: ServiceName,
}

impl Cache {
    /// Begins a cache whose values live in `local`.
    pub fn builder(local: Arc<dyn Local>) -> CacheBuilder {
        CacheBuilder::new(local)
    }

    /// Begins a cache whose values live at `backend`, shared with every process that uses it.
    pub fn on_backend(backend: Arc<dyn Backend>) -> CacheBuilder {
        CacheBuilder::on_backend(backend)
    }

    pub(crate) fn over(engine: Engine) -> Self {
        Self { engine: Arc::new(engine), service: ServiceName::default() }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The same cache, with plain names in `service`.
    #[must_use]
    pub fn service(&self, service: &ServiceName) -> Self {
        Self { engine: self.engine.clone(), service: service.clone() }
    }

    /// The service that plain names are in.
    #[must_use]
    pub fn service_name(&self) -> &ServiceName {
        &self.service
    }

    /// How long callers and loads may take.
    #[must_use]
    pub fn timing(&self) -> Timing {
        self.engine.timing
    }

    /// Time and chance as this cache has them.
    #[must_use]
    pub fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.engine.runtime
    }

    /// How full the local tier is; none without one.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.engine.local().map(|local| local.usage())
    }

    /// The backend that entries live at; none when they live in this process.
    #[must_use]
    pub fn backend(&self) -> Option<&Arc<dyn Backend>> {
        match &self.engine.tier {
            Tier::Local(_) => None,
            Tier::Shared(shared) => Some(&shared.backend),
        }
    }

    /// The value of `name`, if the local tier has it and it is fresh enough; never waits, and so
    /// never looks anywhere else.
    ///
    /// A value stored as another type is converted through its JSON form; what does not convert is
    /// a miss.
    ///
    /// # Errors
    ///
    /// [`CacheError::Key`] when the name cannot be a key.
    #[inline]
    pub fn peek<T: Cacheable>(
        &self,
        name: &(impl KeyName + ?Sized),
        accept: Accept,
    ) -> Result<Option<Hit<T>>, CacheError> {
        let key = name.in_service(&self.service)?;
        let hit = self.engine.find(&key, accept);
        self.engine.answered(&key, hit.as_ref());
        Ok(hit)
    }

    /// The value of `name`, if the cache has it and it is fresh enough, without loading; tells how
    /// it came. An outage of the backend is a miss.
    ///
    /// # Errors
    ///
    /// [`CacheError::Key`] when the name cannot be a key.
    pub async fn read<T: Cacheable>(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
        accept: Accept,
    ) -> Result<Option<Hit<T>>, CacheError> {
        let key = name.in_service(&self.service)?;
        let hit = self.engine.read(&key, accept).await;
        self.engine.answered(&key, hit.as_ref());
        Ok(hit)
    }

    /// The fresh value of `name`, without loading.
    ///
    /// # Errors
    ///
    /// [`CacheError::Key`] when the name cannot be a key.
    pub async fn get<T: Cacheable + Clone>(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
    ) -> Result<Option<T>, CacheError> {
        Ok(self.read(name, Accept::Fresh).await?.map(|hit| Arc::unwrap_or_clone(hit.value)))
    }

    /// Stores `value` as `name`. A load of the name that is running will not be stored over it.
    ///
    /// # Errors
    ///
    /// - [`CacheError::Key`] when the name cannot be a key.
    /// - [`CacheError::TooLarge`] or [`CacheError::Codec`] when the value cannot be stored; what was
    ///   stored before is gone then, since it is outdated.
    /// - [`CacheError::Backend`] when the backend did not say that it has stored the value.
    pub async fn set<T>(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
        value: &T,
        policy: impl Into<Policy>,
    ) -> Result<(), CacheError>
    where
        T: ToOwned + ?Sized,
        T::Owned: Cacheable,
    {
        self.set_shared(name, Arc::new(value.to_owned()), policy).await
    }

    /// Stores `value` as `name` without copying it; otherwise as [`set`](Self::set).
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set).
    pub async fn set_shared<T: Cacheable>(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
        value: Arc<T>,
        policy: impl Into<Policy>,
    ) -> Result<(), CacheError> {
        let key = name.in_service(&self.service)?;
        self.engine.put(&key, LoadedValue::new(value, None), policy.into()).await
    }

    /// Removes the value of `name`; `true` when there was one. A load of the name that is running
    /// will not be stored.
    ///
    /// # Errors
    ///
    /// [`CacheError::Key`] when the name cannot be a key, [`CacheError::Backend`] when the backend did
    /// not say that it has removed the value.
    pub async fn delete(&self, name: &(impl KeyName + Sync + ?Sized)) -> Result<bool, CacheError> {
        let key = name.in_service(&self.service)?;
        let removed = self.engine.remove(&key).await?;
        let scope = Scope::Key;
        self.engine.observe(|| CacheEvent::Invalidated { service: key.service(), scope });
        Ok(removed)
    }

    /// The value of `name`, loaded by `loader` if it is not there.
    ///
    /// However many ask at once, one load runs, and all get what it brings. It runs apart from its
    /// callers: one that leaves stops it for nobody.
    ///
    /// # Errors
    ///
    /// [`CacheError::Key`], or [`CacheError::Load`] when there is no value and no fallback.
    pub async fn get_or_load<T, F, Fut, E>(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
        policy: impl Into<Policy>,
        loader: F,
    ) -> Result<T, CacheError>
    where
        T: Cacheable + Clone,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let policy = policy.into();
        let hit = self.read_or_load(name, policy, || loader().map_ok(Loaded::from));
        Ok(Arc::unwrap_or_clone(hit.await?.value))
    }

    /// As [`get_or_load`](Self::get_or_load), and tells how the value came; the loader may give the
    /// value a policy of its own.
    ///
    /// # Errors
    ///
    /// Those of [`get_or_load`](Self::get_or_load).
    pub async fn read_or_load<T, F, Fut, E>(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
        policy: impl Into<Policy>,
        loader: F,
    ) -> Result<Hit<T>, CacheError>
    where
        T: Cacheable,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded<T>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let key = name.in_service(&self.service)?;
        let policy = policy.into();
        let job = || {
            let loader = Mutex::new(Some(loader));
            // Asked once: there is one key, and its flight ends with what this brings.
            Job::of::<T>(policy, NonZeroUsize::MIN, move |_| {
                match loader.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    Some(loader) => load_future(|| loader().map(|loaded| vec![loaded])),
                    None => Box::pin(async { Vec::new() }),
                }
            })
        };
        Ok(self.engine.read_or_load(&key, job).await?)
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
        let job = || {
            Job::of::<T>(policy.into(), at_once, move |missing| {
                let loader = loader.clone();
                load_future(move || loader(missing))
            })
        };
        self.engine.read_or_load_many(keys, job).await
    }
}
