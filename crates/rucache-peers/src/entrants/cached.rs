//! cached: a cached function with synchronised first calls.

use std::sync::Arc;

use async_trait::async_trait;
use cached::macros::cached;
use cached::prelude::*;
use futures_util::FutureExt as _;

use crate::{Answer, Entrant, Load, LoadFailed, NoSuchOperation, Peer};

pub(super) const ENTRANT: Entrant = Entrant {
    name: "cached",
    used: "a `#[cached(max_size, ttl_secs, sync_writes = \"by_key\")]` function; read, invalidated and cleared through its static",
    has_limits: false,
    make: |_| async { Arc::new(Function) as Arc<dyn Peer> }.boxed(),
};

#[cached(
    max_size = 10_000,
    ttl_secs = 3_600,
    key = "String",
    convert = { _key.to_owned() },
    sync_writes = "by_key"
)]
async fn taxpayer(_key: &str, load: Load) -> Result<String, LoadFailed> {
    load().await
}

struct Function;

#[async_trait]
impl Peer for Function {
    async fn get_or_load(&self, key: &str, load: Load) -> Answer {
        taxpayer(key, load).await.map_err(|error| error.0)
    }

    async fn get(&self, key: &str) -> Option<String> {
        TAXPAYER.write().await.cache_get(key).cloned()
    }

    async fn invalidate(&self, key: &str) {
        drop(TAXPAYER.write().await.cache_remove(key));
    }

    async fn clear(&self) -> Result<(), NoSuchOperation> {
        TAXPAYER.write().await.cache_clear();
        Ok(())
    }
}
