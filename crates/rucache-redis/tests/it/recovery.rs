//! A node that was away serves reads when those who listen have delivered what it missed.

use std::sync::atomic::Ordering;

use rucache_core::{BackendExt, Change, ErrorKind};
use rucache_testkit::{FaultProxy, RedisOptions, RedisServer};

use crate::stand::{
    Ears, Heard, PATIENCE, RECOVERY, SLACK, TTL, eventually, key, open, recovered, value,
};

#[tokio::test(flavor = "multi_thread")]
async fn reads_stay_closed_until_the_listener_has_delivered() {
    let server = RedisServer::start(RedisOptions::default());
    let node = server.address();
    let backend = open(&server.url()).await;
    let ears = Ears::trusting(&backend).await;
    ears.refuses.store(true, Ordering::Relaxed);
    server.kill_9();
    let down = Heard::Down(node.clone());
    eventually("the node is down", PATIENCE, || async { ears.has_heard(&down) }).await;
    server.restart();
    let asked = || ears.heard().iter().filter(|h| **h == Heard::Recovering(node.clone())).count();
    // Tried again, and closed as long as it is refused.
    eventually("it is asked again", PATIENCE, || async { asked() >= 2 }).await;
    let error = backend.get(&key(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CircuitOpen);
    let heard = ears.heard();
    let mut since_down = heard.iter().skip_while(|heard| **heard != down);
    assert!(!since_down.any(|heard| *heard == Heard::Up(node.clone())), "{heard:?}");
    ears.refuses.store(false, Ordering::Relaxed);
    let took = recovered(&backend).await;
    assert!(took < RECOVERY + SLACK, "{took:?}");
    let up = Heard::Up(node.clone());
    let last = |heard: &[Heard], wanted: &Heard| heard.iter().rposition(|heard| heard == wanted);
    let is_up = || async { last(&ears.heard(), &up) > last(&ears.heard(), &down) };
    eventually("the node is up", PATIENCE, is_up).await;
    let heard = ears.heard();
    let place = |wanted: &Heard| last(&heard, wanted).unwrap();
    assert!(place(&down) < place(&Heard::Recovering(node)));
    // Another life of the server: its `run_id` has changed.
    assert!(place(&Heard::Changed(Change::Rewound)) < place(&up));
}

/// Where the invalidations are delivered: writes pass before reads do.
#[tokio::test(flavor = "multi_thread")]
async fn writes_pass_while_reads_are_still_closed() {
    use async_trait::async_trait;
    use rucache_core::{Backend, Error, Listener};
    use std::sync::{Arc, Mutex};

    struct Outbox {
        backend: rucache_redis::RedisBackend,
        delivered: Mutex<Vec<(bool, ErrorKind)>>,
    }

    #[async_trait]
    impl Listener for Outbox {
        fn changed(&self, _: Change) {}
        fn node_down(&self, _: &str) {}
        async fn node_recovering(&self, _: &str) -> Result<(), Error> {
            let deleted = self.backend.delete(&key(1)).await?;
            let read = self.backend.get(&key(1)).await.unwrap_err();
            self.delivered.lock().unwrap().push((deleted, read.kind()));
            Ok(())
        }
        fn node_up(&self, _: &str) {}
    }

    let server = RedisServer::start(RedisOptions::default());
    let proxy = FaultProxy::start(server.port(), 1);
    let backend = open(&format!("redis://{}", proxy.address())).await;
    backend.set(&key(1), value(1).into(), TTL).await.unwrap();
    let outbox = Arc::new(Outbox { backend: backend.clone(), delivered: Mutex::default() });
    let listener: Arc<dyn Listener> = outbox.clone();
    backend.subscribe(Arc::downgrade(&listener));
    proxy.close();
    let delivered = || async { !outbox.delivered.lock().unwrap().is_empty() };
    eventually("the outbox is delivered", PATIENCE, delivered).await;
    assert_eq!(outbox.delivered.lock().unwrap()[0], (true, ErrorKind::CircuitOpen));
    recovered(&backend).await;
    assert_eq!(backend.get(&key(1)).await.unwrap(), None);
}
