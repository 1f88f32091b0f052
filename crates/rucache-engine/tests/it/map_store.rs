//! A store in a map, which tests make forget and put back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use rucache_core::emulation::{Item, PutIf, Store};
use rucache_core::{Capabilities, Error, Ttl};

/// A store that keeps everything until it is told to forget it.
#[derive(Clone, Default)]
pub(crate) struct MapStore(Arc<Mutex<Items>>);

#[derive(Clone, Default)]
struct Items {
    by_name: HashMap<String, Item>,
    last_version: u64,
}

/// What a store held at a moment.
pub(crate) struct Snapshot(HashMap<String, Item>);

impl MapStore {
    /// Loses the item called `name`, as a store out of memory does.
    #[track_caller]
    pub(crate) fn forget(&self, name: &str) {
        assert!(self.items().by_name.remove(name).is_some(), "there is no {name}");
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot(self.items().by_name.clone())
    }

    /// Holds again what it held then, and forgets what was confirmed since.
    pub(crate) fn put_back(&self, snapshot: Snapshot) {
        self.items().by_name = snapshot.0;
    }

    fn items(&self) -> MutexGuard<'_, Items> {
        self.0.lock().unwrap()
    }
}

#[async_trait]
impl Store for MapStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("map")
    }

    async fn get(&self, name: &str) -> Result<Option<Item>, Error> {
        Ok(self.items().by_name.get(name).cloned())
    }

    // What is stored carries its own end.
    async fn put(&self, name: &str, bytes: Bytes, _: Ttl, when: PutIf) -> Result<bool, Error> {
        let mut items = self.items();
        let current = items.by_name.get(name).map(|item| item.version);
        let holds = match when {
            PutIf::Always => true,
            PutIf::Absent => current.is_none(),
            PutIf::Version(version) => current == Some(version),
        };
        if holds {
            items.last_version += 1;
            let version = items.last_version;
            items.by_name.insert(name.to_owned(), Item { bytes, version });
        }
        Ok(holds)
    }

    async fn delete(&self, name: &str, version: u64) -> Result<bool, Error> {
        let mut items = self.items();
        let is_same = items.by_name.get(name).is_some_and(|item| item.version == version);
        if is_same {
            items.by_name.remove(name);
        }
        Ok(is_same)
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }
}
