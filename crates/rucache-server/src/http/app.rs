//! What all requests share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use rucache::core::rule::InvalidRule;
use rucache::core::{Mono, Runtime, ServiceName};
use rucache::engine::Written;
use rucache::lookup::RucCache;
use rucache::{CacheError, Config};

use super::health::Probes;
use super::live::{self, Live};
use super::metrics::Metrics;
use super::openapi;
use super::overview::Registry;
use super::page::Page;
use crate::config::{CacheEvents, ServerConfig};

/// Service of taxpayer records where a request names none.
const DEFAULT_SERVICE: &str = "migo";

/// The cache and what is known of the service itself. Clones share everything.
#[derive(Debug, Clone)]
pub(crate) struct App(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    cache: rucache::Cache,
    default_rucs: RucCache,
    backend: String,
    started: Mono,
    stopping: AtomicBool,
    probes: Probes,
    openapi: Bytes,
    config: ServerConfig,
    live: RwLock<Arc<Live>>,
    /// Whether cache events are logged, so that who logs none does not look at the rest.
    tells_events: AtomicBool,
    metrics: Metrics,
    page: Page,
    registry: Registry,
}

impl App {
    /// The service as `config` says: opens its cache.
    pub(crate) async fn open(config: ServerConfig) -> Result<Self, rucache::OpenError> {
        let metrics = Metrics::default();
        let cache = rucache::open_observed(config.cache.clone(), metrics.observer()).await?;
        Ok(Self::over(config, cache, metrics)?)
    }

    /// The service of `cache`, which was opened as `config` says.
    pub(super) fn over(
        config: ServerConfig,
        cache: rucache::Cache,
        metrics: Metrics,
    ) -> Result<Self, InvalidRule> {
        let live = Live::of(&config)?;
        metrics.watch().begin(cache.runtime().clone());
        Ok(Self(Arc::new(Shared {
            default_rucs: cache.ruc(DEFAULT_SERVICE),
            backend: backend_name(config.cache.backend.as_str()),
            started: cache.runtime().now(),
            stopping: AtomicBool::new(false),
            probes: Probes::default(),
            openapi: openapi::document(&config.limits).to_string().into(),
            config,
            tells_events: AtomicBool::new(live.cache_events != CacheEvents::Off),
            live: RwLock::new(Arc::new(live)),
            metrics,
            page: Page::default(),
            registry: Registry::default(),
            cache,
        })))
    }

    /// The cache.
    pub(crate) fn cache(&self) -> &rucache::Cache {
        &self.0.cache
    }

    /// Time and chance as the cache has them.
    pub(super) fn runtime(&self) -> &Arc<dyn Runtime> {
        self.0.cache.runtime()
    }

    /// Taxpayer records in `service`.
    pub(super) fn rucs(&self, service: Option<&ServiceName>) -> RucCache {
        service.map_or_else(|| self.0.default_rucs.clone(), |service| self.0.cache.ruc_in(service))
    }

    /// Removes everything.
    pub(super) async fn clear_all(&self) -> Result<Written, CacheError> {
        self.cache().lookups().clear_all().await
    }

    /// The file of the register that is the source of look-ups, if it is one.
    pub(super) fn register(&self) -> Option<PathBuf> {
        self.0.config.cache.register.clone()
    }

    /// Name of the backend, as `/health` calls it.
    pub(super) fn backend(&self) -> &str {
        &self.0.backend
    }

    /// Time since the start.
    pub(super) fn uptime(&self) -> Duration {
        self.runtime().now().since(self.0.started)
    }

    /// What was last found out about the cache.
    pub(super) fn probes(&self) -> &Probes {
        &self.0.probes
    }

    /// The OpenAPI document.
    pub(super) fn openapi(&self) -> Bytes {
        self.0.openapi.clone()
    }

    /// The metrics of the service.
    pub(super) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The page for people.
    pub(super) fn page(&self) -> &Page {
        &self.0.page
    }

    /// What the registry held of late.
    pub(super) fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// What of the configuration is in force.
    pub(super) fn live(&self) -> Arc<Live> {
        self.0.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what can be of a configuration read anew; the settings that need a restart. One
    /// that could not be read, or used, is kept out, and `/health` says so.
    pub(crate) fn reload(
        &self,
        config: Result<ServerConfig, String>,
    ) -> Result<Vec<&'static str>, String> {
        let loaded = config.and_then(|config| {
            let live = Live::of(&config).map_err(|error| error.to_string())?;
            let Config { ttls, default_ttl, .. } = &config.cache;
            self.cache().lookups().change_ttls(ttls.clone(), *default_ttl);
            Ok((live, live::beyond(&self.0.config, &config)))
        });
        let mut live = self.0.live.write().unwrap_or_else(PoisonError::into_inner);
        match loaded {
            Ok((new, beyond)) => {
                let tells = new.cache_events != CacheEvents::Off;
                self.0.tells_events.store(tells, Ordering::Relaxed);
                *live = Arc::new(new);
                Ok(beyond)
            }
            Err(fault) => {
                *live = Arc::new(Live { fault: Some(fault.clone()), ..Live::clone(&live) });
                Err(fault)
            }
        }
    }

    /// Whether cache events are logged.
    pub(super) fn tells_events(&self) -> bool {
        self.0.tells_events.load(Ordering::Relaxed)
    }

    /// Says from now on that the service is not ready.
    pub(super) fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the service is about to end.
    pub(super) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }
}

/// The backend as people know it: the URL's scheme without transport and topology.
fn backend_name(url: &str) -> String {
    match url.split_once("://").map_or(url, |(scheme, _)| scheme) {
        "memory" => "local_memory".to_owned(),
        "rediss" => "redis".to_owned(),
        scheme => scheme.split('+').next().unwrap_or(scheme).to_owned(),
    }
}
