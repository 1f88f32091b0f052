//! What the clauses of the conformance suite do not reach: contention, foreign bytes, full buckets.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;

use super::super::{Item, PutIf};
use super::*;
use crate::{BackendExt, Precondition, TestRuntime};

/// A store that lets the first `rivals` conditional writes of every test lose against another's.
#[derive(Default)]
struct Rivalled {
    items: Mutex<HashMap<String, Item>>,
    writes: AtomicU32,
    rivals: u32,
}

impl Rivalled {
    fn items(&self) -> std::sync::MutexGuard<'_, HashMap<String, Item>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loses(&self) -> bool {
        self.writes.fetch_add(1, Ordering::Relaxed) < self.rivals
    }
}

#[async_trait]
impl Store for Rivalled {
    fn capabilities(&self) -> Capabilities {
        Capabilities { max_value_len: 1_000, ..Capabilities::new("rivalled") }
    }

    async fn get(&self, name: &str) -> Result<Option<Item>, Error> {
        Ok(self.items().get(name).cloned())
    }

    async fn put(&self, name: &str, bytes: Bytes, _: Ttl, when: PutIf) -> Result<bool, Error> {
        if self.loses() {
            return Ok(false);
        }
        let mut items = self.items();
        let current = items.get(name).map(|item| item.version);
        let holds = match when {
            PutIf::Always => true,
            PutIf::Absent => current.is_none(),
            PutIf::Version(version) => current == Some(version),
        };
        if holds {
            let version = current.unwrap_or_default() + 1;
            items.insert(name.to_owned(), Item { bytes, version });
        }
        Ok(holds)
    }

    async fn delete(&self, name: &str, version: u64) -> Result<bool, Error> {
        let mut items = self.items();
        let holds = items.get(name).is_some_and(|item| item.version == version);
        if holds {
            items.remove(name);
        }
        Ok(holds)
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }
}

struct Fixture {
    runtime: TestRuntime,
    backend: Emulated<Rivalled>,
    key: Key,
}

impl Fixture {
    fn with_rivals(rivals: u32) -> Self {
        let runtime = TestRuntime::new(1);
        let store = Rivalled { rivals, ..Rivalled::default() };
        let backend = Emulated::new(store, Arc::new(runtime.clone()), KeyCodec::default());
        Self { runtime, backend, key: Key::parse("migo:ruc_20131312955").unwrap() }
    }

    fn add(&self) -> Result<u64, Error> {
        let additions = [(self.key.clone(), 2)];
        self.runtime.block_on(self.backend.add_many(&additions, Ttl::SHORT)).remove(0)
    }

    fn put(&self, members: std::ops::Range<u32>) -> Result<u64, Error> {
        let now = self.runtime.wall();
        let expires = now.after(Ttl::SHORT);
        let note = Bytes::from_static(&[7; 64]);
        let entry =
            |member| MapEntry { member: format!("{member:064}"), note: note.clone(), expires };
        let entries: Vec<_> = members.map(entry).collect();
        self.runtime.block_on(self.backend.map_put(&self.key, &entries, now))
    }
}

fn foreign() -> Item {
    Item { bytes: Bytes::from_static(b"{\"foreign\": true}"), version: 40 }
}

#[test]
fn lost_race_is_run_again() {
    let fixture = Fixture::with_rivals(900);
    assert_eq!(fixture.add().unwrap(), 2);
    assert_eq!(fixture.add().unwrap(), 4);
}

#[test]
fn endless_contention_ends_in_a_timeout() {
    let fixture = Fixture::with_rivals(u32::MAX);
    let error = fixture.add().unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Contended, Operation::Add));
    assert_eq!(fixture.backend.store.writes.load(Ordering::Relaxed), 1_000);
}

#[test]
fn foreign_bytes_are_told_and_written_over() {
    let fixture = Fixture::with_rivals(0);
    for name in ["migo:ruc_20131312955", "~n:{migo:ruc_20131312955}"] {
        fixture.backend.store.items().insert(name.to_owned(), foreign());
    }
    let run = &fixture.runtime;
    let error = run.block_on(fixture.backend.get(&fixture.key)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ForeignValue);
    assert!(!run.block_on(fixture.backend.delete(&fixture.key.clone())).unwrap());
    assert_eq!(run.block_on(fixture.backend.get(&fixture.key)).unwrap(), None);
    fixture.backend.store.items().insert("migo:ruc_20131312955".to_owned(), foreign());
    let when = Precondition::Absent;
    let write = Write { key: fixture.key.clone(), value: "new".into(), ttl: Ttl::SHORT, when };
    assert_eq!(run.block_on(fixture.backend.write(write)).unwrap(), WriteOutcome::Stored);
    assert_eq!(run.block_on(fixture.backend.get(&fixture.key)).unwrap().unwrap().value, "new");
    assert_eq!(fixture.add().unwrap(), 2);
}

#[test]
fn empty_slot_leaves_nothing_in_the_store() {
    let fixture = Fixture::with_rivals(0);
    let run = &fixture.runtime;
    run.block_on(fixture.backend.set(&fixture.key, "one".into(), Ttl::SHORT)).unwrap();
    assert!(run.block_on(fixture.backend.delete(&fixture.key)).unwrap());
    assert!(!run.block_on(fixture.backend.delete(&fixture.key)).unwrap());
    fixture.put(0..10).unwrap();
    let now = run.wall().after(Ttl::SHORT);
    assert_eq!(run.block_on(fixture.backend.map_purge(&fixture.key, now)).unwrap(), 10);
    assert!(fixture.backend.store.items().is_empty());
}

#[test]
fn full_map_refuses_and_keeps_what_it_has() {
    let fixture = Fixture::with_rivals(0);
    assert_eq!(fixture.put(0..500).unwrap(), 500);
    // Seven members of 138 bytes fit a bucket of 1,000.
    let error = fixture.put(0..256 * 7 + 1).unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Full, Operation::MapWrite));
    assert_eq!(fixture.put(0..500).unwrap(), 0, "they are still there");
}

#[test]
fn made_up_cursor_is_invalid() {
    let fixture = Fixture::with_rivals(0);
    let now = fixture.runtime.wall();
    for cursor in ["", "7", "x:", "256:", "-1:a"] {
        let page = fixture.backend.map_page(&fixture.key, Some(cursor), 10, now);
        let error = fixture.runtime.block_on(page).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{cursor:?}");
    }
}

#[test]
fn pages_of_every_size_list_each_member_once() {
    let fixture = Fixture::with_rivals(0);
    fixture.put(0..500).unwrap();
    let now = fixture.runtime.wall();
    for limit in [0, 1, 7, 499, 500, 501] {
        let (mut cursor, mut listed) = (None::<String>, Vec::new());
        loop {
            let page = fixture.backend.map_page(&fixture.key, cursor.as_deref(), limit, now);
            let page = fixture.runtime.block_on(page).unwrap();
            assert!(page.entries.len() <= limit.max(1));
            listed.extend(page.entries.into_iter().map(|entry| entry.member));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        listed.sort_unstable();
        let all: Vec<_> = (0..500).map(|member| format!("{member:064}")).collect();
        assert_eq!(listed, all, "pages of {limit}");
    }
}
