//! Telling of changes.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use rucache_core::{Change, Error, Key, Listener, Marker, ServiceName};

use crate::clause::clauses;
use crate::failure::holds;
use crate::{Env, Failure};

clauses! {
    /// A backend that pushes tells of a written, an expired and a deleted entry.
    fn listener_hears_of_entries(env) {
        if !env.backend().capabilities().push {
            return Ok(());
        }
        let key = env.key("told")?;
        let about = |change: &Change| match change {
            Change::Entries(keys) => keys.contains(&key),
            _ => false,
        };
        hears(env, "a write", about, |env, key| env.set(key, "one"))?;
        hears(env, "an expire", about, |env, key| env.expire(key).map(|_| ()))?;
        hears(env, "a delete", about, |env, key| env.delete(key).map(|_| ()))
    }

    /// A backend that pushes tells of a bumped marker.
    fn listener_hears_of_markers(env) {
        if !env.backend().capabilities().push {
            return Ok(());
        }
        for marker in [Marker::Service(env.service().clone()), Marker::Tag(env.key("lima")?)] {
            let about = |change: &Change| match change {
                Change::Markers(markers) => markers.contains(&marker),
                _ => false,
            };
            hears(env, "a bump", about, |env, _| env.bump(&marker))?;
        }
        Ok(())
    }

    /// A listener belongs to its owner: the backend does not keep it alive.
    fn listener_is_not_kept_alive(env) {
        let listener = Arc::new(Ears::default());
        let weak: Weak<Ears> = Arc::downgrade(&listener);
        let told: Weak<dyn Listener> = weak.clone();
        env.backend().subscribe(told);
        drop(listener);
        env.set(&env.key("told")?, "one")?;
        holds("the listener is gone", weak.strong_count() == 0)
    }
}

#[derive(Default)]
struct Ears {
    heard: Mutex<Vec<Change>>,
}

impl Ears {
    fn heard(&self, service: &ServiceName, about: impl Fn(&Change) -> bool) -> bool {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().any(|change| match change {
            Change::Everything => true,
            // The keys and tags here have short names, but a store may know services only.
            Change::Service(told) => told == service,
            change => about(change),
        })
    }
}

#[async_trait]
impl Listener for Ears {
    fn changed(&self, change: Change) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(change);
    }

    fn node_down(&self, _: &str) {}

    async fn node_recovering(&self, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn node_up(&self, _: &str) {}
}

/// Fails unless a new listener hears within five seconds of what `act` does to the key `told`.
fn hears(
    env: &Env,
    what: &str,
    about: impl Fn(&Change) -> bool,
    act: impl Fn(&Env, &Key) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let ears = Arc::new(Ears::default());
    let told: Arc<dyn Listener> = ears.clone();
    env.backend().subscribe(Arc::downgrade(&told));
    for _ in 0..50 {
        // Done again each time: a subscription may take a moment to reach a server.
        act(env, &env.key("told")?)?;
        if ears.heard(env.service(), &about) {
            return Ok(());
        }
        env.advance(Duration::from_millis(100));
    }
    Err(Failure::new(format!("the listener did not hear of {what}")))
}
