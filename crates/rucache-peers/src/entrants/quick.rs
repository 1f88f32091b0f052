//! quick_cache: its concurrent cache.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use quick_cache::sync::Cache;

use super::CAPACITY;
use crate::{Answer, Entrant, Load, LoadFailed, NoSuchOperation, Peer};

pub(super) const ENTRANT: Entrant = Entrant {
    name: "quick_cache",
    used: "`sync::Cache`: `get_or_insert_async`, `get`, `remove`, `clear`",
    has_limits: false,
    make: |_| async { Arc::new(Quick(Cache::new(CAPACITY))) as Arc<dyn Peer> }.boxed(),
};

struct Quick(Cache<String, String>);

#[async_trait]
impl Peer for Quick {
    async fn get_or_load(&self, key: &str, load: Load) -> Answer {
        let got = self.0.get_or_insert_async(key, async { load().await });
        got.await.map_err(|error: LoadFailed| error.0)
    }

    async fn get(&self, key: &str) -> Option<String> {
        self.0.get(key)
    }

    async fn invalidate(&self, key: &str) {
        self.0.remove(key);
    }

    async fn clear(&self) -> Result<(), NoSuchOperation> {
        self.0.clear();
        Ok(())
    }
}
