//! Where a fault is provoked: a real server, a proxy before it, a cache as `open` composes it.

use std::fmt;
use std::time::Duration;

use rucache::{Cache, Config, LocalTier};
use rucache_testkit::{Fault, FaultProxy, Memcached, MemcachedOptions, RedisOptions, RedisServer};

/// What a cache stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Site {
    /// A local tier before Redis, with push: what `redis://…` gives.
    Redis,
    /// Redis alone.
    RedisAlone,
    /// Memcached alone: what `memcached://…` gives.
    Memcached,
    /// Three nodes of Memcached.
    Pool,
    Sentinel,
    Cluster,
    /// This process alone.
    Memory,
}

impl Site {
    const fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::RedisAlone => "redis, no local tier",
            Self::Memcached => "memcached",
            Self::Pool => "memcached × 3",
            Self::Sentinel => "redis sentinel",
            Self::Cluster => "redis cluster",
            Self::Memory => "memory",
        }
    }
}

impl Site {
    /// For a command line.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::RedisAlone => "redis-alone",
            Self::Memcached => "memcached",
            Self::Pool => "memcached-3",
            Self::Sentinel => "redis-sentinel",
            Self::Cluster => "redis-cluster",
            Self::Memory => "memory",
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a run of a row is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    pub(crate) site: Site,
    pub(crate) seed: u64,
    /// How long a fault lasts that lasts.
    pub(crate) span: Duration,
}

/// A server.
#[derive(Debug)]
pub(crate) enum Server {
    Redis(RedisServer),
    Memcached(Memcached),
}

impl Server {
    fn start(site: Site) -> Self {
        match site {
            Site::Memcached | Site::Pool => {
                Self::Memcached(Memcached::start(MemcachedOptions::default()))
            }
            _ => Self::Redis(RedisServer::start(RedisOptions::default())),
        }
    }

    fn port(&self) -> u16 {
        match self {
            Self::Redis(server) => server.port(),
            Self::Memcached(server) => server.port(),
        }
    }

    pub(crate) fn kill_9(&self) {
        match self {
            Self::Redis(server) => server.kill_9(),
            Self::Memcached(server) => server.kill_9(),
        }
    }

    pub(crate) fn restart(&self) {
        match self {
            Self::Redis(server) => server.restart(),
            Self::Memcached(server) => server.restart(),
        }
    }

    pub(crate) fn pause(&self) {
        match self {
            Self::Redis(server) => server.pause(),
            Self::Memcached(server) => server.pause(),
        }
    }

    pub(crate) fn resume(&self) {
        match self {
            Self::Redis(server) => server.resume(),
            Self::Memcached(server) => server.resume(),
        }
    }

    /// The Redis server that it is.
    pub(crate) fn redis(&self) -> &RedisServer {
        match self {
            Self::Redis(server) => server,
            Self::Memcached(_) => panic!("this row is for redis"),
        }
    }
}

/// A server behind a proxy.
#[derive(Debug)]
pub(crate) struct Arena {
    pub(crate) server: Server,
    pub(crate) proxy: FaultProxy,
    site: Site,
}

impl Arena {
    pub(crate) fn start(context: &Context) -> Self {
        let server = Server::start(context.site);
        let proxy = FaultProxy::start(server.port(), context.seed);
        Self { server, proxy, site: context.site }
    }

    /// A cache over the server, through the proxy.
    pub(crate) async fn open(&self) -> Cache {
        self.open_with("").await
    }

    /// The same with a query in its URL.
    pub(crate) async fn open_with(&self, query: &str) -> Cache {
        let scheme = match self.server {
            Server::Redis(_) => "redis",
            Server::Memcached(_) => "memcached",
        };
        open(self.site, &format!("{scheme}://{}{query}", self.proxy.address())).await
    }

    /// Lets everything pass again.
    pub(crate) fn heal(&self) {
        self.proxy.set(Fault::Pass);
    }
}

/// The cache of a site at a URL.
pub(crate) async fn open(site: Site, url: &str) -> Cache {
    let mut config = Config::default();
    config.backend = url.parse().unwrap();
    if site == Site::RedisAlone {
        config.local = LocalTier::Off;
    }
    rucache::open_with(config).await.unwrap()
}

/// Returns once `span` has passed: servers live by the real clock.
pub(crate) async fn pause(span: Duration) {
    tokio::time::sleep_until(tokio::time::Instant::now() + span).await;
}

/// Waits until a condition holds, for at most `patience`; whether it came to hold.
pub(crate) async fn until(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let waiting = async {
        while !condition() {
            pause(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(patience, waiting).await.is_ok()
}
