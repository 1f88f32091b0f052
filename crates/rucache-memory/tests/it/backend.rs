//! The backend: limits, lifetimes, listings and what it says of itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rucache_core::{
    Backend, BackendExt, Companions, ErrorKind, Info, Key, LeaseRequest, MapEntry, Marker,
    MarkerVersion, Precondition, Runtime, ServiceName, TestRuntime, Timestamp, Ttl, Write,
};
use rucache_memory::{Capacity, MemoryBackend, MemoryConfig};

const DAY: Duration = Duration::from_hours(24);

fn open(capacity: Capacity) -> (MemoryBackend, TestRuntime) {
    let runtime = TestRuntime::new(1);
    let config = MemoryConfig::with_capacity(capacity);
    (MemoryBackend::new(&config, Arc::new(runtime.clone())), runtime)
}

fn key(number: u32) -> Key {
    Key::parse(&format!("migo:ruc_{number}")).unwrap()
}

fn set(backend: &MemoryBackend, runtime: &TestRuntime, key: &Key, len: usize, ttl: Ttl) {
    runtime.block_on(backend.set(key, vec![7; len].into(), ttl)).unwrap();
}

fn value_len(backend: &MemoryBackend, runtime: &TestRuntime, key: &Key) -> Option<usize> {
    runtime.block_on(backend.get(key)).unwrap().map(|stored| stored.value.len())
}

fn info(backend: &MemoryBackend, runtime: &TestRuntime) -> Info {
    runtime.block_on(backend.info()).unwrap()
}

#[test]
fn a_value_over_the_limit_is_refused_and_the_old_one_deleted() {
    let (backend, runtime) = open(Capacity::DEFAULT);
    let max = backend.capabilities().max_value_len;
    assert_eq!(max, 1_000_000);
    set(&backend, &runtime, &key(1), max, Ttl::SHORT);
    assert_eq!(value_len(&backend, &runtime, &key(1)), Some(max));
    let too_long = vec![7; max + 1].into();
    let error = runtime.block_on(backend.set(&key(1), too_long, Ttl::SHORT)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(error.to_string(), "memory: write failed: value too large");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "the value has 1000001 bytes; at most 1000000 are taken");
    assert_eq!(value_len(&backend, &runtime, &key(1)), None);
}

#[test]
fn the_limit_of_a_value_is_never_more_than_can_stay() {
    let (backend, runtime) = open(Capacity::bytes(64 << 10));
    let max = backend.capabilities().max_value_len;
    assert!(max < 40 << 10, "{max}");
    set(&backend, &runtime, &key(1), max, Ttl::SHORT);
    info(&backend, &runtime);
    assert_eq!(value_len(&backend, &runtime, &key(1)), Some(max));
}

#[test]
fn a_short_value_does_not_keep_a_long_buffer() {
    let (backend, runtime) = open(Capacity::DEFAULT);
    let buffer = Bytes::from(vec![7; 100_000]);
    runtime.block_on(backend.set(&key(1), buffer.slice(..10), Ttl::SHORT)).unwrap();
    let stored = runtime.block_on(backend.get(&key(1))).unwrap().unwrap();
    assert_eq!(stored.value, buffer.slice(..10));
    assert!(buffer.is_unique(), "the backend holds a piece of the caller's buffer");
}

#[test]
fn lives_of_1_millisecond_and_of_100_years_are_kept() {
    let (backend, runtime) = open(Capacity::DEFAULT);
    set(&backend, &runtime, &key(1), 1, Ttl::MIN);
    set(&backend, &runtime, &key(2), 1, Ttl::secs(30 * 86_400 + 1));
    set(&backend, &runtime, &key(3), 1, Ttl::MAX);
    assert_eq!(value_len(&backend, &runtime, &key(1)), Some(1));
    runtime.advance(Duration::from_millis(2));
    assert_eq!(value_len(&backend, &runtime, &key(1)), None);
    runtime.advance(30 * DAY);
    assert_eq!(value_len(&backend, &runtime, &key(2)), Some(1));
    runtime.advance(Duration::from_secs(2));
    assert_eq!(value_len(&backend, &runtime, &key(2)), None);
    runtime.advance(99 * 365 * DAY);
    assert_eq!(value_len(&backend, &runtime, &key(3)), Some(1));
    runtime.advance(365 * DAY);
    assert_eq!(value_len(&backend, &runtime, &key(3)), None);
}

#[test]
fn a_wall_clock_stepping_back_resurrects_nothing() {
    let (backend, runtime) = open(Capacity::DEFAULT);
    set(&backend, &runtime, &key(1), 1, Ttl::secs(10));
    set(&backend, &runtime, &key(2), 1, Ttl::secs(100));
    runtime.advance(Duration::from_secs(11));
    runtime.set_wall(Timestamp::from_millis(runtime.wall().as_millis() - 86_400_000));
    assert_eq!(value_len(&backend, &runtime, &key(1)), None);
    assert_eq!(value_len(&backend, &runtime, &key(2)), Some(1));
    runtime.set_wall(Timestamp::from_millis(runtime.wall().as_millis() + 2 * 86_400_000));
    assert_eq!(value_len(&backend, &runtime, &key(2)), Some(1));
}

#[test]
fn a_counter_lives_from_its_first_addition() {
    let (backend, runtime) = open(Capacity::DEFAULT);
    let add = |delta| {
        let additions = [(key(1), delta)];
        let mut sums = runtime.block_on(backend.add_many(&additions, Ttl::secs(10)));
        sums.pop().unwrap().unwrap()
    };
    assert_eq!((add(2), add(0), add(3)), (2, 2, 5));
    runtime.advance(Duration::from_secs(9));
    assert_eq!(add(1), 6, "an addition does not lengthen the life");
    runtime.advance(Duration::from_secs(2));
    assert_eq!(add(1), 1);
    assert_eq!(add(u64::MAX), i64::MAX.unsigned_abs(), "it stops at 63 bits and does not wrap");
}

#[test]
fn a_counter_and_an_entry_of_one_name_do_not_meet() {
    let (backend, runtime) = open(Capacity::DEFAULT);
    set(&backend, &runtime, &key(1), 5, Ttl::SHORT);
    let sums = runtime.block_on(backend.add_many(&[(key(1), 3)], Ttl::SHORT));
    assert_eq!(*sums[0].as_ref().unwrap(), 3);
    assert_eq!(value_len(&backend, &runtime, &key(1)), Some(5));
}

#[test]
fn scan_lists_the_entries_of_a_service_once_and_no_others() {
    let (backend, runtime) = open(Capacity::DEFAULT);
    let users: ServiceName = "users".parse().unwrap();
    let named = |service: &str, n: u32| Key::parse(&format!("{service}:u_{n}")).unwrap();
    for number in 0..500 {
        set(&backend, &runtime, &named("users", number), 1, Ttl::LONG);
        set(&backend, &runtime, &named("usersabc", number), 1, Ttl::LONG);
    }
    set(&backend, &runtime, &named("users", 900), 1, Ttl::secs(1));
    let leased = LeaseRequest { key: named("users", 901), seen: None, ttl: Ttl::SHORT };
    runtime.block_on(backend.lease_many(&[leased])).pop().unwrap().unwrap();
    runtime.advance(Duration::from_secs(2));

    let all: BTreeSet<Key> = (0..500).map(|number| named("users", number)).collect();
    for limit in [1, 7, 499, 500, 501, usize::MAX] {
        let mut listed = Vec::new();
        let mut cursor = None;
        loop {
            let scan = backend.scan(&users, cursor.as_deref(), limit);
            let page = runtime.block_on(scan).unwrap();
            assert!(page.keys.len() <= limit);
            listed.extend(page.keys);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(listed.len(), 500, "limit {limit}");
        assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), all, "limit {limit}");
    }
}

#[test]
fn a_cursor_of_nobody_is_invalid() {
    let (backend, runtime) = open(Capacity::DEFAULT);
    let service = ServiceName::default();
    let scanned = runtime.block_on(backend.scan(&service, Some("not hex"), 10));
    assert_eq!(scanned.unwrap_err().kind(), ErrorKind::Invalid);
    let now = runtime.wall();
    let listed = runtime.block_on(backend.map_page(&key(1), Some("-1"), 10, now));
    assert_eq!(listed.unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn info_counts_what_is_held() {
    let (backend, runtime) = open(Capacity::DEFAULT);
    let empty = info(&backend, &runtime);
    assert_eq!((empty.items, empty.used_bytes, empty.evictions), (Some(0), Some(0), Some(0)));
    assert_eq!(empty.capacity_bytes, Some(256 << 20));

    (0..100).for_each(|number| set(&backend, &runtime, &key(number), 500, Ttl::LONG));
    let entries = info(&backend, &runtime);
    assert_eq!(entries.items, Some(100));
    assert_eq!(entries.used_bytes, Some(100 * (500 + 512)));

    runtime.block_on(backend.add_many(&[(key(1), 1)], Ttl::LONG));
    runtime.block_on(backend.bump(&[Marker::Root], MarkerVersion::from_raw(7)));
    let member = MapEntry {
        member: "a".into(),
        note: Bytes::new(),
        expires: runtime.wall().after(Ttl::LONG),
    };
    runtime.block_on(backend.map_put(&key(1), &[member], runtime.wall())).unwrap();
    assert_eq!(info(&backend, &runtime).items, Some(103));

    let keys: Vec<Key> = (0..100).map(key).collect();
    runtime.block_on(backend.delete_many(&keys));
    runtime.block_on(backend.map_remove(&key(1), &["a".into()], runtime.wall())).unwrap();
    assert_eq!(info(&backend, &runtime).items, Some(2), "a counter and a marker are left");
}

#[test]
fn an_expired_entry_gives_its_room_back_when_read_or_purged() {
    let (backend, runtime) = open(Capacity::DEFAULT);
    (0..100).for_each(|number| set(&backend, &runtime, &key(number), 500, Ttl::secs(1)));
    set(&backend, &runtime, &key(100), 500, Ttl::LONG);
    runtime.block_on(backend.add_many(&[(key(1), 1)], Ttl::secs(1)));
    runtime.advance(Duration::from_secs(2));
    assert_eq!(value_len(&backend, &runtime, &key(7)), None);
    assert_eq!(info(&backend, &runtime).items, Some(101));
    assert_eq!(backend.purge(), 100, "99 entries and a counter");
    assert_eq!(info(&backend, &runtime).items, Some(1));
    assert_eq!(value_len(&backend, &runtime, &key(100)), Some(500));
}

#[test]
fn any_number_of_names_stays_within_the_capacity() {
    let (backend, runtime) = open(Capacity::bytes(2 << 20));
    let now = runtime.wall();
    let expires = now.after(Ttl::LONG);
    let mut refused = 0;
    for number in 0..30_000 {
        set(&backend, &runtime, &key(number), 100, Ttl::LONG);
        let lease = LeaseRequest { key: key(100_000 + number), seen: None, ttl: Ttl::LONG };
        runtime.block_on(backend.lease_many(&[lease]));
        runtime.block_on(backend.add_many(&[(key(number), 1)], Ttl::LONG));
        runtime.block_on(backend.bump(&[Marker::Tag(key(number))], MarkerVersion::from_raw(7)));
        let member = MapEntry { member: number.to_string(), note: Bytes::new(), expires };
        match runtime.block_on(backend.map_put(&key(1), &[member], now)) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Full => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    let info = info(&backend, &runtime);
    assert!(info.used_bytes <= Some(2 << 20), "{info:?}");
    assert!(info.used_bytes > Some(1 << 20), "{info:?}");
    assert!(info.evictions > Some(30_000), "{info:?}");
    let listed = runtime.block_on(backend.map_len(&key(1), now)).unwrap();
    assert_eq!(listed + refused, 30_000, "a member is kept or refused, never lost");
}

#[test]
fn markers_come_with_the_entries_they_are_asked_for() {
    let (backend, runtime) = open(Capacity::DEFAULT);
    let read = |companions| {
        let mut fetched = runtime.block_on(backend.get_many(&[key(1)], companions));
        fetched.pop().unwrap().unwrap()
    };
    assert_eq!((read(Companions::Markers).root, read(Companions::Markers).service), (None, None));
    let (root, service) = (MarkerVersion::from_raw(10), MarkerVersion::from_raw(20));
    runtime.block_on(backend.bump(&[Marker::Root], root));
    runtime.block_on(backend.bump(&[Marker::Service("migo".parse().unwrap())], service));
    let with = read(Companions::Markers);
    assert_eq!((with.entry, with.root, with.service), (None, Some(root), Some(service)));
    let without = read(Companions::None);
    assert_eq!((without.root, without.service), (None, None));
}

#[test]
fn a_conditional_write_on_an_evicted_or_expired_entry_is_refused() {
    let (backend, runtime) = open(Capacity::DEFAULT);
    set(&backend, &runtime, &key(1), 1, Ttl::secs(1));
    let version = runtime.block_on(backend.get(&key(1))).unwrap().unwrap().version;
    runtime.advance(Duration::from_secs(2));
    let write = Write {
        key: key(1),
        value: Bytes::from_static(b"late"),
        ttl: Ttl::SHORT,
        when: Precondition::Version(version),
    };
    let outcome = runtime.block_on(backend.write(write)).unwrap();
    assert_eq!(outcome, rucache_core::WriteOutcome::Refused);
    assert_eq!(value_len(&backend, &runtime, &key(1)), None);
}
