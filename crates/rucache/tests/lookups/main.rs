//! The registry and look-ups of many, on memory, Redis and Memcached: four caches at once on one
//! server, each with connections of its own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod registry;
mod scenario;
mod warm;

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use rucache::core::Runtime;
use rucache::lookup::{LookupOptions, Lookups};
use rucache::ruc::{Answer, Coverage, Provider, Ruc, Taxpayer};
use rucache_testkit::{Memcached, MemcachedOptions, RedisOptions, RedisServer};

/// What is tested is not how quick a machine is that does other things besides.
const PATIENT: &str = "timeout=10s&connect_timeout=5s";

/// Caches at once.
const CACHES: usize = 4;

/// A source with every number that ends in an even digit, which takes its time for a call.
struct Source {
    calls: AtomicUsize,
    takes: Duration,
    runtime: Arc<dyn Runtime>,
}

#[async_trait]
impl Provider for Source {
    fn name(&self) -> &str {
        "source"
    }

    fn coverage(&self) -> Coverage {
        Coverage::Full
    }

    fn batch_limit(&self) -> NonZeroUsize {
        NonZeroUsize::new(100).unwrap()
    }

    async fn lookup(&self, ruc: Ruc) -> Answer {
        self.lookup_many(&[ruc]).await.remove(0)
    }

    async fn lookup_many(&self, rucs: &[Ruc]) -> Vec<Answer> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.runtime.sleep(self.takes).await;
        let answer = |ruc: &Ruc| match ruc.as_u64() % 2 {
            0 => Answer::found(Taxpayer::builder(*ruc).build()),
            _ => Answer::NotFound,
        };
        rucs.iter().map(answer).collect()
    }
}

/// Four caches on one backend, or one four times where entries live in the process.
struct Stand {
    caches: Vec<(Lookups, Arc<Source>)>,
    /// Ends with the test.
    _servers: (Option<RedisServer>, Vec<Memcached>),
}

impl Stand {
    async fn open(backend: &str, takes: Duration) -> Self {
        let (url, servers) = match backend {
            "redis" => {
                let redis = RedisServer::start(RedisOptions::default());
                (format!("{}?{PATIENT}&bulk_timeout=20s", redis.url()), (Some(redis), Vec::new()))
            }
            "memcached" => {
                let pool = Memcached::start_pool(2, &MemcachedOptions::default());
                (format!("{}?{PATIENT}", Memcached::pool_url(&pool)), (None, pool))
            }
            _ => ("memory://?capacity=256MiB".to_owned(), (None, Vec::new())),
        };
        let mut caches: Vec<(Lookups, Arc<Source>)> = Vec::new();
        for _ in 0..CACHES {
            if let Some(first) = caches.first().filter(|_| backend == "memory") {
                caches.push(first.clone());
                continue;
            }
            let cache = (*rucache::open(&url).await.unwrap()).clone();
            let runtime = cache.runtime().clone();
            let source = Arc::new(Source { calls: AtomicUsize::new(0), takes, runtime });
            let options = LookupOptions::default();
            caches.push((Lookups::new(cache, source.clone(), options).unwrap(), source));
        }
        Self { caches, _servers: servers }
    }
}

/// Runs `test` on every kind of backend.
async fn on_each<F: Future<Output = ()>>(takes: Duration, test: impl Fn(&'static str, Stand) -> F) {
    for backend in ["memory", "redis", "memcached"] {
        test(backend, Stand::open(backend, takes).await).await;
    }
}
