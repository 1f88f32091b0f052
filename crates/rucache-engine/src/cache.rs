//! The cache as its users hold it.

mod changes;
mod many;

use std::error::Error;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{FutureExt, TryFutureExt};
use rucache_core::observer::{CacheOperation, Reach, Tier};
use rucache_core::{Backend, Count, Local, Runtime, ServiceName, Usage};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::Engine;
use crate::load::{Job, load_future};
use crate::name::KeyName;
use crate::{CacheBuilder, CacheError, Found, Hit, Loaded, Policy, Timing};

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

    /// Begins a cache whose values live at `backend`, shared with every process that uses it. With a
    /// [local tier](CacheBuilder::local) in front of it, copies of them are read without waiting.
    pub fn on_backend(backend: Arc<dyn Backend>) -> CacheBuilder {
        CacheBuilder::on_backend(backend)
    }

    pub(crate) fn over(engine: Arc<Engine>) -> Self {
        Self { engine, service: ServiceName::default() }
    }

    pub(crate) const fn engine(&self) -> &Arc<Engine> {
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
        self.engine.local.as_ref().map(|local| local.usage())
    }

    /// The backend that entries live at; none when they live in this process.
    #[must_use]
    pub fn backend(&self) -> Option<&Arc<dyn Backend>> {
        self.engine.shared.as_ref().map(|shared| &shared.backend)
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
        let began = self.engine.sampled();
        let hit = match self.engine.hit(&key) {
            Some((hit, service)) => {
                self.engine.services.count(service, Count::Hit(Tier::Local));
                Some(hit)
            }
            None => {
                let found = self.engine.find_again(&key, accept);
                self.engine.answered_as(&key, found.count());
                found.value()
            }
        };
        self.engine.called(CacheOperation::Get, Reach::Local, began);
        Ok(hit)
    }

    /// As [`peek`](Self::peek), verdicts included, for a caller who goes on when it finds nothing:
    /// that is not counted, what comes of going on is.
    ///
    /// # Errors
    ///
    /// [`CacheError::Key`] when the name cannot be a key.
    #[inline]
    pub fn find<T: Cacheable>(
        &self,
        name: &(impl KeyName + ?Sized),
        accept: Accept,
    ) -> Result<Found<T>, CacheError> {
        let key = name.in_service(&self.service)?;
        if let Some((hit, service)) = self.engine.hit(&key) {
            self.engine.services.count(service, Count::Hit(Tier::Local));
            return Ok(Found::Value(hit));
        }
        let found = self.engine.find_again(&key, accept);
        if !matches!(found, Found::Nothing) {
            self.engine.answered_as(&key, found.count());
        }
        Ok(found)
    }

    /// The value of `name`, if the cache has it and it is fresh enough, without loading; tells how
    /// it came. An outage of the backend is a miss.
    ///
    /// # Errors
    ///
    /// [`CacheError::Key`] when the name cannot be a key; [`CacheError::Backend`] where reads are
    /// strict.
    pub async fn read<T: Cacheable>(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
        accept: Accept,
    ) -> Result<Option<Hit<T>>, CacheError> {
        Ok(self.look(name, accept).await?.value())
    }

    /// What the cache has of `name`, without loading: a value, a verdict that there is none, or
    /// nothing.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub async fn look<T: Cacheable>(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
        accept: Accept,
    ) -> Result<Found<T>, CacheError> {
        let key = name.in_service(&self.service)?;
        let began = self.engine.sampled();
        if let Some((hit, service)) = self.engine.hit(&key) {
            self.engine.services.count(service, Count::Hit(Tier::Local));
            self.engine.called(CacheOperation::Get, Reach::Local, began);
            return Ok(Found::Value(hit));
        }
        let began = self.engine.timed(began);
        let found = self.engine.read(&key, accept).await;
        let count = found.as_ref().map_or(Count::Error, Found::count);
        self.engine.answered_as(&key, count);
        self.engine.called(CacheOperation::Get, self.engine.reach(count), began);
        found
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
        Ok(self.engine.read_or_load(&key, policy, job).await?)
    }
}
