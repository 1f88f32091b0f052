//! The backend: the contract, operation by operation.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use redis::Value;
use rucache_core::{
    Answers, Backend, Capabilities, Companions, Error, Fetched, Info, Key, KeyCodec, KeyPage,
    Lease, LeaseEnd, LeaseHold, LeaseRequest, Listener, MapEntry, MapPage, Marker, MarkerRef,
    MarkerVersion, Operation, ServiceName, Timestamp, Ttl, Write, WriteOutcome,
};

use crate::clock::after;
use crate::config::RedisConfig;
use crate::error::{Cause, Failure, NAME};
use crate::fleet::Fleet;
use crate::listeners::Listeners;
use crate::node::{Access, Call, Lane, Node};
use crate::request::Request;

/// How long opening waits for a server before it goes on without.
const PATIENCE: Duration = Duration::from_millis(500);

/// [`Backend`] on a Redis server, the primary that Sentinels name, or a Cluster; Valkey is the same.
///
/// All callers share one connection to each primary for short requests, a second one carries
/// listings, maps and admin work, and a third one push. They are made, watched and made anew by
/// tasks of its own: a server that is down at the start or goes down later is joined by itself.
/// Dropping the last handle ends the tasks and closes the connections.
///
/// ```no_run
/// use rucache_core::{BackendExt, Key, Ttl};
/// use rucache_redis::RedisBackend;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = RedisBackend::open("redis://localhost:6379/0?timeout=50ms").await?;
/// let key = Key::parse("migo:greeting")?;
/// backend.set_json(&key, &"hola", Ttl::SHORT).await?;
/// let greeting: Option<String> = backend.get_json(&key).await?;
/// assert_eq!(greeting.as_deref(), Some("hola"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisBackend {
    shared: Arc<Shared>,
}

/// What all handles and operations share.
pub(crate) struct Shared {
    pub(crate) fleet: Fleet,
    pub(crate) codec: KeyCodec,
    pub(crate) max_value_len: usize,
    listeners: Arc<Listeners>,
    timeout: Duration,
    bulk_timeout: Duration,
}

impl RedisBackend {
    /// Opens the backend at `url`; see [`RedisConfig`] for its form.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect), and [`Invalid`](rucache_core::ErrorKind::Invalid) for a URL
    /// that is none.
    pub async fn open(url: &str) -> Result<Self, Error> {
        let invalid = |reason: crate::InvalidConfig| {
            Failure::from(Cause::Setting(reason.to_string())).during(Operation::Open)
        };
        Self::connect(url.parse().map_err(invalid)?).await
    }

    /// Opens the backend under `config`. Waits up to half a second for the servers, and goes on
    /// without them: they are joined when they come up.
    ///
    /// # Errors
    ///
    /// [`Invalid`](rucache_core::ErrorKind::Invalid) where the certificates to trust cannot be
    /// read, or no tokio runtime is there to work on.
    pub async fn connect(config: RedisConfig) -> Result<Self, Error> {
        let refused = |cause: Cause| Failure::from(cause).during(Operation::Open);
        if tokio::runtime::Handle::try_current().is_err() {
            let why = "a Redis backend works on a tokio runtime, and there is none".to_owned();
            return Err(refused(Cause::Setting(why)));
        }
        let listeners = Arc::new(Listeners::new());
        let shared = Shared {
            fleet: Fleet::new(&config, listeners.clone()).map_err(refused)?,
            codec: config.codec(),
            max_value_len: config.max_value_len,
            listeners,
            timeout: config.timeout,
            bulk_timeout: config.bulk_timeout,
        };
        let deadline = after(PATIENCE);
        let call = Call { lane: Lane::Data, access: Access::Facts, deadline };
        for node in shared.primaries(call).await {
            node.settled(deadline).await;
        }
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl Shared {
    /// A short request that has to end within the timeout.
    pub(crate) fn call(&self, access: Access) -> Call {
        Call { lane: Lane::Data, access, deadline: after(self.timeout) }
    }

    /// A long request, out of the way of the others.
    pub(crate) fn bulk(&self, access: Access) -> Call {
        Call { lane: Lane::Bulk, access, deadline: after(self.bulk_timeout) }
    }

    /// The primaries, once a Cluster has been found.
    pub(crate) async fn primaries(&self, call: Call) -> Vec<Arc<Node>> {
        if let Fleet::Cluster(cluster) = &self.fleet {
            cluster.found(call).await;
        }
        self.fleet.primaries()
    }

    /// Sends changes, once.
    pub(crate) async fn change(&self, requests: Vec<Request>) -> Vec<Result<Value, Failure>> {
        self.fleet.send(requests, self.call(Access::Change)).await
    }
}

#[async_trait]
impl Backend for RedisBackend {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(NAME);
        capabilities.shared = true;
        capabilities.push = true;
        capabilities.scan = true;
        capabilities.max_value_len = self.shared.max_value_len;
        capabilities
    }

    async fn get_many(&self, keys: &[Key], companions: Companions) -> Answers<Fetched> {
        self.shared.get_many(keys, companions).await
    }

    async fn write_many(&self, writes: &[Write]) -> Answers<WriteOutcome> {
        self.shared.write_many(writes).await
    }

    async fn delete_many(&self, keys: &[Key]) -> Answers<bool> {
        self.shared.delete_many(keys).await
    }

    async fn expire_many(&self, keys: &[Key]) -> Answers<bool> {
        self.shared.expire_many(keys).await
    }

    async fn lease_many(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
        self.shared.lease_many(requests).await
    }

    async fn renew_many(&self, holds: &[LeaseHold], ttl: Ttl) -> Answers<bool> {
        self.shared.renew_many(holds, ttl).await
    }

    async fn release_many(&self, ends: &[LeaseEnd]) -> Answers<bool> {
        self.shared.release_many(ends).await
    }

    async fn add_many(&self, additions: &[(Key, u64)], ttl: Ttl) -> Answers<u64> {
        self.shared.add_many(additions, ttl).await
    }

    async fn markers(&self, at: &[MarkerRef], seed: MarkerVersion) -> Answers<MarkerVersion> {
        self.shared.markers(at, seed).await
    }

    async fn bump(&self, markers: &[Marker], seed: MarkerVersion) -> Answers<()> {
        self.shared.bump(markers, seed).await
    }

    async fn map_put(&self, map: &Key, entries: &[MapEntry], now: Timestamp) -> Result<u64, Error> {
        let put = self.shared.map_put(map, entries, now).await;
        put.map_err(|failure| failure.during(Operation::MapWrite))
    }

    async fn map_remove(
        &self,
        map: &Key,
        members: &[String],
        now: Timestamp,
    ) -> Result<u64, Error> {
        let removed = self.shared.map_remove(map, members, now).await;
        removed.map_err(|failure| failure.during(Operation::MapWrite))
    }

    async fn map_page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Error> {
        let page = self.shared.map_page(map, cursor, limit, now).await;
        page.map_err(|failure| failure.during(Operation::MapRead))
    }

    async fn map_len(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        let len = self.shared.map_len(map, now).await;
        len.map_err(|failure| failure.during(Operation::MapRead))
    }

    async fn map_purge(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        let dropped = self.shared.map_purge(map, now).await;
        dropped.map_err(|failure| failure.during(Operation::MapWrite))
    }

    async fn scan(
        &self,
        service: &ServiceName,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<KeyPage, Error> {
        let page = self.shared.scan(service, cursor, limit).await;
        page.map_err(|failure| failure.during(Operation::Scan))
    }

    fn subscribe(&self, listener: Weak<dyn Listener>) {
        let Some(alive) = listener.upgrade() else { return };
        self.shared.listeners.add(listener);
        // Those that are still being connected tell it themselves.
        for node in self.shared.fleet.primaries() {
            match node.is_up() {
                true => alive.node_up(node.name()),
                false if node.is_down() => alive.node_down(node.name()),
                false => {}
            }
        }
    }

    async fn ping(&self) -> Result<(), Error> {
        self.shared.ping().await.map_err(|failure| failure.during(Operation::Ping))
    }

    async fn info(&self) -> Result<Info, Error> {
        self.shared.info().await.map_err(|failure| failure.during(Operation::Info))
    }
}

impl fmt::Debug for RedisBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes = self.shared.fleet.primaries();
        let nodes: Vec<_> = nodes.iter().map(|node| node.name().to_string()).collect();
        f.debug_struct("RedisBackend").field("nodes", &nodes).finish_non_exhaustive()
    }
}
