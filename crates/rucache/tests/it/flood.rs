//! The bounded local tier under names that nobody asks for twice.

use std::sync::Arc;

use rucache_core::observer::Tier;
use rucache_core::{Count, Counts, Key, ServiceName, TestRuntime, Usage};
use rucache_engine::{Cache, CacheBuilder, CacheError, LoadError, Loaded};
use rucache_memory::{Capacity, LocalStore, MemoryBackend, MemoryConfig};

const HOUR: rucache_core::Ttl = rucache_core::Ttl::MEDIUM;

const HOT: u64 = 200;

/// Many times what the local tier holds.
const FLOOD: u64 = 20_000;

/// A read of a hot value for so many others.
const HOT_EVERY: u64 = 16;

const CAPACITY: u64 = 512 << 10;

fn small() -> Arc<LocalStore> {
    Arc::new(LocalStore::new(&MemoryConfig::with_capacity(Capacity::bytes(CAPACITY))))
}

fn key(service: &'static str, number: u64) -> Key {
    Key::new(&ServiceName::from_static(service), &format!("name_{number}")).unwrap()
}

/// A cache on a clock that stands still.
struct Lab {
    runtime: TestRuntime,
    cache: Cache,
}

impl Lab {
    fn of(runtime: &TestRuntime, builder: CacheBuilder) -> Self {
        let runtime = runtime.clone();
        let cache = builder.runtime(Arc::new(runtime.clone())).build().unwrap();
        Self { runtime, cache }
    }
}

/// What a load brings.
#[derive(Clone, Copy)]
enum Brings {
    Value,
    Negative,
}

/// Reads `key`, and loads it if it must.
fn read(lab: &Lab, key: &Key, brings: Brings) {
    let load = move || async move {
        Ok::<_, std::io::Error>(match brings {
            Brings::Value => Loaded::from("a value that takes some room; ".repeat(6)),
            Brings::Negative => Loaded::negative("not_found"),
        })
    };
    let read = lab.runtime.block_on(lab.cache.read_or_load::<String, _, _, _>(key, HOUR, load));
    match (read, brings) {
        (Ok(_), Brings::Value)
        | (Err(CacheError::Load(LoadError::Negative(_))), Brings::Negative) => {}
        (other, _) => panic!("{other:?}"),
    }
}

fn hits(cache: &Cache) -> u64 {
    let of_hot = |(service, counts): &(ServiceName, Counts)| {
        (service.as_str() == "hot").then(|| counts[Count::Hit(Tier::Local)])
    };
    cache.stats().iter().find_map(of_hot).unwrap_or(0)
}

/// In thousandths, how many reads of hot values the local tier answers during the flood; and how
/// full it is after that.
fn during_flood(lab: &Lab, brings: Brings) -> (u64, Usage) {
    let read_hot = |number: u64| read(lab, &key("hot", number % HOT), Brings::Value);
    (0..8 * HOT).for_each(read_hot);
    // Full of what is read once, as after a day.
    (0..2_000).for_each(|number| read(lab, &key("filler", number), Brings::Value));
    (0..8 * HOT).for_each(read_hot);
    let before = hits(&lab.cache);
    for number in 0..FLOOD {
        read(lab, &key("flood", number), brings);
        if number % HOT_EVERY == 0 {
            read_hot(number / HOT_EVERY * 7);
        }
    }
    let hits = hits(&lab.cache) - before;
    (hits * 1_000 / (FLOOD / HOT_EVERY), lab.cache.usage().unwrap())
}

fn check(lab: &Lab, brings: Brings) {
    let (kept, usage) = during_flood(lab, brings);
    assert!(kept >= 990, "{kept} of 1,000 reads of hot values hit");
    assert!(usage.bytes <= CAPACITY, "{usage:?}");
}

#[test]
fn names_that_do_not_exist_push_out_no_value() {
    check(&Lab::of(&TestRuntime::new(1), Cache::builder(small())), Brings::Negative);
}

#[test]
fn values_that_are_read_once_push_out_none_that_are_read_often() {
    check(&Lab::of(&TestRuntime::new(1), Cache::builder(small())), Brings::Value);
}

#[test]
fn copies_of_what_a_backend_has_push_out_none_that_are_read_often() {
    for brings in [Brings::Negative, Brings::Value] {
        let runtime = TestRuntime::new(1);
        let backend =
            Arc::new(MemoryBackend::new(&MemoryConfig::default(), Arc::new(runtime.clone())));
        // Another process has asked before, so that each name is found there and copied.
        let other = Lab::of(&runtime, Cache::on_backend(backend.clone()));
        (0..FLOOD).for_each(|number| read(&other, &key("flood", number), brings));
        check(&Lab::of(&runtime, Cache::on_backend(backend).local(small())), brings);
    }
}
