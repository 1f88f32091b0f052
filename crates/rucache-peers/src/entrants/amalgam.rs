//! amalgam-cache: its cache with the memory level alone, as by default.

use std::sync::Arc;

use amalgam::{Cache, ClearMode, EntryOptions, Timeout};
use async_trait::async_trait;
use futures_util::FutureExt as _;

use super::TTL;
use crate::{Answer, Entrant, Limits, Load, NoSuchOperation, Peer, TAG};

pub(super) const ENTRANT: Entrant = Entrant {
    name: "amalgam-cache",
    used: "`Cache::builder().try_build()`: `get_or_set` with tags, `try_get`, `remove`, `remove_by_tag`, `clear(ClearMode::Remove)`; a load's limit by `with_factory_timeouts`, without background completion, so that it ends the load",
    has_limits: true,
    make: |limits| async move { Arc::new(Amalgam::new(limits)) as Arc<dyn Peer> }.boxed(),
};

struct Amalgam(Cache<String>);

impl Amalgam {
    fn new(limits: Limits) -> Self {
        let options = EntryOptions::new(TTL);
        let options = match limits {
            Limits::Usual => options,
            Limits::Short(time) => {
                options.with_factory_timeouts(Timeout::Infinite, Timeout::After(time), false)
            }
        };
        Self(Cache::builder().default_options(options).try_build().expect("a cache"))
    }
}

#[async_trait]
impl Peer for Amalgam {
    async fn get_or_load(&self, key: &str, load: Load) -> Answer {
        let load = move |_| async move { load().await };
        let got = self.0.get_or_set(key, amalgam::source::factory(load)).tags([TAG]).await;
        got.map_err(|error| error.to_string())
    }

    async fn get(&self, key: &str) -> Option<String> {
        self.0.try_get(key).await.expect("a read of memory does not fail")
    }

    async fn invalidate(&self, key: &str) {
        self.0.remove(key).await.expect("a removal from memory does not fail");
    }

    async fn invalidate_tag(&self) -> Result<(), NoSuchOperation> {
        self.0.remove_by_tag(TAG).await.expect("a removal from memory does not fail");
        Ok(())
    }

    async fn clear(&self) -> Result<(), NoSuchOperation> {
        self.0.clear(ClearMode::Remove).await.expect("a removal from memory does not fail");
        Ok(())
    }
}
