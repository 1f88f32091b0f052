//! The backend: the whole contract on memcached.

use std::fmt;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use futures_util::future::join_all;
use rucache_core::{
    Answers, Backend, Capabilities, Companions, Error, Fetched, Info, Key, KeyPage, Lease,
    LeaseEnd, LeaseHold, LeaseRequest, Listener, MapEntry, MapPage, Marker, MarkerRef,
    MarkerVersion, Operation, ServiceName, Timestamp, Ttl, Write, WriteOutcome,
};

use crate::error::{NAME, Refusal};
use crate::node::Node;
use crate::pool::Pool;
use crate::{InvalidConfig, MemcachedConfig, stats};

/// [`Backend`] on one memcached, or on a pool of independent ones.
///
/// - Calls end within [`timeout`](MemcachedConfig::timeout), and at once at a node that failed five
///   times in a row; such a node is tried again about every second, over new connections to a newly
///   resolved address. Nothing needs to be up when the backend is opened.
/// - A node that is down takes its keys with it: they are misses, and never looked for elsewhere.
/// - When it is back it is not read before every [`Listener`] has delivered what it missed.
/// - TTLs are whole seconds, up to two longer than asked, and past 30 days as right as this
///   machine's clock.
/// - A full server evicts what was not used for longest, also leases, markers and buckets of maps.
///   A lost lease refuses its fill, a lost marker makes its entries misses, a lost bucket costs the
///   listing of its members.
/// - It neither pushes nor lists keys. A batch in which the server refuses one write reports those
///   after it as [interrupted](rucache_core::ErrorKind::Interrupted).
///
/// Its calls must run on a tokio runtime with I/O and time enabled that lives as long as it does.
///
/// ```no_run
/// use rucache_core::{BackendExt, Key, Ttl};
/// use rucache_memcached::MemcachedBackend;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = MemcachedBackend::open("memcached://10.0.0.1,10.0.0.2?prefix=shop")?;
/// backend.set(&Key::parse("migo:greeting")?, "hola".into(), Ttl::SHORT).await?;
/// # Ok(())
/// # }
/// ```
pub struct MemcachedBackend {
    pool: Pool,
}

impl MemcachedBackend {
    /// The backend at a URL such as `memcached://10.0.0.1,10.0.0.2:11211?timeout=50ms`. Nothing is
    /// connected yet.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] where the URL is wrong.
    pub fn open(url: &str) -> Result<Self, InvalidConfig> {
        url.parse().map(Self::new)
    }

    /// The backend with these settings. Nothing is connected yet.
    #[must_use]
    pub fn new(config: MemcachedConfig) -> Self {
        Self { pool: Pool::new(config) }
    }
}

#[async_trait]
impl Backend for MemcachedBackend {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(NAME);
        capabilities.shared = true;
        capabilities.max_value_len = self.pool.config.max_value_len();
        capabilities
    }

    async fn get_many(&self, keys: &[Key], companions: Companions) -> Answers<Fetched> {
        self.pool.get(keys, companions).await
    }

    async fn write_many(&self, writes: &[Write]) -> Answers<WriteOutcome> {
        self.pool.write(writes).await
    }

    async fn delete_many(&self, keys: &[Key]) -> Answers<bool> {
        self.pool.delete(keys).await
    }

    async fn expire_many(&self, keys: &[Key]) -> Answers<bool> {
        self.pool.expire(keys).await
    }

    async fn lease_many(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
        self.pool.ask(requests).await
    }

    async fn renew_many(&self, holds: &[LeaseHold], ttl: Ttl) -> Answers<bool> {
        self.pool.renew(holds, ttl).await
    }

    async fn release_many(&self, ends: &[LeaseEnd]) -> Answers<bool> {
        self.pool.release(ends).await
    }

    async fn add_many(&self, additions: &[(Key, u64)], ttl: Ttl) -> Answers<u64> {
        self.pool.add(additions, ttl).await
    }

    async fn markers(&self, at: &[MarkerRef], seed: MarkerVersion) -> Answers<MarkerVersion> {
        self.pool.markers(at, seed).await
    }

    async fn bump(&self, markers: &[Marker], seed: MarkerVersion) -> Answers<()> {
        self.pool.bump(markers, seed).await
    }

    async fn map_put(&self, map: &Key, entries: &[MapEntry], now: Timestamp) -> Result<u64, Error> {
        self.pool.map_put(map, entries, now).await
    }

    async fn map_remove(
        &self,
        map: &Key,
        members: &[String],
        now: Timestamp,
    ) -> Result<u64, Error> {
        self.pool.map_remove(map, members, now).await
    }

    async fn map_page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Error> {
        self.pool.map_page(map, cursor, limit, now).await
    }

    async fn map_len(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        self.pool.map_len(map, now).await
    }

    async fn map_purge(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        self.pool.map_purge(map, now).await
    }

    async fn scan(&self, _: &ServiceName, _: Option<&str>, _: usize) -> Result<KeyPage, Error> {
        Err(Refusal::Scan.during(Operation::Scan))
    }

    fn subscribe(&self, listener: Weak<dyn Listener>) {
        let Some(alive) = listener.upgrade() else { return };
        self.pool.listeners.add(listener);
        for node in &self.pool.nodes {
            match node.check_reads() {
                Ok(()) => alive.node_up(node.name()),
                Err(_) => alive.node_down(node.name()),
            }
        }
    }

    async fn ping(&self) -> Result<(), Error> {
        let deadline = self.pool.limit().whole;
        let ping = |node: &Arc<Node>| {
            let node = node.clone();
            async move {
                let answer = node.ping(deadline).await;
                answer.map_err(|trouble| trouble.at(node.name(), Operation::Ping))
            }
        };
        join_all(self.pool.nodes.iter().map(ping)).await.into_iter().collect()
    }

    /// The nodes that answer, added up; an error where none does.
    async fn info(&self) -> Result<Info, Error> {
        let deadline = self.pool.limit().whole;
        let ask = |node: &Arc<Node>| {
            let node = node.clone();
            async move {
                let info = stats::ask(node.name(), deadline).await;
                info.map_err(|trouble| trouble.at(node.name(), Operation::Info))
            }
        };
        let answers = join_all(self.pool.nodes.iter().map(ask)).await;
        let add = |sum: Result<Info, Error>, node| match (sum, node) {
            (Ok(sum), Ok(node)) => Ok(stats::add(sum, node)),
            (Ok(info), Err(_)) | (Err(_), Ok(info)) => Ok(info),
            (Err(first), Err(_)) => Err(first),
        };
        answers.into_iter().reduce(add).unwrap_or_else(|| Ok(Info::default()))
    }
}

impl fmt::Debug for MemcachedBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemcachedBackend")
            .field("servers", &self.pool.config.servers)
            .finish_non_exhaustive()
    }
}
