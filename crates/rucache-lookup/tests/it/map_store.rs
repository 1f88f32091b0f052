//! A store in a map, shared by the caches of a test as a server is by processes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use rucache_core::emulation::{Item, PutIf, Store};
use rucache_core::{Capabilities, Error, ErrorKind, Operation, Ttl};

#[derive(Clone, Default)]
pub(crate) struct MapStore(Arc<State>);

#[derive(Default)]
struct State {
    items: Mutex<(HashMap<String, Item>, u64)>,
    reads: AtomicUsize,
    is_down: AtomicBool,
}

impl MapStore {
    /// Items that were read so far.
    pub(crate) fn reads(&self) -> usize {
        self.0.reads.load(Ordering::Relaxed)
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.0.is_down.store(is_down, Ordering::Relaxed);
    }

    fn check(&self, operation: Operation) -> Result<(), Error> {
        match self.0.is_down.load(Ordering::Relaxed) {
            true => Err(Error::new(ErrorKind::Unreachable, "map", operation)),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Store for MapStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("map")
    }

    async fn get(&self, name: &str) -> Result<Option<Item>, Error> {
        self.check(Operation::Get)?;
        self.0.reads.fetch_add(1, Ordering::Relaxed);
        Ok(self.0.items.lock().unwrap().0.get(name).cloned())
    }

    // What is stored carries its own end.
    async fn put(&self, name: &str, bytes: Bytes, _: Ttl, when: PutIf) -> Result<bool, Error> {
        self.check(Operation::Write)?;
        let mut items = self.0.items.lock().unwrap();
        let current = items.0.get(name).map(|item| item.version);
        let holds = match when {
            PutIf::Always => true,
            PutIf::Absent => current.is_none(),
            PutIf::Version(version) => current == Some(version),
        };
        if holds {
            items.1 += 1;
            let version = items.1;
            items.0.insert(name.to_owned(), Item { bytes, version });
        }
        Ok(holds)
    }

    async fn delete(&self, name: &str, version: u64) -> Result<bool, Error> {
        self.check(Operation::Delete)?;
        let mut items = self.0.items.lock().unwrap();
        let is_same = items.0.get(name).is_some_and(|item| item.version == version);
        if is_same {
            items.0.remove(name);
        }
        Ok(is_same)
    }

    async fn ping(&self) -> Result<(), Error> {
        self.check(Operation::Ping)
    }
}
