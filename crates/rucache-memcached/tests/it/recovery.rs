//! Who listens to nodes, and what a node must wait for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rucache_core::{
    Backend, BackendExt, Change, Error, ErrorKind, Listener, Marker, MarkerVersion, Operation, Ttl,
};
use rucache_testkit::{Memcached, MemcachedOptions};
use tokio::time::{Instant, sleep_until};

use crate::rig::{RECOVERY, SLACK, key, kind, open, until};

#[derive(Default)]
struct Outbox {
    told: Mutex<Vec<String>>,
    ready: AtomicBool,
}

impl Outbox {
    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    fn tell(&self, what: &str, node: &str) {
        let mut told = self.told.lock().unwrap();
        let line = format!("{what} {node}");
        if told.last() != Some(&line) {
            told.push(line);
        }
    }
}

#[async_trait]
impl Listener for Outbox {
    fn changed(&self, change: Change) {
        panic!("memcached tells no changes: {change:?}");
    }

    fn node_down(&self, node: &str) {
        self.tell("down", node);
    }

    async fn node_recovering(&self, node: &str) -> Result<(), Error> {
        self.tell("recovering", node);
        if self.ready.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Timeout, "engine", Operation::Delete))
    }

    fn node_up(&self, node: &str) {
        self.tell("up", node);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_is_read_again_only_when_it_has_what_it_missed() {
    let server = Memcached::start(MemcachedOptions::default());
    let backend = open(&server.address(), "timeout=300ms");
    let outbox = Arc::new(Outbox::default());
    let listener: Arc<dyn Listener> = outbox.clone();
    backend.subscribe(Arc::downgrade(&listener));
    let (old, node) = (key("ruc_1"), server.address());
    let long = Ttl::LONG;
    until(RECOVERY, "a write", async || backend.set(&old, "old".into(), long).await.is_ok()).await;

    server.pause();
    let closed = async || kind(backend.get(&old).await) == Err(ErrorKind::CircuitOpen);
    until(2 * RECOVERY, "the circuit opens", closed).await;
    assert!(backend.delete(&old).await.is_err(), "an invalidation is missed");
    server.resume();

    let asked = || outbox.told().contains(&format!("recovering {node}"));
    until(RECOVERY + SLACK, "the listener is asked", async || asked()).await;
    // Writes go through, so that what was missed can be delivered; reads do not.
    let deleted = async || kind(backend.delete(&old).await) == Ok(true);
    until(RECOVERY, "the missed delete is delivered", deleted).await;
    let seed = MarkerVersion::from_raw(7);
    assert_eq!(kind(backend.bump(&[Marker::Root], seed).await.remove(0)), Ok(()));
    assert_eq!(kind(backend.get(&old).await), Err(ErrorKind::CircuitOpen));
    let page = backend.map_page(&old, None, 10, rucache_core::Timestamp::default()).await;
    assert_eq!(kind(page).unwrap_err(), ErrorKind::CircuitOpen);

    outbox.ready.store(true, Ordering::Relaxed);
    until(RECOVERY, "the node is read", async || kind(backend.get(&old).await) == Ok(None)).await;
    let up = || outbox.told().last() == Some(&format!("up {node}"));
    until(RECOVERY, "the listener is told", async || up()).await;
    let told = ["up", "down", "recovering", "up"].map(|what| format!("{what} {node}"));
    assert_eq!(outbox.told(), told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backend_that_is_dropped_ends_its_recovery() {
    let server = Memcached::start(MemcachedOptions::default());
    let backend = open(&server.address(), "");
    let outbox = Arc::new(Outbox { ready: true.into(), ..Outbox::default() });
    let listener: Arc<dyn Listener> = outbox.clone();
    backend.subscribe(Arc::downgrade(&listener));
    server.kill_9();
    let closed = async || kind(backend.get(&key("a")).await) == Err(ErrorKind::CircuitOpen);
    until(RECOVERY, "the circuit opens", closed).await;
    until(RECOVERY, "the listener is told", async || outbox.told().len() > 1).await;
    drop(backend);
    server.restart();
    let before = server.stat("total_connections");
    let began = Instant::now();
    // Long enough for a probe, which would be seen by both.
    while began.elapsed() < Duration::from_millis(1_500) {
        assert_eq!(
            outbox.told(),
            ["up", "down"].map(|what| format!("{what} {}", server.address()))
        );
        assert_eq!(server.stat("total_connections"), before);
        sleep_until(Instant::now() + Duration::from_millis(20)).await;
    }
}
