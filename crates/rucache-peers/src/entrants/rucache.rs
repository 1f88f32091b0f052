//! rucache: the engine over its local tier.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use rucache_core::{Key, ServiceName, Ttl};
use rucache_engine::{Cache, Loaded, Timing, Written};
use rucache_memory::{LocalStore, MemoryConfig};

use crate::{Answer, Entrant, Limits, Load, NoSuchOperation, Peer, TAG};

pub(super) const ENTRANT: Entrant = Entrant {
    name: "rucache",
    used: "`Cache` over `LocalStore`: `read_or_load`, `get`, `delete`, `invalidate_tag`, `clear`; a load's deadline by `Timing`",
    has_limits: true,
    make: |limits| async move { Arc::new(Rucache::new(limits)) as Arc<dyn Peer> }.boxed(),
};

struct Rucache(Cache);

impl Rucache {
    fn new(limits: Limits) -> Self {
        let timing = match limits {
            Limits::Usual => Timing::default(),
            Limits::Short(time) => {
                Timing::default().with_load_deadline(time).with_hard_timeout(time * 2)
            }
        };
        let local = Arc::new(LocalStore::new(&MemoryConfig::default()));
        let cache = Cache::builder(local).timing(timing).build().expect("a cache in a runtime");
        Self(cache.service(&ServiceName::from_static("migo")))
    }
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("a key of the races")
}

#[async_trait]
impl Peer for Rucache {
    async fn get_or_load(&self, name: &str, load: Load) -> Answer {
        let load = move || async move { load().await.map(|v| Loaded::new(v).with_tags([TAG])) };
        let hit = self.0.read_or_load::<String, _, _, _>(&key(name), Ttl::MEDIUM, load).await;
        hit.map(|hit| hit.value.as_ref().clone()).map_err(|error| error.to_string())
    }

    async fn get(&self, name: &str) -> Option<String> {
        self.0.get(&key(name)).await.expect("a read does not fail")
    }

    async fn invalidate(&self, name: &str) {
        let removed = self.0.delete(&key(name)).await.expect("the local tier does not fail");
        assert_eq!(removed.written, Written::Done);
    }

    async fn invalidate_tag(&self) -> Result<(), NoSuchOperation> {
        let written = self.0.invalidate_tag(TAG).await.expect("the local tier does not fail");
        assert_eq!(written, Written::Done);
        Ok(())
    }

    async fn clear(&self) -> Result<(), NoSuchOperation> {
        let written = self.0.clear().await.expect("the local tier does not fail");
        assert_eq!(written, Written::Done);
        Ok(())
    }
}
