//! The way back of a node whose circuit has opened, and those who are told of it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rucache_core::Listener;
use rucache_core::breaker::{Admission, CallOutcome};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

use super::Node;

/// How often it is looked whether a probe is due: every second ± 20 %, says the breaker.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How soon a listener that could not take a node back is asked again.
const ASK_AGAIN_EVERY: Duration = Duration::from_millis(500);

/// Those who are told of nodes.
#[derive(Default)]
pub(crate) struct Listeners(Mutex<Vec<Weak<dyn Listener>>>);

impl Listeners {
    pub(crate) fn add(&self, listener: Weak<dyn Listener>) {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(listener);
    }

    fn all(&self) -> Vec<Arc<dyn Listener>> {
        let listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.iter().filter_map(Weak::upgrade).collect()
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listeners").finish_non_exhaustive()
    }
}

/// Begins the recovery of `node`, in a task that ends with the backend.
pub(super) fn start(node: &Arc<Node>) {
    tracing::warn!(node = node.name(), "memcached node is down, its circuit is open");
    let (weak, name) = (Arc::downgrade(node), node.name().to_owned());
    let listeners = node.listeners.clone();
    // Calls are made within a runtime: without one the sockets do not work either.
    if let Ok(handle) = Handle::try_current() {
        handle.spawn(recover(weak, name, listeners));
    }
}

async fn recover(node: Weak<Node>, name: String, listeners: Arc<Listeners>) {
    for listener in listeners.all() {
        listener.node_down(&name);
    }
    loop {
        if !probe_until_well(&node).await {
            return;
        }
        // The node takes writes from here on, so that what it missed can be delivered.
        let told = tell_recovering(&name, &listeners).await;
        let Some(node) = node.upgrade() else { return };
        let ended = told && node.health().end_recovery();
        if ended {
            tracing::info!(node = name, "memcached node is up again");
            for listener in listeners.all() {
                listener.node_up(&name);
            }
            return;
        }
        drop(node);
        pause(ASK_AGAIN_EVERY).await;
    }
}

async fn tell_recovering(name: &str, listeners: &Listeners) -> bool {
    for listener in listeners.all() {
        if let Err(error) = listener.node_recovering(name).await {
            tracing::warn!(node = name, %error, "missed invalidations not delivered, node not read");
            return false;
        }
    }
    true
}

/// `false` when the backend is gone.
async fn probe_until_well(node: &Weak<Node>) -> bool {
    loop {
        let Some(alive) = node.upgrade() else { return false };
        if alive.health().takes_calls() {
            return true;
        }
        let due = alive.health().admit_probe(alive.clock.now());
        if let Some(admission) = due
            && probe(&alive, admission).await
        {
            return true;
        }
        drop(alive);
        pause(LOOK_EVERY).await;
    }
}

/// Asks for a sign of life over new connections to a newly resolved address.
async fn probe(node: &Arc<Node>, admission: Admission) -> bool {
    node.replace(&node.current());
    let used = node.current();
    let deadline = Instant::now() + node.connect_timeout + node.timeout;
    let answer =
        tokio::time::timeout_at(deadline, async { node.client(&used).await?.ping().await });
    let well = matches!(answer.await, Ok(Ok(())));
    let outcome = if well { CallOutcome::Answered } else { CallOutcome::Failed };
    let (now, random) = (node.clock.now(), node.clock.random());
    node.health().record_probe(admission, outcome, now, random)
}

async fn pause(span: Duration) {
    sleep_until(Instant::now() + span).await;
}
