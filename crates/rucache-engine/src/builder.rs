//! Putting a cache together.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rucache_core::{Backend, Capabilities, Local, Observer, Runtime};

use crate::engine::{Engine, Tier};
use crate::shared::Shared;
use crate::{Cache, CacheError, Timing, TokioRuntime};

enum Place {
    Local(Arc<dyn Local>),
    Backend(Arc<dyn Backend>),
}

/// A cache to be.
#[must_use]
pub struct CacheBuilder {
    place: Place,
    runtime: Option<Arc<dyn Runtime>>,
    observer: Option<Arc<dyn Observer>>,
    timing: Timing,
    max_value_len: usize,
}

impl std::fmt::Debug for CacheBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CacheBuilder").field("timing", &self.timing).finish_non_exhaustive()
    }
}

impl CacheBuilder {
    pub(crate) fn new(local: Arc<dyn Local>) -> Self {
        Self::at(Place::Local(local))
    }

    pub(crate) fn on_backend(backend: Arc<dyn Backend>) -> Self {
        Self::at(Place::Backend(backend))
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            runtime: None,
            observer: None,
            timing: Timing::default(),
            max_value_len: Capabilities::DEFAULT_MAX_VALUE_LEN,
        }
    }

    /// Time and chance from `runtime`; by default the tokio runtime that [`build`](Self::build) is
    /// called in.
    pub fn runtime(mut self, runtime: Arc<dyn Runtime>) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Tells `observer` what happens.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// How long callers and loads may take.
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Longest value as JSON, in bytes; 1,000,000 by default.
    pub fn max_value_len(mut self, len: usize) -> Self {
        self.max_value_len = len;
        self
    }

    /// The cache.
    ///
    /// # Errors
    ///
    /// [`CacheError::NoRuntime`] outside a tokio runtime, unless one was given.
    pub fn build(self) -> Result<Cache, CacheError> {
        let runtime = match self.runtime {
            Some(runtime) => runtime,
            None => Arc::new(TokioRuntime::current().ok_or(CacheError::NoRuntime)?),
        };
        let tier = match self.place {
            Place::Local(local) => Tier::Local(local),
            Place::Backend(backend) => Tier::Shared(Shared {
                backend,
                runtime: runtime.clone(),
                observer: self.observer.clone(),
            }),
        };
        Ok(Cache::over(Engine {
            tier,
            runtime,
            observer: self.observer,
            flights: Arc::default(),
            timing: self.timing,
            max_value_len: self.max_value_len,
            stored: AtomicU64::new(0),
        }))
    }
}
