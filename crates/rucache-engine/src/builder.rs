//! Putting a cache together.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, Weak};

use rucache_core::{Backend, Capabilities, Listener, Local, Observer, Runtime};

use crate::beside::Beside;
use crate::bulkhead::Bulkhead;
use crate::engine::Engine;
use crate::outbox::Outbox;
use crate::push::Push;
use crate::services::Services;
use crate::shared::Shared;
use crate::tags::Tags;
use crate::{Cache, CacheError, Timing, TokioRuntime};

/// Calls of loaders that run at once, unless the builder is told otherwise.
const MAX_LOADS: usize = 1_024;

/// A cache to be.
#[must_use]
pub struct CacheBuilder {
    local: Option<Arc<dyn Local>>,
    backend: Option<Arc<dyn Backend>>,
    aside: Option<Arc<dyn Backend>>,
    runtime: Option<Arc<dyn Runtime>>,
    observer: Option<Arc<dyn Observer>>,
    timing: Timing,
    max_value_len: usize,
    max_loads: usize,
    is_strict: bool,
}

impl std::fmt::Debug for CacheBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CacheBuilder").field("timing", &self.timing).finish_non_exhaustive()
    }
}

impl CacheBuilder {
    pub(crate) fn new(local: Arc<dyn Local>) -> Self {
        Self::at(Some(local), None)
    }

    pub(crate) fn on_backend(backend: Arc<dyn Backend>) -> Self {
        Self::at(None, Some(backend))
    }

    fn at(local: Option<Arc<dyn Local>>, backend: Option<Arc<dyn Backend>>) -> Self {
        Self {
            local,
            backend,
            aside: None,
            runtime: None,
            observer: None,
            timing: Timing::default(),
            max_value_len: Capabilities::DEFAULT_MAX_VALUE_LEN,
            max_loads: MAX_LOADS,
            is_strict: false,
        }
    }

    /// Keeps copies of what the backend has in `local`.
    ///
    /// A backend that tells of changes keeps them true; of one that does not, copies are good for
    /// two seconds.
    pub fn local(mut self, local: Arc<dyn Local>) -> Self {
        self.local = Some(local);
        self
    }

    /// Keeps maps and counters at `backend` where entries live in this process: a backend of this
    /// process too, usually.
    pub fn aside(mut self, backend: Arc<dyn Backend>) -> Self {
        self.aside = Some(backend);
        self
    }

    /// Most calls of loaders that run at once; 1,024 by default. A read that would need one more
    /// gets a stale value, or [`LoadError::Overloaded`](crate::LoadError).
    pub fn max_loads(mut self, most: usize) -> Self {
        self.max_loads = most;
        self
    }

    /// Lets reads without a load fail with the backend's error, where they would be a miss.
    pub fn strict_reads(mut self) -> Self {
        self.is_strict = true;
        self
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
        let (observer, timing) = (self.observer, self.timing);
        let push = self
            .backend
            .as_ref()
            .map_or_else(Push::needless, |backend| Push::of(backend.capabilities().push));
        let shared = self.backend.clone().map(|backend| Shared {
            backend,
            runtime: runtime.clone(),
            observer: observer.clone(),
        });
        let beside = |shared: &Shared| Arc::new(Beside(shared.clone())) as Arc<dyn Backend>;
        let aside = shared.as_ref().map(beside).or(self.aside);
        let engine = Arc::new_cyclic(|myself| Engine {
            myself: myself.clone(),
            local: self.local,
            shared,
            aside,
            runtime,
            observer,
            services: Services::default(),
            tags: Tags::default(),
            flights: Arc::default(),
            bulkhead: Bulkhead::new(self.max_loads),
            push,
            outbox: Outbox::default(),
            delivering: AtomicBool::new(false),
            rewound: AtomicBool::new(false),
            nodes_down: Mutex::default(),
            timing,
            max_value_len: self.max_value_len,
            is_strict: self.is_strict,
            stored: AtomicU64::new(0),
        });
        if let Some(backend) = self.backend {
            let listener: Weak<dyn Listener> = engine.myself.clone();
            backend.subscribe(listener);
        }
        Ok(Cache::over(engine))
    }
}
