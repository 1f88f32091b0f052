//! What may stand in a shared tier, what may not, and a tier that does not answer.

use std::sync::Arc;
use std::time::Duration;

use rucache_conformance::Model;
use rucache_core::{
    Backend, BackendExt, Envelope, Key, MarkerVersion, Runtime, TestRuntime, Timestamp,
};
use rucache_engine::{Accept, Cache, CacheError, Removed, ServedFrom, Written};

use crate::shared::{Fleet, key};
use crate::{HOUR, Lab, with_stale};

#[test]
fn value_over_the_limit_is_served_and_takes_the_old_one_with_it() {
    let runtime = TestRuntime::new(1);
    let backend: Arc<dyn Backend> = Arc::new(Model::new(Arc::new(runtime.clone())));
    let lab = Lab::of(&runtime, Cache::on_backend(backend).max_value_len(20));
    let held = || {
        let read = lab.cache.read::<String>("name", Accept::Stale);
        lab.runtime.block_on(read).unwrap().map(|hit| hit.to_string())
    };
    lab.source.gives("short");
    lab.now(with_stale()).unwrap();
    lab.runtime.advance(Duration::from_secs(3600));
    assert_eq!(held().as_deref(), Some("short"));
    lab.source.gives(&"x".repeat(30));
    let hit = lab.now(with_stale()).unwrap();
    assert_eq!((hit.len(), hit.outcome.stored), (30, false));
    assert_eq!(held(), None);
    lab.runtime.block_on(lab.cache.set("name", "short", HOUR)).unwrap();
    let refused = lab.runtime.block_on(lab.cache.set("name", &*"x".repeat(30), HOUR)).unwrap_err();
    assert!(matches!(refused, CacheError::TooLarge { len: 32, max: 20 }), "{refused:?}");
    assert_eq!(held(), None);
}

#[test]
fn limit_of_the_backend_holds_for_the_entry_with_its_envelope() {
    let fleet = Fleet::new();
    let limit = fleet.backend.capabilities().max_value_len - Envelope::overhead(&key());
    // A text as JSON has two quotation marks.
    let (fits, too_large) = ("x".repeat(limit - 2), "x".repeat(limit - 1));
    fleet.one.runtime.block_on(fleet.one.cache.set("name", &*fits, HOUR)).unwrap();
    let refused =
        fleet.one.runtime.block_on(fleet.one.cache.set("name", &*too_large, HOUR)).unwrap_err();
    assert!(matches!(refused, CacheError::TooLarge { max, .. } if max == limit), "{refused:?}");
}

/// Changes an envelope, or gives the bytes to write in its place.
type Fault<'a> = dyn Fn(&mut Envelope, &mut Vec<u8>) + 'a;

/// An envelope written by hand, with its first bytes as given.
fn put(fleet: &Fleet, change: impl FnOnce(&mut Envelope, &mut Vec<u8>)) {
    let wall = fleet.one.runtime.wall();
    let marker = MarkerVersion::from_raw(7);
    let mut envelope = Envelope {
        schema: 0,
        loaded_at: wall,
        soft: wall.after(HOUR),
        hard: wall.after(HOUR),
        root: marker,
        service: marker,
        tags: Vec::new(),
        negative: None,
        payload: "\"forged\"".into(),
    };
    let mut bytes = Vec::new();
    change(&mut envelope, &mut bytes);
    if bytes.is_empty() {
        bytes = envelope.encode(&key()).unwrap().to_vec();
    }
    let key = key();
    fleet.one.runtime.block_on(fleet.backend.set(&key, bytes.into(), HOUR)).unwrap();
}

#[test]
fn garbage_another_keys_entry_and_lost_markers_are_misses_that_are_loaded_over() {
    let other = Key::parse("default:other").unwrap();
    let faults: [&Fault<'_>; 3] = [
        &|_, bytes| bytes.extend(b"garbage"),
        &|envelope, bytes| bytes.extend(envelope.encode(&other).unwrap()),
        // Well-formed, under markers that the store does not have.
        &|_, _| {},
    ];
    for fault in faults {
        let fleet = Fleet::new();
        put(&fleet, fault);
        fleet.one.source.gives("value");
        let hit = fleet.one.now(HOUR).unwrap();
        assert_eq!((&**hit, hit.outcome.stored), ("value", true));
        assert_eq!(fleet.two.now(HOUR).unwrap().outcome.from, ServedFrom::Shared);
    }
}

#[test]
fn entry_of_a_newer_version_is_a_miss_that_is_not_written_over() {
    let fleet = Fleet::new();
    put(&fleet, |envelope, bytes| {
        bytes.extend(envelope.encode(&key()).unwrap());
        (bytes[4], bytes[5]) = (2, !2);
    });
    let newer = fleet.one.runtime.block_on(fleet.backend.get(&key())).unwrap().unwrap();
    fleet.one.source.gives("value");
    let hit = fleet.one.now(HOUR).unwrap();
    assert_eq!((&**hit, hit.outcome.stored), ("value", false));
    let after = fleet.one.runtime.block_on(fleet.backend.get(&key())).unwrap().unwrap();
    assert_eq!(after, newer);
}

#[test]
fn stamp_from_the_future_is_no_stamp_of_ours() {
    let fleet = Fleet::new();
    fleet.one.source.gives("value");
    fleet.one.now(HOUR).unwrap();
    let wall = fleet.one.runtime.wall().as_millis();
    fleet.one.runtime.set_wall(Timestamp::from_millis(wall - 301_000));
    fleet.one.source.gives("newer");
    assert_eq!(*fleet.one.now(HOUR).unwrap(), "newer");
}

mod outage {
    //! The shared tier does not answer.

    use std::sync::Arc;

    use async_trait::async_trait;
    use rucache_core::emulation::{Emulated, Item, PutIf, Store};
    use rucache_core::{Capabilities, Error, ErrorKind, KeyCodec, Operation, TestRuntime, Ttl};

    use super::*;

    /// A store that never answers anything but that it cannot be reached.
    struct Dead;

    fn dead(operation: Operation) -> Error {
        Error::new(ErrorKind::Unreachable, "dead", operation)
    }

    #[async_trait]
    impl Store for Dead {
        fn capabilities(&self) -> Capabilities {
            Capabilities::new("dead")
        }

        async fn get(&self, _: &str) -> Result<Option<Item>, Error> {
            Err(dead(Operation::Get))
        }

        async fn put(&self, _: &str, _: bytes::Bytes, _: Ttl, _: PutIf) -> Result<bool, Error> {
            Err(dead(Operation::Write))
        }

        async fn delete(&self, _: &str, _: u64) -> Result<bool, Error> {
            Err(dead(Operation::Delete))
        }

        async fn ping(&self) -> Result<(), Error> {
            Err(dead(Operation::Ping))
        }
    }

    fn lab() -> Lab {
        let runtime = TestRuntime::new(1);
        let backend = Emulated::new(Dead, Arc::new(runtime.clone()), KeyCodec::default());
        Lab::of(&runtime, Cache::on_backend(Arc::new(backend)))
    }

    #[test]
    fn read_is_a_miss_and_a_load_is_served_and_not_stored() {
        let lab = lab();
        assert_eq!(lab.runtime.block_on(lab.cache.get::<String>("name")).unwrap(), None);
        lab.source.gives("value");
        let hit = lab.now(HOUR).unwrap();
        assert_eq!((&**hit, hit.outcome.stored), ("value", false));
    }

    #[test]
    fn change_that_was_not_confirmed_is_deferred() {
        let lab = lab();
        let written = lab.runtime.block_on(lab.cache.set("name", "value", HOUR)).unwrap();
        assert_eq!(written, Written::Deferred);
        let removed = lab.runtime.block_on(lab.cache.delete("name")).unwrap();
        assert_eq!(removed, Removed { existed: false, written: Written::Deferred });
        assert_eq!(lab.cache.health().undelivered, 1, "one key, however often");
    }

    #[test]
    fn value_over_the_limit_is_an_error_however_its_removal_ends() {
        let lab = lab();
        let too_large = lab.runtime.block_on(lab.cache.set("name", &*"x".repeat(2_000_000), HOUR));
        assert!(matches!(too_large, Err(CacheError::TooLarge { .. })), "{too_large:?}");
        assert_eq!(lab.cache.health().undelivered, 1);
    }

    #[test]
    fn strict_read_tells_of_the_outage() {
        let runtime = TestRuntime::new(1);
        let backend = Emulated::new(Dead, Arc::new(runtime.clone()), KeyCodec::default());
        let lab = Lab::of(&runtime, Cache::on_backend(Arc::new(backend)).strict_reads());
        let read = lab.runtime.block_on(lab.cache.get::<String>("name"));
        let Err(CacheError::Backend(error)) = read else { panic!("{read:?}") };
        assert_eq!(error.kind(), ErrorKind::Unreachable);
    }
}
