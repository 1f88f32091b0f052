//! A backend under test, and what became of its calls.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rucache_core::{BackendExt, ErrorKind, Key, Ttl};
use rucache_memcached::MemcachedBackend;
use tokio::time::{Instant, sleep_until};

/// How long a backend may take until it serves again, P3.
pub(crate) const RECOVERY: Duration = Duration::from_secs(2);

/// What calls may take beyond their deadline on a machine that is busy.
pub(crate) const SLACK: Duration = Duration::from_millis(450);

/// A backend on the servers at these addresses, separated by commas, with parameters as in a URL.
#[track_caller]
pub(crate) fn open(addresses: &str, parameters: &str) -> Arc<MemcachedBackend> {
    let url = format!("memcached://{addresses}?{parameters}");
    Arc::new(MemcachedBackend::open(&url).unwrap_or_else(|refused| panic!("{url}: {refused}")))
}

pub(crate) fn key(name: impl std::fmt::Display) -> Key {
    Key::parse(&format!("migo:{name}")).unwrap_or_else(|invalid| panic!("{name}: {invalid}"))
}

/// The only right value of `key`: says whose it is, many times over.
pub(crate) fn value_of(key: &Key) -> Bytes {
    format!("{key} ").repeat(20).into()
}

/// The kind of what a call came to.
pub(crate) fn kind<T>(answer: Result<T, rucache_core::Error>) -> Result<T, ErrorKind> {
    answer.map_err(|error| error.kind())
}

/// What became of calls.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) wrong: u64,
    pub(crate) errors: Vec<ErrorKind>,
    pub(crate) longest: Duration,
}

impl Tally {
    /// Reads `key`, whose right value is [`value_of`].
    pub(crate) async fn read(&mut self, backend: &MemcachedBackend, key: &Key) {
        let began = Instant::now();
        match backend.get(key).await {
            Ok(Some(stored)) if stored.value == value_of(key) => self.hits += 1,
            Ok(Some(_)) => self.wrong += 1,
            Ok(None) => self.misses += 1,
            Err(error) => self.errors.push(error.kind()),
        }
        self.longest = self.longest.max(began.elapsed());
    }

    /// Writes the right value of `key`.
    pub(crate) async fn write(&mut self, backend: &MemcachedBackend, key: &Key) {
        let began = Instant::now();
        match backend.set(key, value_of(key), Ttl::LONG).await {
            Ok(()) => self.hits += 1,
            Err(error) => self.errors.push(error.kind()),
        }
        self.longest = self.longest.max(began.elapsed());
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.wrong += other.wrong;
        self.errors.extend(other.errors);
        self.longest = self.longest.max(other.longest);
    }

    pub(crate) fn count(&self, kind: ErrorKind) -> usize {
        self.errors.iter().filter(|found| **found == kind).count()
    }
}

/// Waits for what happens elsewhere by looking every few milliseconds; how long it took.
pub(crate) async fn until(
    patience: Duration,
    what: &str,
    mut holds: impl AsyncFnMut() -> bool,
) -> Duration {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < patience, "not within {patience:?}: {what}");
        sleep_until(Instant::now() + Duration::from_millis(5)).await;
    }
    began.elapsed()
}

/// Waits until a read of `key` is answered.
pub(crate) async fn until_served(backend: &MemcachedBackend, key: &Key) -> Duration {
    until(RECOVERY + SLACK, "a read is answered", async || backend.get(key).await.is_ok()).await
}
