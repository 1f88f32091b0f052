//! multi-tier-cache: one tier, on its moka backend.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use multi_tier_cache::error::CacheError;
use multi_tier_cache::{
    CacheStrategy, CacheSystem, CacheSystemBuilder, L1Cache, MokaCacheConfig, TierConfig,
};

use crate::{Answer, Entrant, Load, NoSuchOperation, Peer};

pub(super) const ENTRANT: Entrant = Entrant {
    name: "multi-tier-cache",
    used: "`CacheSystemBuilder` with its moka backend as the only tier: `get_or_compute_typed`, `get_typed`, `invalidate`; cleared with `invalidate_pattern(\"*\")`",
    has_limits: false,
    make: |_| {
        async {
            let tier = L1Cache::new(MokaCacheConfig::default()).expect("a tier");
            let system = CacheSystemBuilder::new().with_tier(Arc::new(tier), TierConfig::as_l1());
            Arc::new(MultiTier(system.build().await.expect("a cache"))) as Arc<dyn Peer>
        }
        .boxed()
    },
};

struct MultiTier(CacheSystem);

#[async_trait]
impl Peer for MultiTier {
    async fn get_or_load(&self, key: &str, load: Load) -> Answer {
        let load = || async move {
            load().await.map_err(|error| CacheError::InternalError(error.to_string()))
        };
        let manager = self.0.cache_manager();
        let got = manager.get_or_compute_typed(key, CacheStrategy::MediumTerm, load).await;
        got.map_err(|error| error.to_string())
    }

    async fn get(&self, key: &str) -> Option<String> {
        let got = self.0.cache_manager().get_typed(key).await;
        got.expect("a read of memory does not fail")
    }

    async fn invalidate(&self, key: &str) {
        let removed = self.0.cache_manager().invalidate(key).await;
        removed.expect("a removal from memory does not fail");
    }

    async fn clear(&self) -> Result<(), NoSuchOperation> {
        let removed = self.0.cache_manager().invalidate_pattern("*").await;
        removed.expect("a removal from memory does not fail");
        Ok(())
    }
}
