//! What a cache says of its own state.

use std::sync::PoisonError;
use std::time::Duration;

use rucache_core::{Counts, ServiceName};

use crate::{Cache, PROBE_SERVICE, PushState};

/// How much longer than it should a flight may hold its key before that counts as stuck.
const GRACE: Duration = Duration::from_secs(1);

/// The state of a cache at a moment; asking costs a look at each flight.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Keys that a flight has held for longer than a wait for another process and a load may take.
    pub stuck_keys: usize,
    /// Calls of loaders that run.
    pub loads: usize,
    /// Invalidations that the backend has not confirmed yet.
    pub undelivered: usize,
    /// Whether the backend tells what changes.
    pub push: PushState,
    /// Nodes of the backend that do not answer.
    pub nodes_down: Vec<String>,
}

impl Cache {
    /// The state of this cache.
    #[must_use]
    pub fn health(&self) -> Health {
        let engine = self.engine();
        // As long again a key may wait for a load in another process.
        let limit = engine.timing.load_deadline * 2 + GRACE;
        let nodes_down = engine.nodes_down.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Health {
            stuck_keys: engine.flights.stuck(engine.runtime.now(), limit),
            loads: engine.bulkhead.running(),
            undelivered: engine.outbox.len(),
            push: engine.push.state(),
            nodes_down,
        }
    }

    /// What was counted since the start, for each service that anything was asked of; probes are not.
    #[must_use]
    pub fn stats(&self) -> Vec<(ServiceName, Counts)> {
        let read =
            |service: &crate::services::Service| (service.name.clone(), service.counters.read());
        let services = self.engine().services.all();
        services.filter(|service| service.name.as_str() != PROBE_SERVICE).map(read).collect()
    }

    /// Drops what is over in the local tier, and tags that nobody carries any more; how many entries
    /// were dropped. The cache does so by itself as it is filled.
    #[must_use]
    pub fn maintain(&self) -> u64 {
        let dropped = self.engine().drop_what_is_over();
        self.engine().tags.compact();
        dropped
    }
}
