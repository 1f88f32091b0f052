//! The simplest store that the emulations work over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use rucache_core::emulation::{Item, PutIf, Store};
use rucache_core::{Capabilities, Error, Mono, Runtime, Ttl};

pub(crate) struct MemoryStore {
    runtime: Arc<dyn Runtime>,
    items: Mutex<Items>,
}

#[derive(Default)]
struct Items {
    by_name: HashMap<String, (Item, Mono)>,
    last_version: u64,
}

impl MemoryStore {
    pub(crate) fn new(runtime: Arc<dyn Runtime>) -> Self {
        Self { runtime, items: Mutex::default() }
    }

    /// The items that are alive.
    fn items(&self) -> MutexGuard<'_, Items> {
        let now = self.runtime.now();
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        items.by_name.retain(|_, (_, end)| *end > now);
        items
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("emulated")
    }

    async fn get(&self, name: &str) -> Result<Option<Item>, Error> {
        assert!(name.len() <= 250 && name.bytes().all(|byte| byte.is_ascii_graphic()));
        Ok(self.items().by_name.get(name).map(|(item, _)| item.clone()))
    }

    async fn put(&self, name: &str, bytes: Bytes, ttl: Ttl, when: PutIf) -> Result<bool, Error> {
        assert!(bytes.len() <= self.capabilities().max_value_len);
        let mut items = self.items();
        let current = items.by_name.get(name).map(|(item, _)| item.version);
        let holds = match when {
            PutIf::Always => true,
            PutIf::Absent => current.is_none(),
            PutIf::Version(version) => current == Some(version),
        };
        if holds {
            items.last_version += 1;
            let item = Item { bytes, version: items.last_version };
            let end = self.runtime.now().after(ttl.as_duration());
            items.by_name.insert(name.to_owned(), (item, end));
        }
        Ok(holds)
    }

    async fn delete(&self, name: &str, version: u64) -> Result<bool, Error> {
        let mut items = self.items();
        let holds = items.by_name.get(name).is_some_and(|(item, _)| item.version == version);
        if holds {
            items.by_name.remove(name);
        }
        Ok(holds)
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }
}
