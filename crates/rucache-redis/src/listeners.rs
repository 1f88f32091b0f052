//! Who is told of changes and nodes, and whether what they are told is complete.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rucache_core::{Change, Error, Listener};
use tokio::sync::watch;

/// The listeners of a backend, and the push connections that feed them.
pub(crate) struct Listeners {
    told: Mutex<Told>,
    anybody: watch::Sender<bool>,
}

#[derive(Default)]
struct Told {
    listeners: Vec<Weak<dyn Listener>>,
    /// Whether each node's push connection tells everything. Push is complete when all do.
    pushes: BTreeMap<Arc<str>, bool>,
}

impl Told {
    fn is_complete(&self) -> bool {
        !self.pushes.is_empty() && self.pushes.values().all(|live| *live)
    }

    fn alive(&mut self) -> Vec<Arc<dyn Listener>> {
        self.listeners.retain(|listener| listener.strong_count() > 0);
        self.listeners.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Listeners {
    pub(crate) fn new() -> Self {
        Self { told: Mutex::default(), anybody: watch::Sender::new(false) }
    }

    /// Adds a listener, which learns at once whether push can be trusted.
    pub(crate) fn add(&self, listener: Weak<dyn Listener>) {
        let Some(alive) = listener.upgrade() else { return };
        // Under the lock, so that no change of trust comes in between.
        let mut told = self.lock();
        told.listeners.push(listener);
        if told.is_complete() {
            alive.changed(Change::Everything);
            alive.changed(Change::PushRestored);
        } else {
            alive.changed(Change::PushLost);
        }
        drop(told);
        self.anybody.send_replace(true);
    }

    /// Returns once somebody has listened.
    pub(crate) async fn somebody(&self) {
        // The sender is ours: it cannot be gone.
        let _ = self.anybody.subscribe().wait_for(|anybody| *anybody).await;
    }

    /// Tells everybody of a change.
    pub(crate) fn tell(&self, change: &Change) {
        for listener in self.alive() {
            listener.changed(change.clone());
        }
    }

    /// Tells everybody that a node no longer answers.
    pub(crate) fn node_down(&self, node: &str) {
        self.alive().iter().for_each(|listener| listener.node_down(node));
    }

    /// Tells everybody that a node serves reads again.
    pub(crate) fn node_up(&self, node: &str) {
        self.alive().iter().for_each(|listener| listener.node_up(node));
    }

    /// Lets everybody deliver what a node has missed.
    pub(crate) async fn node_recovering(&self, node: &str) -> Result<(), Error> {
        for listener in self.alive() {
            listener.node_recovering(node).await?;
        }
        Ok(())
    }

    /// Notes whether the push connection of `node` tells everything, and passes on what that means.
    pub(crate) fn set_push(&self, node: &Arc<str>, live: bool) {
        self.change_pushes(|pushes| {
            pushes.insert(node.clone(), live);
        });
    }

    /// Forgets the push connection of a node that is none any longer.
    pub(crate) fn forget_push(&self, node: &str) {
        self.change_pushes(|pushes| {
            pushes.remove(node);
        });
    }

    fn change_pushes(&self, change: impl FnOnce(&mut BTreeMap<Arc<str>, bool>)) {
        // The changes are told under the lock, so that all hear them in one order.
        let mut told = self.lock();
        let before = told.is_complete();
        change(&mut told.pushes);
        let changes: &[Change] = match (before, told.is_complete()) {
            (true, false) => &[Change::PushLost],
            (false, true) => &[Change::Everything, Change::PushRestored],
            _ => &[],
        };
        if !changes.is_empty() {
            for listener in told.alive() {
                changes.iter().for_each(|change| listener.changed(change.clone()));
            }
        }
    }

    fn alive(&self) -> Vec<Arc<dyn Listener>> {
        self.lock().alive()
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;

    #[derive(Default)]
    struct Ears(Mutex<Vec<Change>>);

    impl Ears {
        fn heard(&self) -> Vec<Change> {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    #[async_trait]
    impl Listener for Ears {
        fn changed(&self, change: Change) {
            self.0.lock().unwrap().push(change);
        }
        fn node_down(&self, _: &str) {}
        async fn node_recovering(&self, _: &str) -> Result<(), Error> {
            Ok(())
        }
        fn node_up(&self, _: &str) {}
    }

    fn listening() -> (Listeners, Arc<Ears>) {
        let (listeners, ears) = (Listeners::new(), Arc::new(Ears::default()));
        let weak: Weak<Ears> = Arc::downgrade(&ears);
        listeners.add(weak);
        (listeners, ears)
    }

    #[test]
    fn a_listener_starts_without_trust() {
        let (_, ears) = listening();
        assert_eq!(ears.heard(), [Change::PushLost]);
    }

    #[test]
    fn push_is_trusted_when_every_node_tells() {
        let (listeners, ears) = listening();
        let nodes: [Arc<str>; 2] = ["a:1".into(), "b:1".into()];
        listeners.set_push(&nodes[0], false);
        listeners.set_push(&nodes[1], true);
        ears.heard();
        listeners.set_push(&nodes[0], true);
        assert_eq!(ears.heard(), [Change::Everything, Change::PushRestored]);
        listeners.set_push(&nodes[1], false);
        assert_eq!(ears.heard(), [Change::PushLost]);
        listeners.set_push(&nodes[0], false);
        assert_eq!(ears.heard(), []);
        listeners.set_push(&nodes[0], true);
        listeners.forget_push("b:1");
        assert_eq!(ears.heard(), [Change::Everything, Change::PushRestored]);
    }

    #[test]
    fn a_late_listener_hears_that_push_is_trusted() {
        let (listeners, _early) = listening();
        listeners.set_push(&"a:1".into(), true);
        let late = Arc::new(Ears::default());
        let weak: Weak<Ears> = Arc::downgrade(&late);
        listeners.add(weak);
        assert_eq!(late.heard(), [Change::Everything, Change::PushRestored]);
    }

    #[test]
    fn a_listener_that_is_gone_is_forgotten() {
        let (listeners, ears) = listening();
        drop(ears);
        listeners.tell(&Change::Everything);
        assert_eq!(listeners.lock().listeners.len(), 0);
    }
}
