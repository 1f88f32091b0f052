//! rucache: the engine over its local tier.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use rucache_core::{Key, Ttl};
use rucache_engine::{Cache, Loaded, Timing};
use rucache_memory::{LocalStore, MemoryConfig};

use crate::{Answer, Entrant, Limits, Load, Peer};

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
        Self(Cache::builder(local).timing(timing).build().expect("a cache inside a runtime"))
    }
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("a key of the races")
}

#[async_trait]
impl Peer for Rucache {
    async fn get_or_load(&self, name: &str, load: Load) -> Answer {
        let load = move || async move { load().await.map(Loaded::new) };
        let hit = self.0.read_or_load(&key(name), Ttl::MEDIUM, load).await;
        hit.map(|hit: rucache_engine::Hit<String>| hit.value.as_ref().clone())
            .map_err(|error| error.to_string())
    }

    async fn get(&self, name: &str) -> Option<String> {
        self.0.get(&key(name)).await.expect("a read does not fail")
    }

    async fn invalidate(&self, name: &str) {
        self.0.delete(&key(name)).await.expect("the local tier does not fail");
    }
}
