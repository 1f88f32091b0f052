//! Cache-aside by hand on moka's synchronous cache, with an expiry for each entry.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use moka::Expiry;
use moka::sync::Cache;

use super::{CAPACITY, TTL};
use crate::{Answer, Entrant, Load, NoSuchOperation, Peer};

pub(super) const ENTRANT: Entrant = Entrant {
    name: "by hand on moka",
    used: "`get`, else load and `insert`, on moka's `sync::Cache` with `Expiry`; `invalidate`, `invalidate_all`",
    has_limits: false,
    make: |_| async { Arc::new(ByHand::new()) as Arc<dyn Peer> }.boxed(),
};

struct ByHand(Cache<String, Entry>);

#[derive(Clone)]
struct Entry {
    value: String,
    ttl: Duration,
}

struct PerEntry;

impl Expiry<String, Entry> for PerEntry {
    fn expire_after_create(&self, _: &String, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.ttl)
    }

    fn expire_after_update(
        &self,
        _: &String,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.ttl)
    }
}

impl ByHand {
    fn new() -> Self {
        Self(Cache::builder().max_capacity(CAPACITY as u64).expire_after(PerEntry).build())
    }
}

#[async_trait]
impl Peer for ByHand {
    async fn get_or_load(&self, key: &str, load: Load) -> Answer {
        if let Some(entry) = self.0.get(key) {
            return Ok(entry.value);
        }
        let value = load().await.map_err(|error| error.0)?;
        self.0.insert(key.to_owned(), Entry { value: value.clone(), ttl: TTL });
        Ok(value)
    }

    async fn get(&self, key: &str) -> Option<String> {
        self.0.get(key).map(|entry| entry.value)
    }

    async fn invalidate(&self, key: &str) {
        self.0.invalidate(key);
    }

    async fn clear(&self) -> Result<(), NoSuchOperation> {
        self.0.invalidate_all();
        Ok(())
    }
}
