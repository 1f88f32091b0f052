//! Listeners, told too little or held too long.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use rucache_core::{Backend, Change, Error, Listener};

use super::{Broken, lock};

impl Broken {
    pub(super) fn listen(&self, listener: Weak<dyn Listener>) {
        if self.breaks("listener_is_not_kept_alive") {
            lock(&self.listeners).extend(listener.upgrade());
        }
        let deaf_to: fn(&Change) -> bool = match self.clause {
            "listener_hears_of_entries" => |change| matches!(change, Change::Entries(_)),
            "listener_hears_of_markers" => |change| matches!(change, Change::Markers(_)),
            _ => return self.inner.subscribe(listener),
        };
        let muffled: Arc<dyn Listener> = Arc::new(Muffled { listener, deaf_to });
        self.inner.subscribe(Arc::downgrade(&muffled));
        lock(&self.listeners).push(muffled);
    }
}

/// Passes on what it is not deaf to.
struct Muffled {
    listener: Weak<dyn Listener>,
    deaf_to: fn(&Change) -> bool,
}

#[async_trait]
impl Listener for Muffled {
    fn changed(&self, change: Change) {
        if let Some(listener) = self.listener.upgrade().filter(|_| !(self.deaf_to)(&change)) {
            listener.changed(change);
        }
    }

    fn node_down(&self, _: &str) {}

    async fn node_recovering(&self, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn node_up(&self, _: &str) {}
}
