//! What all look-ups of a process share: the cache, the source, the rules, what is counted.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::lock::{Mutex, MutexGuard};
use rucache_core::rule::{InvalidRule, RuleSet};
use rucache_core::{Key, Mono, ServiceName, Ttl};
use rucache_engine::{Cache, CacheError, Written};
use rucache_ruc::Provider;

use crate::sketch::Sketch;
use crate::stats::{Baseline, Rolled};
use crate::{ExchangeRates, LookupOptions, RucCache, TtlTable};

/// Most marks of a process that are under way at once: more would only keep a server from answering
/// in time.
const TURNS: usize = 16;

/// Verdicts that are told apart from those that have been listed already.
const LISTED: usize = 512;

/// Taxpayer look-ups over a cache: what the handles on all services of a process share.
///
/// Clones share everything. A process has one, so that its marks of one number come one after the
/// other and its statistics are of all of it.
#[derive(Clone)]
pub struct Lookups(pub(crate) Arc<Shared>);

/// What all handles share.
pub(crate) struct Shared {
    pub(crate) cache: Cache,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) options: LookupOptions,
    pub(crate) rules: RuleSet,
    pub(crate) started: Mono,
    /// The lives of entries as they were last told.
    lives: RwLock<Lives>,
    services: RwLock<BTreeMap<ServiceName, Arc<ServiceState>>>,
    /// One mark at a time of each number, and of those that share its place: processes compete for
    /// it, tasks of one need not.
    turns: Vec<Mutex<()>>,
    listed: Vec<AtomicU64>,
    pub(crate) baseline: Baseline,
    pub(crate) rolled: Rolled,
    pub(crate) is_started: AtomicBool,
}

/// Lives of entries by name, and that of an entry of which nothing is said.
#[derive(Debug, Clone)]
pub(crate) struct Lives {
    pub(crate) ttls: Arc<TtlTable>,
    pub(crate) default_ttl: Ttl,
}

/// What is known of a service with taxpayer records.
#[derive(Debug, Default)]
pub(crate) struct ServiceState {
    pub(crate) sketch: Sketch,
    /// Whether this process has listed a verdict in the service's registry.
    pub(crate) has_registry: AtomicBool,
}

impl Lookups {
    /// Look-ups through `cache`, of `provider` where the cache has nothing.
    ///
    /// # Errors
    ///
    /// [`InvalidRule`] when a rule of the options cannot be used.
    pub fn new(
        cache: Cache,
        provider: Arc<dyn Provider>,
        options: LookupOptions,
    ) -> Result<Self, InvalidRule> {
        let domain = RuleSet::new(rucache_ruc::rules(&options.services))?;
        let rules = domain.and(RuleSet::new(options.rules.iter().cloned())?);
        Ok(Self::ruled(cache, provider, options, rules))
    }

    /// The same without rules, which are all that can be wrong.
    pub(crate) fn without_rules(
        cache: Cache,
        provider: Arc<dyn Provider>,
        options: LookupOptions,
    ) -> Self {
        Self::ruled(cache, provider, options, RuleSet::default())
    }

    fn ruled(
        cache: Cache,
        provider: Arc<dyn Provider>,
        options: LookupOptions,
        rules: RuleSet,
    ) -> Self {
        Self(Arc::new(Shared {
            started: cache.runtime().now(),
            rolled: Rolled::new(cache.runtime().wall()),
            lives: RwLock::new(Lives {
                ttls: Arc::new(options.ttls.clone()),
                default_ttl: options.default_ttl,
            }),
            cache,
            provider,
            options,
            rules,
            services: RwLock::default(),
            turns: (0..TURNS).map(|_| Mutex::new(())).collect(),
            listed: (0..LISTED).map(|_| AtomicU64::new(0)).collect(),
            baseline: Baseline::default(),
            is_started: AtomicBool::new(false),
        }))
    }

    /// The cache.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.0.cache
    }

    /// The source that is asked.
    #[must_use]
    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.0.provider
    }

    /// How these look-ups behave, as they were told at the start.
    #[must_use]
    pub fn options(&self) -> &LookupOptions {
        &self.0.options
    }

    /// Taxpayer records in `service`.
    #[must_use]
    pub fn ruc(&self, service: &ServiceName) -> RucCache {
        RucCache::of(self, self.0.cache.service(service), self.0.state(service))
    }

    /// Exchange rates in `service`.
    #[must_use]
    pub fn exchange(&self, service: &ServiceName) -> ExchangeRates {
        ExchangeRates::of(self, service)
    }

    /// The life of the entry `key` by its name, where the table of lives says so.
    #[must_use]
    pub fn ttl_of(&self, key: &Key) -> Option<Ttl> {
        self.0.ttl_of(key)
    }

    /// For how long an entry that is stored as `key` lives where nobody says.
    #[must_use]
    pub fn life_of(&self, key: &Key) -> Ttl {
        let Lives { ttls, default_ttl } = self.0.lives();
        ttls.ttl(key).unwrap_or(default_ttl)
    }

    /// Takes over other lives by name, and another one for what has none, in the place of those of
    /// the [options](Self::options). What is cached already keeps the life it has.
    pub fn change_ttls(&self, ttls: TtlTable, default_ttl: Ttl) {
        let mut lives = self.0.lives.write().unwrap_or_else(PoisonError::into_inner);
        *lives = Lives { ttls: Arc::new(ttls), default_ttl };
    }

    /// Time since these look-ups began.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.0.cache.runtime().now().since(self.0.started)
    }

    /// Removes every value and every verdict of every service, and counts from zero again.
    ///
    /// # Errors
    ///
    /// Those of [`Cache::clear_all`].
    pub async fn clear_all(&self) -> Result<Written, CacheError> {
        let written = self.0.cache.clear_all().await?;
        self.reset_stats();
        Ok(written)
    }

    /// The services with taxpayer records that this process knows of.
    pub(crate) fn services(&self) -> Vec<ServiceName> {
        let mut services = self.0.options.services.clone();
        let known = self.0.services.read().unwrap_or_else(PoisonError::into_inner);
        services.extend(
            known
                .iter()
                .filter(|(_, state)| state.has_registry.load(Ordering::Relaxed))
                .map(|(service, _)| service.clone()),
        );
        services.sort_unstable();
        services.dedup();
        services
    }

    /// The services that anything was looked up in.
    pub(crate) fn states(&self) -> Vec<(ServiceName, Arc<ServiceState>)> {
        let known = self.0.services.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(service, state)| (service.clone(), state.clone())).collect()
    }
}

impl Shared {
    /// The lives of entries as they were last told.
    pub(crate) fn lives(&self) -> Lives {
        self.lives.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn ttl_of(&self, key: &Key) -> Option<Ttl> {
        self.lives.read().unwrap_or_else(PoisonError::into_inner).ttls.ttl(key)
    }

    fn state(&self, service: &ServiceName) -> Arc<ServiceState> {
        let known = self.services.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = known.get(service) {
            return state.clone();
        }
        drop(known);
        let mut known = self.services.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(service.clone()).or_default().clone()
    }

    /// This process's turn at the number that hashes to `hash`.
    pub(crate) async fn turn(&self, hash: u64) -> MutexGuard<'_, ()> {
        self.turns[place(hash, TURNS)].lock().await
    }

    /// Whether a verdict, by a hash of it, is met for the first time in a while.
    pub(crate) fn is_news(&self, hash: u64) -> bool {
        self.listed[place(hash, LISTED)].swap(hash, Ordering::Relaxed) != hash
    }
}

fn place(hash: u64, places: usize) -> usize {
    usize::try_from(hash % places as u64).unwrap_or(0)
}

impl fmt::Debug for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookups")
            .field("provider", &self.0.provider.name())
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}
