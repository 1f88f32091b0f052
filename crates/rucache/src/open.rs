//! From a configuration to a cache.

mod error;

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use rucache_core::rule::{Event, RuleSet};
use rucache_core::{Backend, Key, Observer, Ttl};
#[cfg(feature = "memory")]
use rucache_engine::CacheError;
use rucache_engine::{Applied, Cache as Engine, CacheBuilder};

use crate::Config;
use crate::backend::{self, Opened};

pub use error::OpenError;

/// A composed cache: everything an [engine cache](rucache_engine::Cache) does, and taxpayer
/// look-ups.
///
/// Clones share everything.
#[derive(Clone)]
pub struct Cache {
    engine: Engine,
    #[cfg(not(feature = "lookup"))]
    rules: Arc<RuleSet>,
    #[cfg(not(feature = "lookup"))]
    default_ttl: Ttl,
    #[cfg(feature = "lookup")]
    lookups: rucache_lookup::Lookups,
    #[cfg(feature = "lookup")]
    register_published: Option<rucache_core::Timestamp>,
}

impl Deref for Cache {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

/// A cache in this process's memory, 256 MiB at most, with the bundled register sample as the
/// source of look-ups.
///
/// # Errors
///
/// [`OpenError::Cache`] outside a tokio runtime.
#[cfg(feature = "memory")]
pub async fn open_default() -> Result<Cache, OpenError> {
    open_with(Config::default()).await
}

/// A cache on the backend at `url`: `memory://?capacity=64MiB`, `redis://127.0.0.1/1`,
/// `memcached://10.0.0.1,10.0.0.2`; otherwise as by default. A server that is down is no error: the
/// cache joins it when it comes up.
///
/// # Errors
///
/// [`OpenError`] when the URL is wrong or the backend cannot be built.
pub async fn open(url: &str) -> Result<Cache, OpenError> {
    let backend = url.parse().map_err(|reason| backend::wrong(url, reason))?;
    open_with(Config { backend, ..Config::default() }).await
}

/// A cache as the TOML file at `path` says.
///
/// # Errors
///
/// [`OpenError`] when the file cannot be read or followed.
pub async fn open_config(path: impl AsRef<Path>) -> Result<Cache, OpenError> {
    let mut layers = Config::layers();
    layers.file(path.as_ref())?;
    open_with(layers.into_config()).await
}

/// A cache as `config` says.
///
/// # Errors
///
/// [`OpenError`] when a part of it cannot be built.
pub async fn open_with(config: Config) -> Result<Cache, OpenError> {
    compose(config, None).await
}

/// A cache as `config` says, which tells `observer` what happens: metrics, for one.
///
/// # Errors
///
/// Those of [`open_with`].
pub async fn open_observed(
    config: Config,
    observer: Arc<dyn Observer>,
) -> Result<Cache, OpenError> {
    compose(config, Some(observer)).await
}

async fn compose(config: Config, observer: Option<Arc<dyn Observer>>) -> Result<Cache, OpenError> {
    #[cfg(not(feature = "lookup"))]
    let rules = Arc::new(config.rule_set()?);
    let builder = builder(&config).await?;
    let builder = builder.timing(config.timing).max_value_len(config.max_value_len);
    let builder = match observer {
        Some(observer) => builder.observer(observer),
        None => builder,
    };
    let engine = builder.build()?;
    #[cfg(feature = "lookup")]
    let (lookups, register_published) = {
        #[cfg(feature = "providers")]
        let opened = crate::sources::open(&config, &engine).await?;
        #[cfg(all(feature = "padron", not(feature = "providers")))]
        let opened = crate::source::open(&config).await?;
        #[cfg(not(any(feature = "padron", feature = "providers")))]
        let opened = crate::source::Opened { provider: crate::source::none(), published: None };
        let options = config.lookup_options();
        let lookups = rucache_lookup::Lookups::new(engine.clone(), opened.provider, options)?;
        (lookups, opened.published)
    };
    Ok(Cache {
        engine,
        #[cfg(not(feature = "lookup"))]
        rules,
        #[cfg(not(feature = "lookup"))]
        default_ttl: config.default_ttl,
        #[cfg(feature = "lookup")]
        lookups,
        #[cfg(feature = "lookup")]
        register_published,
    })
}

/// The backend at `url` by itself, without a cache over it: `redis://10.0.0.5/1`,
/// `memcached://10.0.0.1,10.0.0.2`, or `memory://` for one of this process.
///
/// # Errors
///
/// [`OpenError::Backend`] when the URL is wrong, [`OpenError::Open`] when what it names cannot be
/// used, [`OpenError::Cache`] outside a tokio runtime.
pub async fn open_backend(url: &str) -> Result<Arc<dyn Backend>, OpenError> {
    match backend::opened(url).await? {
        Opened::Backend(backend) => Ok(backend),
        #[cfg(feature = "memory")]
        Opened::Memory(config) => {
            let runtime = rucache_engine::TokioRuntime::current().ok_or(CacheError::NoRuntime)?;
            Ok(Arc::new(rucache_memory::MemoryBackend::new(&config, Arc::new(runtime))))
        }
    }
}

async fn builder(config: &Config) -> Result<CacheBuilder, OpenError> {
    Ok(match backend::opened(&config.backend_url()).await? {
        #[cfg(feature = "memory")]
        Opened::Memory(memory) => in_process(&memory)?,
        Opened::Backend(backend) => over(backend, config),
    })
}

/// A cache whose entries live in this process, typed; maps and counters beside them may take another
/// eighth of its capacity.
#[cfg(feature = "memory")]
fn in_process(memory: &rucache_memory::MemoryConfig) -> Result<CacheBuilder, OpenError> {
    use rucache_memory::{Capacity, LocalStore, MemoryBackend, MemoryConfig};

    let runtime = rucache_engine::TokioRuntime::current().ok_or(CacheError::NoRuntime)?;
    let part = |sixteenths| {
        MemoryConfig::with_capacity(Capacity::bytes(memory.capacity.sixteenths(sixteenths)))
    };
    let aside = MemoryBackend::aside(&part(2), Arc::new(runtime));
    Ok(Engine::builder(Arc::new(LocalStore::new(memory))).aside(Arc::new(aside)))
}

/// A cache whose entries live at `backend`, with copies in this process as `config` says.
fn over(backend: Arc<dyn Backend>, config: &Config) -> CacheBuilder {
    #[cfg(feature = "memory")]
    if let Some(capacity) = config.local.capacity(backend.capabilities().push) {
        let memory = rucache_memory::MemoryConfig::with_capacity(capacity);
        let local = Arc::new(rucache_memory::LocalStore::new(&memory));
        return Engine::on_backend(backend).local(local);
    }
    #[cfg(not(feature = "memory"))]
    let _ = config;
    Engine::on_backend(backend)
}

impl Cache {
    /// How long the configuration lets what is stored as `key` live.
    #[must_use]
    pub fn life_of(&self, key: &Key) -> Ttl {
        #[cfg(feature = "lookup")]
        return self.lookups.life_of(key);
        #[cfg(not(feature = "lookup"))]
        {
            let _ = key;
            self.default_ttl
        }
    }

    /// The rules of the domain and of the configuration.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        #[cfg(feature = "lookup")]
        return self.lookups.rules();
        #[cfg(not(feature = "lookup"))]
        return &self.rules;
    }

    /// Does what the [rules](Self::rules) ask when `event` happens; each effect with what became of
    /// it. Taxpayer records that a rule wants refreshed are asked of the source; other entries are
    /// expired, so that their next reader loads them.
    pub async fn publish(&self, event: &Event) -> Vec<Applied> {
        #[cfg(feature = "lookup")]
        return self.lookups.publish(event).await;
        #[cfg(not(feature = "lookup"))]
        return self.engine.apply(&self.rules, event, None).await;
    }
}

#[cfg(feature = "lookup")]
impl Cache {
    /// Taxpayer records in the service `service`, a literal of the program such as `migo`.
    ///
    /// # Panics
    ///
    /// When `service` breaks the form of a service name; for names that are not literals there is
    /// [`ruc_in`](Self::ruc_in).
    #[must_use]
    pub fn ruc(&self, service: &'static str) -> rucache_lookup::RucCache {
        self.ruc_in(&rucache_core::ServiceName::from_static(service))
    }

    /// Taxpayer records in `service`.
    #[must_use]
    pub fn ruc_in(&self, service: &rucache_core::ServiceName) -> rucache_lookup::RucCache {
        self.lookups.ruc(service)
    }

    /// Exchange rates in `service`.
    #[must_use]
    pub fn exchange(&self, service: &rucache_core::ServiceName) -> rucache_lookup::ExchangeRates {
        self.lookups.exchange(service)
    }

    /// What the look-ups of all services share: rules, statistics, maintenance.
    #[must_use]
    pub fn lookups(&self) -> &rucache_lookup::Lookups {
        &self.lookups
    }

    /// The same cache with `provider` as the source of look-ups, and with statistics of its own.
    #[must_use]
    pub fn with_provider(mut self, provider: Arc<dyn rucache_ruc::Provider>) -> Self {
        let options = self.lookups.options().clone();
        // Its rules have been checked.
        if let Ok(lookups) = rucache_lookup::Lookups::new(self.engine.clone(), provider, options) {
            self.lookups = lookups;
            self.register_published = None;
        }
        self
    }

    /// When the register that is asked was published; none where no file of one is asked.
    #[must_use]
    pub const fn register_published(&self) -> Option<rucache_core::Timestamp> {
        self.register_published
    }

    /// The source of look-ups.
    #[must_use]
    pub fn provider(&self) -> &Arc<dyn rucache_ruc::Provider> {
        self.lookups.provider()
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("engine", &self.engine).finish_non_exhaustive()
    }
}
