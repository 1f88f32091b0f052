//! moka: its asynchronous cache, which loads.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use moka::future::Cache;

use super::{CAPACITY, TTL};
use crate::{Answer, Entrant, Load, LoadFailed, NoSuchOperation, Peer};

pub(super) const ENTRANT: Entrant = Entrant {
    name: "moka",
    used: "`future::Cache` with a time to live: `try_get_with`, `get`, `invalidate`, `invalidate_all`",
    has_limits: false,
    make: |_| {
        let cache = Cache::builder().max_capacity(CAPACITY as u64).time_to_live(TTL).build();
        async { Arc::new(Moka(cache)) as Arc<dyn Peer> }.boxed()
    },
};

struct Moka(Cache<String, String>);

#[async_trait]
impl Peer for Moka {
    async fn get_or_load(&self, key: &str, load: Load) -> Answer {
        let got = self.0.try_get_with_by_ref(key, async { load().await });
        got.await.map_err(|error: Arc<LoadFailed>| error.0.clone())
    }

    async fn get(&self, key: &str) -> Option<String> {
        self.0.get(key).await
    }

    async fn invalidate(&self, key: &str) {
        self.0.invalidate(key).await;
    }

    async fn clear(&self) -> Result<(), NoSuchOperation> {
        self.0.invalidate_all();
        Ok(())
    }
}
