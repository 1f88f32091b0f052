//! The nodes together: what goes where, and how long it may take.

use std::sync::Arc;
use std::time::Duration;

use rucache_core::{Error, Key, KeyCodec, Operation, WireKey};
use tokio::time::Instant;

use crate::MemcachedConfig;
use crate::error::Trouble;
use crate::hash::Router;
use crate::node::{Clock, Listeners, Node};

/// The nodes, and how things are named on them.
pub(crate) struct Pool {
    pub(crate) nodes: Vec<Arc<Node>>,
    pub(crate) codec: KeyCodec,
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
    pub(crate) fn node_of(&self, name: &WireKey) -> usize {
        self.router.node_of(name.as_bytes())
    }

    /// The index of the node that holds the entry of `key` and all that stands beside it.
    pub(crate) fn home_of(&self, key: &Key) -> usize {
        self.node_of(&self.codec.entry(key))
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
