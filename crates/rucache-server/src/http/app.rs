//! What all requests share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rucache::core::{Mono, Runtime, ServiceName};
use rucache::lookup::RucCache;

use super::health::Probes;
use super::openapi;
use crate::config::ServerConfig;

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
}

impl App {
    /// The service of `cache`, which was opened as `config` says.
    pub(crate) fn new(config: &ServerConfig, cache: rucache::Cache) -> Self {
        let default_rucs = cache.ruc(DEFAULT_SERVICE);
        let started = cache.runtime().now();
        Self(Arc::new(Shared {
            default_rucs,
            backend: backend_name(config.cache.backend.as_str()),
            started,
            stopping: AtomicBool::new(false),
            probes: Probes::default(),
            openapi: openapi::document().to_string().into(),
            cache,
        }))
    }

    /// The cache.
    pub(super) fn cache(&self) -> &rucache::Cache {
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
