//! The nodes together: what goes where, and how long it may take.

use std::sync::Arc;
use std::time::Duration;

use rucache_core::{Error, Key, KeyCodec, Marker, Operation};
use tokio::time::Instant;

use crate::MemcachedConfig;
use crate::client::Name;
use crate::error::Trouble;
use crate::hash::Router;
use crate::node::{Clock, Listeners, Node};

/// The nodes, and how things are named on them.
pub(crate) struct Pool {
    pub(crate) nodes: Vec<Arc<Node>>,
    codec: KeyCodec,
    pub(crate) clock: Clock,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) config: MemcachedConfig,
    router: Router,
}

/// How many round trips one step of a map's change may take before it gives up on its rivals.
const MAP_ROUNDS: u32 = 20;

impl Pool {
    pub(crate) fn new(config: MemcachedConfig) -> Self {
        let (clock, listeners) = (Clock::start(), Arc::new(Listeners::default()));
        let node = |server: &crate::Server| {
            Arc::new(Node::new(server.clone(), &config, &clock, &listeners))
        };
        Self {
            nodes: config.servers.iter().map(node).collect(),
            codec: config.prefix.clone().map_or_else(KeyCodec::default, KeyCodec::with_prefix),
            router: Router::new(&config.servers),
            clock,
            listeners,
            config,
        }
    }

    /// The index of the node that holds `name`.
    pub(crate) fn node_of(&self, name: &Name) -> usize {
        self.router.node_of(name.as_bytes())
    }

    /// The name of an entry.
    pub(crate) fn entry(&self, key: &Key) -> Name {
        self.codec.entry(key).as_str().into()
    }

    /// The name of the lease of a present entry.
    pub(crate) fn lease(&self, key: &Key) -> Name {
        self.codec.lease(key).as_str().into()
    }

    /// The name of a counter.
    pub(crate) fn counter(&self, key: &Key) -> Name {
        self.codec.counter(key).as_str().into()
    }

    /// The name of a marker's copy.
    pub(crate) fn marker(&self, marker: &Marker) -> Name {
        self.codec.marker(marker).as_str().into()
    }

    /// The names of a map's buckets.
    pub(crate) fn buckets(&self, map: &Key) -> impl Fn(u16) -> Name + use<> {
        let map = self.codec.map(map);
        move |bucket| format!("{}:{bucket:03x}", map.as_str()).into()
    }

    /// A call that begins now.
    pub(crate) fn limit(&self) -> Limit {
        let round = self.config.timeout;
        Limit { whole: Instant::now() + round, round }
    }

    /// A change of maps that begins now: it may take many round trips, each of them a call's time.
    pub(crate) fn map_limit(&self) -> Limit {
        let round = self.config.timeout;
        Limit { whole: Instant::now() + round * MAP_ROUNDS, round }
    }

    /// The core error of `trouble` at the node of this index.
    pub(crate) fn error(&self, node: usize, trouble: Trouble, operation: Operation) -> Error {
        trouble.at(self.nodes.get(node).map_or("", |node| node.name()), operation)
    }
}

/// How long something may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) whole: Instant,
    pub(crate) round: Duration,
}

impl Limit {
    /// When a round trip that begins now ends at the latest.
    pub(crate) fn next(self) -> Instant {
        self.whole.min(Instant::now() + self.round)
    }

    pub(crate) fn is_over(self) -> bool {
        Instant::now() >= self.whole
    }
}
