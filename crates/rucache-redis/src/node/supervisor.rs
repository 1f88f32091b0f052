//! The task that connects a node, watches over it, and lets it serve again after it was away.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::{Pipeline, Value};
use rucache_core::Change;
use rucache_core::breaker::{Admission, CircuitState};
use tokio::time::Instant;

use super::establish::{Established, establish};
use super::link::{Connections, Link};
use super::{GRACE, Lane, Node, Place, SUSPECT};
use crate::clock::{after, pause, random};
use crate::connection::Connector;
use crate::error::Cause;
use crate::listeners::Listeners;

/// Time between signs of life asked of a node.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// In this time a node is connected anew twice at most, and once on suspicion alone.
const REST: Duration = Duration::from_secs(1);

/// How often the breaker of a node that is down is asked for a probe.
const TICK: Duration = Duration::from_millis(50);

/// How often Sentinels are asked about a node that is down.
const ASK_SENTINELS: Duration = Duration::from_millis(250);

/// When a node became one of those that are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joins {
    /// With the first picture of the servers.
    AtStart,
    /// Later: a replica that took over lacks what its primary had not told it.
    Later,
}

/// Connects a [`Node`] and keeps it connected.
///
/// All connecting is done here, one attempt at a time, so that a thousand callers of a dead server
/// make no more connections than one. While the node is down it is tried once per second, as its
/// breaker says.
pub(crate) struct Supervisor {
    node: Arc<Node>,
    place: Place,
    connector: Arc<Connector>,
    listeners: Arc<Listeners>,
    joins: Joins,
    run_id: Option<String>,
    /// When the node was joined last, and the time before.
    joined: [Option<Instant>; 2],
    /// When a connection was last replaced on suspicion.
    suspected: Option<Instant>,
    /// What the listeners were told last.
    told: Option<CircuitState>,
    /// Whether it is in the log why the node is down.
    logged: bool,
}

impl Supervisor {
    pub(crate) const fn new(
        node: Arc<Node>,
        place: Place,
        connector: Arc<Connector>,
        listeners: Arc<Listeners>,
        joins: Joins,
    ) -> Self {
        Self {
            node,
            place,
            connector,
            listeners,
            joins,
            run_id: None,
            joined: [None; 2],
            suspected: None,
            told: None,
            logged: false,
        }
    }

    /// Runs for as long as the node is wanted.
    pub(crate) async fn run(mut self) {
        loop {
            self.join().await;
            let link = self.node.link.borrow().clone();
            match link {
                Link::Up(connections) => self.watch(&connections).await,
                Link::Joining(_) | Link::Recovering(..) | Link::Down(_) => {}
            }
            if !self.node.is_up() {
                self.tell_down();
            }
            // Connections that break as soon as they are made are a node that is down.
            let breaks = self.joined.into_iter().all(is_recent);
            if matches!(*self.node.link.borrow(), Link::Joining(_)) && breaks {
                self.down(Cause::NoNode("its connections break as soon as they are made"));
            }
            if matches!(*self.node.link.borrow(), Link::Down(_)) {
                self.tell_down();
                self.wait_for_probe().await;
            }
        }
    }

    /// Tries to connect, and to let the node serve.
    async fn join(&mut self) {
        let established = match establish(&self.place, &self.connector).await {
            Ok(established) => established,
            // The old connection is still there, and only suspected.
            Err(_) if self.node.is_up() => return self.node.late.store(0, Ordering::Relaxed),
            Err(cause) => return self.down(cause),
        };
        self.tell_down_if_up();
        let Established { address, connections, run_id } = established;
        let node = self.node.clone();
        *node.address.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(address);
        node.link.send_modify(|link| {
            let until = match link {
                Link::Up(_) => after(GRACE),
                Link::Joining(until) | Link::Recovering(_, until) => *until,
                Link::Down(_) => after(Duration::ZERO),
            };
            *link = Link::Recovering(connections.clone(), until);
        });
        let is_other = run_id.is_some() && self.run_id.is_some() && run_id != self.run_id;
        if is_other || self.joins == Joins::Later {
            // Another life of the server, or another server in its place: it may lack what was
            // confirmed.
            self.listeners.tell(&Change::Rewound);
        }
        if let Err(error) = self.listeners.node_recovering(node.name()).await {
            tracing::warn!(node = %node.name(), %error, "redis node stays closed");
            return self.down(Cause::Recovering);
        }
        self.joins = Joins::AtStart;
        self.run_id = run_id.or(self.run_id.take());
        self.joined = [Some(after(Duration::ZERO)), self.joined[0]];
        node.late.store(0, Ordering::Relaxed);
        node.read_only.store(0, Ordering::Relaxed);
        node.breaker().reset();
        // It may have broken meanwhile.
        let up = node.link.send_if_modified(|link| {
            let still = matches!(link, Link::Recovering(..));
            if still {
                *link = Link::Up(connections);
            }
            still
        });
        if up {
            tracing::info!(node = %node.name(), "redis node serves");
            self.told = Some(CircuitState::Closed);
            self.logged = false;
            self.listeners.node_up(node.name());
        }
    }

    /// Returns when the node needs to be connected anew, or is down.
    async fn watch(&mut self, connections: &Connections) {
        let node = self.node.clone();
        loop {
            tokio::select! {
                () = connections.data.ended() => return node.lost(connections.data.id()),
                () = connections.bulk.ended() => return node.lost(connections.bulk.id()),
                () = node.wake.notified() => {}
                () = pause(HEARTBEAT) => {
                    if !self.is_alive(connections).await || self.has_moved().await {
                        return;
                    }
                }
            }
            let suspect = node.late.load(Ordering::Relaxed) >= SUSPECT;
            let read_only = node.read_only.load(Ordering::Relaxed) > 0;
            if !node.is_up() {
                return;
            }
            if (suspect || read_only) && !is_recent(self.suspected) {
                self.suspected = Some(after(Duration::ZERO));
                return;
            }
        }
    }

    /// Asks for a sign of life; a connection that does not give one is lost.
    ///
    /// The answer has to be to this very question: on a connection whose answers have got out of
    /// step with the questions, everybody gets somebody else's.
    async fn is_alive(&self, connections: &Connections) -> bool {
        let (mut ping, question) = (Pipeline::new(), random().to_string());
        ping.cmd("PING").arg(&question);
        let deadline = after(self.connector.timeout());
        let node = &self.node;
        for (connection, lane) in [(&connections.data, Lane::Data), (&connections.bulk, Lane::Bulk)]
        {
            let admission = node.breaker().pass();
            match connection.exchange(&ping, deadline).await {
                Ok(answers) => {
                    let in_step = |answer: &Value| match answer {
                        Value::BulkString(text) => text == question.as_bytes(),
                        Value::ServerError(_) => true,
                        _ => false,
                    };
                    if !answers.first().is_some_and(in_step) {
                        node.lost(connection.id());
                    }
                    node.answered(&answers, lane, admission);
                }
                Err(Cause::Deadline) if lane == Lane::Data => node.missed(admission),
                // A long listing may be in the way there.
                Err(Cause::Deadline) => {}
                Err(_) => node.lost(connection.id()),
            }
        }
        node.is_up()
    }

    /// Whether the Sentinels name another server by now.
    async fn has_moved(&self) -> bool {
        if matches!(self.place, Place::At(_)) {
            return false;
        }
        let known = self.node.address();
        self.place.find().await.is_ok_and(|address| Some(address) != known)
    }

    /// Leaves the node alone until the breaker asks for a probe.
    fn down(&self, cause: Cause) {
        self.node.breaker().trip(self.node.clock.now(), random());
        self.node.link.send_replace(Link::Down(Cause::Open(Box::new(cause))));
    }

    async fn wait_for_probe(&self) {
        let mut ask = after(ASK_SENTINELS);
        loop {
            if matches!(self.node.breaker().admit(self.node.clock.now()), Admission::Probe(_)) {
                return;
            }
            if after(Duration::ZERO) >= ask {
                if self.has_moved().await {
                    return;
                }
                ask = after(ASK_SENTINELS);
            }
            pause(TICK).await;
        }
    }

    fn tell_down_if_up(&mut self) {
        if self.told == Some(CircuitState::Closed) {
            self.tell_down();
        }
    }

    fn tell_down(&mut self) {
        if self.told != Some(CircuitState::Open) {
            self.told = Some(CircuitState::Open);
            self.listeners.node_down(self.node.name());
        }
        // A connection that breaks has no cause yet: the next attempt finds it out, or mends it.
        if let Link::Down(cause) = &*self.node.link.borrow()
            && !std::mem::replace(&mut self.logged, true)
        {
            tracing::warn!(node = %self.node.name(), %cause, "redis node is down");
        }
    }
}

fn is_recent(moment: Option<Instant>) -> bool {
    moment.is_some_and(|moment| moment.elapsed() < REST)
}
