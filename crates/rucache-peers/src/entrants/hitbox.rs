//! hitbox: a cached function on its moka backend.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use hitbox::CacheKey;
use hitbox::concurrency::BroadcastConcurrencyManager;
use hitbox::context::CacheContext;
use hitbox::policy::{ConcurrencyLimit, PolicyConfig};
use hitbox_backend::CacheBackend as _;
use hitbox_backend::format::BincodeFormat;
use hitbox_fn::{Cache, cached};
use hitbox_moka::MokaBackend;

use super::{CAPACITY, TTL};
use crate::{Answer, Entrant, Load, LoadFailed, Peer};

pub(super) const ENTRANT: Entrant = Entrant {
    name: "hitbox",
    used: "a `#[cached]` function of `hitbox-fn` on `hitbox-moka` with `BincodeFormat`, `BroadcastConcurrencyManager` and a concurrency of 1; invalidated with its backend's `delete`",
    has_limits: false,
    make: |_| async { Arc::new(Hitbox::new()) as Arc<dyn Peer> }.boxed(),
};

type Loaded = Result<String, LoadFailed>;

/// Prefix of the cached function's keys.
const PREFIX: &str = "taxpayer";

/// The loader, as a type with a name: the macro cannot do with one that has a lifetime inside.
#[derive(Clone)]
struct Loader(Load);

#[cached(prefix = "taxpayer", skip(loader))]
async fn taxpayer(_key: String, loader: Loader) -> Result<String, LoadFailed> {
    (loader.0)().await
}

struct Hitbox {
    cache: Cache<MokaBackend<BincodeFormat>, BroadcastConcurrencyManager<Loaded>>,
}

impl Hitbox {
    fn new() -> Self {
        let backend = MokaBackend::builder().max_entries(CAPACITY as u64);
        let alone = ConcurrencyLimit::new(1).expect("a limit");
        let cache = Cache::builder()
            .backend(backend.value_format(BincodeFormat).build())
            .policy(PolicyConfig::builder().ttl(TTL).concurrency(alone).build())
            .concurrency_manager(BroadcastConcurrencyManager::new())
            .build();
        Self { cache }
    }
}

fn cache_key(key: &str) -> CacheKey {
    CacheKey::from_slice(&[("fn", Some(PREFIX)), ("_key", Some(key))])
}

#[async_trait]
impl Peer for Hitbox {
    async fn get_or_load(&self, key: &str, load: Load) -> Answer {
        taxpayer(key.to_owned(), Loader(load)).cache(&self.cache).await.map_err(|error| error.0)
    }

    async fn get(&self, key: &str) -> Option<String> {
        let mut context = CacheContext::default().boxed();
        let got = self.cache.backend().get::<Loaded>(&cache_key(key), &mut context).await;
        got.expect("a read of memory does not fail").map(|value| value.into_inner())
    }

    async fn invalidate(&self, key: &str) {
        let mut context = CacheContext::default().boxed();
        let deleted = self.cache.backend().delete(&cache_key(key), &mut context).await;
        deleted.expect("a removal from memory does not fail");
    }
}
