//! Loads that ask for what they are loading, found instead of waited for.

use std::sync::Arc;

use rucache_core::Key;

use crate::load::LoadFuture;

tokio::task_local! {
    /// The loads that the running code is part of.
    static CHAIN: Arc<Chain>;
}

/// A load, and the one that asked for it.
#[derive(Debug)]
pub(crate) struct Chain {
    /// Which cache; caches may load from one another.
    cache: usize,
    keys: Vec<Key>,
    asked_by: Option<Arc<Self>>,
}

impl Chain {
    /// The loads that the caller is part of.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CHAIN.try_with(Arc::clone).ok()
    }

    /// Whether the caller is part of the load of `key` in the cache that is called `cache`: it would
    /// wait for itself.
    pub(crate) fn contains(cache: usize, key: &Key) -> bool {
        let has = |chain: &Arc<Self>| {
            let mut link = Some(chain);
            while let Some(chain) = link {
                if chain.cache == cache && chain.keys.contains(key) {
                    return true;
                }
                link = chain.asked_by.as_ref();
            }
            false
        };
        CHAIN.try_with(has).unwrap_or(false)
    }

    /// `load` as part of the loads of `asked_by`.
    pub(crate) fn link(
        cache: usize,
        keys: Vec<Key>,
        asked_by: Option<Arc<Self>>,
        load: LoadFuture,
    ) -> LoadFuture {
        Box::pin(CHAIN.scope(Arc::new(Self { cache, keys, asked_by }), load))
    }
}
