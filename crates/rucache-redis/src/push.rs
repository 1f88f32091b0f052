//! What a server tells unasked: one connection of its own to each primary, over RESP3.
//!
//! Tracking ends with its connection, and the end of a silent one is noticed by a heartbeat only.
//! Until tracking is on again and the listeners have been told that anything may have changed, push
//! counts as lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use redis::{Pipeline, PushInfo, PushKind, Value};
use rucache_core::{Change, KeyCodec, Marker, ServiceName, SlotName};
use tokio::time::timeout_at;

use crate::clock::{after, pause};
use crate::config::Address;
use crate::connection::{Connection, Connector, Purpose, PushSink};
use crate::error::{Cause, Refused};
use crate::listeners::Listeners;
use crate::node::Node;

/// Time between signs of life, and how long one may take.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// Time between attempts.
const RETRY: Duration = Duration::from_millis(500);

/// Keeps the push connection of one node.
pub(crate) struct Push {
    node: Arc<Node>,
    connector: Arc<Connector>,
    listeners: Arc<Listeners>,
    codec: KeyCodec,
    _registration: Registration,
}

impl Push {
    /// From now on push is not to be trusted before this node's is.
    pub(crate) fn new(
        node: Arc<Node>,
        connector: Arc<Connector>,
        listeners: Arc<Listeners>,
        codec: KeyCodec,
    ) -> Self {
        let _registration = Registration::new(&node, &listeners);
        Self { node, connector, listeners, codec, _registration }
    }

    /// Runs for as long as the node is wanted. Connects when somebody listens.
    pub(crate) async fn run(self) {
        self.listeners.somebody().await;
        let mut warned = false;
        loop {
            if let Some(address) = self.node.address() {
                match self.track(&address).await {
                    Ok(connection) => {
                        warned = false;
                        self.listeners.set_push(self.node.name(), true);
                        self.hold(&connection, &address).await;
                        self.listeners.set_push(self.node.name(), false);
                    }
                    Err(cause) if !warned => {
                        warned = true;
                        tracing::warn!(node = %self.node.name(), %cause, "redis push is off");
                    }
                    Err(_) => {}
                }
            }
            pause(RETRY).await;
        }
    }

    /// Connects and turns tracking on.
    async fn track(&self, address: &Address) -> Result<Connection, Cause> {
        let (listeners, codec) = (self.listeners.clone(), self.codec.clone());
        let sink: PushSink = Arc::new(move |push: PushInfo| {
            for change in changes(&codec, &push) {
                listeners.tell(&change);
            }
        });
        let connection = self.connector.open(address, Purpose::Push(sink)).await?;
        let tracking = tracking(&self.codec);
        let answers = connection.exchange(&tracking, after(self.connector.timeout())).await?;
        match answers.first() {
            Some(Value::ServerError(error)) => Err(Cause::Handshake(Refused::from(error))),
            _ => Ok(connection),
        }
    }

    /// Returns when the connection is broken or silent, or the node is elsewhere.
    async fn hold(&self, connection: &Connection, address: &Address) {
        let mut ping = Pipeline::new();
        ping.cmd("PING");
        loop {
            if timeout_at(after(HEARTBEAT), connection.ended()).await.is_ok() {
                return;
            }
            let alive = connection.exchange(&ping, after(HEARTBEAT)).await.is_ok();
            if !alive || self.node.address().as_ref() != Some(address) {
                return;
            }
        }
    }
}

/// A node whose push counts, until this is dropped.
struct Registration {
    node: Arc<Node>,
    listeners: Arc<Listeners>,
}

impl Registration {
    fn new(node: &Arc<Node>, listeners: &Arc<Listeners>) -> Self {
        listeners.set_push(node.name(), false);
        Self { node: node.clone(), listeners: listeners.clone() }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.listeners.forget_push(self.node.name());
    }
}

/// Asks for everything under the deployment's prefix; without one, for everything.
fn tracking(codec: &KeyCodec) -> Pipeline {
    let mut pipeline = Pipeline::new();
    pipeline.cmd("CLIENT").arg("TRACKING").arg("ON").arg("BCAST");
    if let Some(prefix) = codec.prefix() {
        let prefix = prefix.as_str();
        for tracked in [
            format!("{prefix}:"),
            format!("~r:{prefix}"),
            format!("~s:{prefix}:"),
            format!("~e:{prefix}:"),
            format!("~t:{prefix}:"),
        ] {
            pipeline.arg("PREFIX").arg(tracked);
        }
    }
    pipeline
}

/// What a push message says.
fn changes(codec: &KeyCodec, push: &PushInfo) -> Vec<Change> {
    if push.kind != PushKind::Invalidate {
        return Vec::new();
    }
    let names = match push.data.first() {
        Some(Value::Array(names)) => names.as_slice(),
        // FLUSHALL and FLUSHDB.
        _ => return vec![Change::Everything],
    };
    let mut entries = Vec::new();
    let mut markers: Vec<Marker> = Vec::new();
    let mut services: BTreeSet<ServiceName> = BTreeSet::new();
    for name in names {
        let Value::BulkString(name) = name else { continue };
        let Ok(name) = std::str::from_utf8(name) else { continue };
        match codec.decode(name) {
            Some(SlotName::Entry(key)) => entries.push(key),
            Some(SlotName::Marker(marker)) => markers.push(marker),
            Some(SlotName::Hashed(service)) => drop(services.insert(service)),
            // Leases, counters and maps have no copies; other names are not ours.
            _ => {}
        }
    }
    let mut changes = Vec::new();
    if !entries.is_empty() {
        changes.push(Change::Entries(entries));
    }
    if !markers.is_empty() {
        changes.push(Change::Markers(markers));
    }
    changes.extend(services.into_iter().map(Change::Service));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use rucache_core::Key;

    fn told(codec: &KeyCodec, names: &[&str]) -> Vec<Change> {
        let names = names.iter().map(|name| Value::BulkString(name.as_bytes().to_vec()));
        let data = vec![Value::Array(names.collect())];
        changes(codec, &PushInfo { kind: PushKind::Invalidate, data })
    }

    #[test]
    fn names_become_keys_markers_and_services() {
        let codec = KeyCodec::default();
        let key = Key::parse("migo:ruc_20131312955").unwrap();
        let migo = key.service_name();
        let long = Key::new(&migo, &"x".repeat(300)).unwrap();
        let found = told(
            &codec,
            &[
                "migo:ruc_20131312955",
                "~s:migo",
                "~r",
                "~l:{migo:ruc_20131312955}",
                "somebody elses",
                codec.entry(&long).as_str(),
            ],
        );
        assert_eq!(
            found,
            [
                Change::Entries(vec![key]),
                Change::Markers(vec![Marker::Service(migo.clone()), Marker::Root]),
                Change::Service(migo),
            ]
        );
    }

    #[test]
    fn names_of_no_interest_say_nothing() {
        assert_eq!(told(&KeyCodec::default(), &["~n:{migo:x}", "~m:{migo:x}:x", "\u{7f}"]), []);
    }

    #[test]
    fn a_flush_says_that_anything_may_have_changed() {
        let push = PushInfo { kind: PushKind::Invalidate, data: vec![Value::Nil] };
        assert_eq!(changes(&KeyCodec::default(), &push), [Change::Everything]);
    }

    #[test]
    fn the_end_of_a_connection_is_no_change() {
        let push = PushInfo { kind: PushKind::Disconnection, data: Vec::new() };
        assert_eq!(changes(&KeyCodec::default(), &push), []);
    }

    #[test]
    fn tracked_prefixes_are_those_of_the_deployment() {
        let args = |codec: &KeyCodec| {
            let pipeline = tracking(codec);
            let packed = pipeline.get_packed_pipeline();
            let lines = String::from_utf8(packed).unwrap();
            lines.lines().filter(|line| !line.starts_with(['*', '$'])).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(args(&KeyCodec::default()), "CLIENT TRACKING ON BCAST");
        assert_eq!(
            args(&KeyCodec::with_prefix("isla".parse().unwrap())),
            "CLIENT TRACKING ON BCAST PREFIX isla: PREFIX ~r:isla PREFIX ~s:isla: PREFIX ~e:isla: \
             PREFIX ~t:isla:"
        );
    }
}
