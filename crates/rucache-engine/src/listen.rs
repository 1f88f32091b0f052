//! Listening to the shared tier: changes made elsewhere, nodes that go and come back.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{self, Either};
use rucache_core::breaker::CircuitState;
use rucache_core::observer::{Origin, PushChange, Scope};
use rucache_core::{
    CacheEvent, Change, Count, Error, Key, Listener, Marker, Precondition, ServiceName, Ttl, Write,
};

use crate::engine::Engine;

/// How long the echo of a change may take before push counts as silent.
const ECHO: Duration = Duration::from_secs(1);

/// How long a silent push is left alone before it is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

#[async_trait]
impl Listener for Engine {
    fn changed(&self, change: Change) {
        let pushed = PushChange::from(&change);
        self.observe(|| CacheEvent::Pushed { backend: self.backend_name(), change: pushed });
        match change {
            Change::Entries(keys) => keys.iter().for_each(|key| self.entry_changed(key)),
            Change::Markers(markers) => {
                markers.iter().for_each(|marker| self.marker_changed(marker))
            }
            Change::Service(name) => {
                self.services.raise(name.as_str());
                self.pushed(name.as_str(), Scope::Namespace);
            }
            Change::Everything => self.everything_changed(),
            Change::Rewound => {
                self.services.raise_everything();
                self.rewound.store(true, Ordering::Release);
            }
            Change::PushLost => self.push.lost(),
            Change::PushRestored => self.prove_push(),
            _ => self.services.raise_everything(),
        }
    }

    fn node_down(&self, node: &str) {
        self.circuit(node, CircuitState::Open);
        let mut down = self.nodes_down.lock().unwrap_or_else(PoisonError::into_inner);
        if !down.iter().any(|known| known == node) {
            down.push(node.to_owned());
        }
    }

    async fn node_recovering(&self, node: &str) -> Result<(), Error> {
        self.circuit(node, CircuitState::HalfOpen);
        self.recover().await
    }

    fn node_up(&self, node: &str) {
        self.circuit(node, CircuitState::Closed);
        let mut down = self.nodes_down.lock().unwrap_or_else(PoisonError::into_inner);
        down.retain(|known| known != node);
    }
}

impl Engine {
    fn backend_name(&self) -> &'static str {
        self.shared.as_ref().map_or("none", |shared| shared.backend.capabilities().name)
    }

    fn circuit(&self, node: &str, state: CircuitState) {
        self.observe(|| CacheEvent::Circuit { backend: self.backend_name(), node, state });
    }

    fn entry_changed(&self, key: &Key) {
        self.push.heard(key);
        self.flights.fence(key, || self.local.as_ref().is_some_and(|local| local.remove(key)));
        self.pushed(key.service(), Scope::Key);
    }

    fn everything_changed(&self) {
        self.services.raise_everything();
        for service in self.services.all() {
            service.counters.add(Count::Invalidation(Scope::All, Origin::Push), 1);
        }
    }

    fn marker_changed(&self, marker: &Marker) {
        match marker {
            Marker::Root => self.everything_changed(),
            Marker::Service(name) => {
                self.services.raise(name.as_str());
                self.pushed(name.as_str(), Scope::Namespace);
            }
            Marker::TagEpoch(name) => self.services.raise_epoch(name.as_str()),
            Marker::Tag(tag) => {
                self.raise_tag(tag);
                self.pushed(tag.service(), Scope::Tag);
            }
        }
    }

    /// Counts what was told, for services that anything was ever asked of here.
    fn pushed(&self, service: &str, scope: Scope) {
        if let Some(service) = self.services.known(service) {
            service.counters.add(Count::Invalidation(scope, Origin::Push), 1);
        }
    }

    /// Changes an entry of its own and waits for the echo, before anything is trusted to it.
    fn prove_push(&self) {
        let turn = self.push.restored();
        let Some(engine) = self.myself.upgrade() else { return };
        self.runtime.spawn(Box::pin(async move {
            let weak = Arc::downgrade(&engine);
            let mut engine = Some(engine);
            while let Some(alive) = engine {
                match alive.hears_itself(turn).await {
                    None => return,
                    Some(true) => {
                        // What was copied while it was silent may have changed.
                        alive.services.raise_everything();
                        return alive.push.proven(turn);
                    }
                    Some(false) => {}
                }
                let nap = alive.runtime.sleep(TRY_AGAIN);
                drop(alive);
                nap.await;
                engine = weak.upgrade();
            }
        }));
    }

    /// Whether a change comes back; none if push was lost meanwhile.
    async fn hears_itself(&self, turn: u64) -> Option<bool> {
        let shared = self.shared.as_ref()?;
        let service = ServiceName::from_static("cache");
        let key = Key::of_kind(&service, "push", self.runtime.random()).ok()?;
        let echo = self.push.await_echo(turn, key.clone())?;
        let write = Write {
            key: key.clone(),
            value: Bytes::from_static(b"push"),
            ttl: Ttl::secs(10),
            when: Precondition::Always,
        };
        let written = shared.backend.write_many(&[write]).await;
        if !matches!(written.first(), Some(Ok(_))) {
            return Some(false);
        }
        let heard = future::select(echo, self.runtime.sleep(ECHO)).await;
        Some(matches!(heard, Either::Left((Ok(()), _))))
    }
}
