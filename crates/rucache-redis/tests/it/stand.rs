//! What every test here stands on: a backend, names whose values tell whose they are, and a listener
//! that writes down what it hears.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rucache_core::{
    BackendExt, Change, Companions, Error, ErrorKind, Key, Listener, Operation, Ttl,
};
use rucache_redis::RedisBackend;
use tokio::time::{Instant, interval};

/// What recovery may take after the server is well again, by the promise; and what a busy machine
/// adds to it.
pub(crate) const RECOVERY: Duration = Duration::from_secs(2);
pub(crate) const SLACK: Duration = Duration::from_secs(2);

/// How long anything that must happen may take here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const TTL: Ttl = Ttl::MEDIUM;

pub(crate) async fn open(url: &str) -> RedisBackend {
    RedisBackend::open(url).await.unwrap()
}

pub(crate) fn key(number: u64) -> Key {
    Key::parse(&format!("migo:ruc_{number}")).unwrap()
}

/// The one right value of a key.
pub(crate) fn value(number: u64) -> Vec<u8> {
    format!("the record of {number}; ").repeat(20).into_bytes()
}

pub(crate) async fn fill(backend: &RedisBackend, numbers: std::ops::Range<u64>) {
    for number in numbers {
        backend.set(&key(number), value(number).into(), TTL).await.unwrap();
    }
}

/// How reads went.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Reads {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) wrong: u64,
    pub(crate) errors: Vec<ErrorKind>,
}

impl Reads {
    pub(crate) fn count(
        &mut self,
        number: u64,
        answer: Result<Option<rucache_core::Stored>, Error>,
    ) {
        match answer {
            Ok(Some(stored)) if stored.value == value(number) => self.hits += 1,
            Ok(Some(_)) => self.wrong += 1,
            Ok(None) => self.misses += 1,
            Err(error) => self.errors.push(error.kind()),
        }
    }
}

pub(crate) async fn read(backend: &RedisBackend, numbers: std::ops::Range<u64>) -> Reads {
    let mut reads = Reads::default();
    for number in numbers {
        reads.count(number, backend.get(&key(number)).await);
    }
    reads
}

/// Reads many at once.
pub(crate) async fn read_batch(backend: &RedisBackend, numbers: std::ops::Range<u64>) -> Reads {
    use rucache_core::Backend;
    let keys: Vec<_> = numbers.clone().map(key).collect();
    let answers = backend.get_many(&keys, Companions::None).await;
    assert_eq!(answers.len(), keys.len());
    let mut reads = Reads::default();
    for (number, answer) in numbers.zip(answers) {
        reads.count(number, answer.map(|fetched| fetched.entry));
    }
    reads
}

/// Asks again and again until `condition` holds; how long that took.
pub(crate) async fn eventually<F: Future<Output = bool>>(
    what: &str,
    patience: Duration,
    mut condition: impl FnMut() -> F,
) -> Duration {
    let begun = Instant::now();
    let mut poll = interval(Duration::from_millis(5));
    loop {
        if condition().await {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < patience, "{what}: not within {patience:?}");
        poll.tick().await;
    }
}

/// Waits until reads are answered again.
pub(crate) async fn recovered(backend: &RedisBackend) -> Duration {
    eventually("a read is answered", PATIENCE, || async { backend.get(&key(0)).await.is_ok() })
        .await
}

/// All keys are there, with their own values. On a busy machine some may miss a deadline meanwhile.
pub(crate) async fn serves_all(backend: &RedisBackend, numbers: std::ops::Range<u64>) {
    let all = numbers.end - numbers.start;
    let served = || async {
        let reads = read(backend, numbers.clone()).await;
        assert_eq!((reads.wrong, reads.misses), (0, 0), "{reads:?}");
        reads.hits == all
    };
    eventually("all keys are served", PATIENCE, served).await;
}

/// Waits until writes are taken again.
pub(crate) async fn writes_recovered(backend: &RedisBackend) -> Duration {
    let write = || async { backend.set(&key(0), value(0).into(), TTL).await.is_ok() };
    eventually("a write is taken", PATIENCE, write).await
}

/// What a listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    Changed(Change),
    Down(String),
    Recovering(String),
    Up(String),
}

/// A listener that writes down what it hears, and lets nodes recover unless it is told not to.
#[derive(Default)]
pub(crate) struct Ears {
    heard: Mutex<Vec<Heard>>,
    pub(crate) refuses: AtomicBool,
}

impl Ears {
    pub(crate) fn on(backend: &RedisBackend) -> Arc<Self> {
        use rucache_core::Backend;
        let ears = Arc::new(Self::default());
        let listener: Arc<dyn Listener> = ears.clone();
        backend.subscribe(Arc::downgrade(&listener));
        ears
    }

    /// The same once push is trusted.
    pub(crate) async fn trusting(backend: &RedisBackend) -> Arc<Self> {
        let ears = Self::on(backend);
        ears.hears(Change::PushRestored).await;
        ears.forget();
        ears
    }

    pub(crate) fn forget(&self) {
        self.heard.lock().unwrap().clear();
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// What was heard of changes alone.
    pub(crate) fn changes(&self) -> Vec<Change> {
        let change = |heard| match heard {
            Heard::Changed(change) => Some(change),
            _ => None,
        };
        self.heard().into_iter().filter_map(change).collect()
    }

    pub(crate) fn has_heard(&self, wanted: &Heard) -> bool {
        self.heard.lock().unwrap().contains(wanted)
    }

    pub(crate) async fn hears(&self, change: Change) -> Duration {
        let heard = Heard::Changed(change);
        eventually(&format!("{heard:?}"), PATIENCE, || async { self.has_heard(&heard) }).await
    }

    fn hear(&self, heard: Heard) {
        self.heard.lock().unwrap().push(heard);
    }
}

#[async_trait]
impl Listener for Ears {
    fn changed(&self, change: Change) {
        self.hear(Heard::Changed(change));
    }

    fn node_down(&self, node: &str) {
        self.hear(Heard::Down(node.to_owned()));
    }

    async fn node_recovering(&self, node: &str) -> Result<(), Error> {
        self.hear(Heard::Recovering(node.to_owned()));
        if self.refuses.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Unreachable, "test", Operation::Delete));
        }
        Ok(())
    }

    fn node_up(&self, node: &str) {
        self.hear(Heard::Up(node.to_owned()));
    }
}
