//! Groups of entries on real servers: a clear is one round trip whatever it covers, and what it
//! covers never comes back. Small numbers; `cargo xtask faults --only F40` takes a million.

use std::time::Duration;

use rucache::core::{KeyCodec, Marker};
use rucache::engine::{Cache, Written};
use rucache::memory::{Capacity, LocalStore, MemoryConfig};
use rucache::{Accept, Key, ServiceName, Ttl};
use rucache_testkit::{Fault, FaultProxy, Memcached, MemcachedOptions, RedisOptions, RedisServer};

use crate::note::now;

/// Entries of each service.
const ENTRIES: u64 = 2_000;

/// Entries read or written at once.
const BATCH: usize = 500;

/// How long every answer of a server is held back while round trips are counted: far longer than a
/// busy machine takes for anything.
const DELAY: Duration = Duration::from_millis(300);

/// Limits that a busy machine keeps.
const PATIENT: &str = "timeout=2s&connect_timeout=2s";

/// A cleared service, and one whose name begins with its name.
const CLEARED: &str = "users";
const SIBLING: &str = "usersabc";

/// The keys of a service, in batches.
fn batches(service: &'static str) -> impl Iterator<Item = Vec<(Key, u64)>> {
    let batch = move |first| {
        (first..first + BATCH as u64).map(|number| (key(service, number), number)).collect()
    };
    (0..ENTRIES).step_by(BATCH).map(batch)
}

fn key(service: &'static str, number: u64) -> Key {
    Key::new(&ServiceName::from_static(service), &format!("record_{number}")).unwrap()
}

async fn fill(cache: &Cache, service: &'static str) {
    for batch in batches(service) {
        let written = cache.set_many(batch, Ttl::LONG).await;
        for written in written {
            assert_eq!(written.unwrap(), Written::Done);
        }
    }
}

/// How many entries of a service are there, with their values.
async fn count(cache: &Cache, service: &'static str) -> u64 {
    let mut found = 0;
    for batch in batches(service) {
        let (keys, numbers): (Vec<Key>, Vec<u64>) = batch.into_iter().unzip();
        let read = cache.look_many::<u64>(&keys, Accept::Stale).await;
        for (number, read) in numbers.into_iter().zip(read) {
            if let Some(hit) = read.unwrap().value() {
                assert_eq!(*hit, number);
                found += 1;
            }
        }
    }
    found
}

/// Fills two services, clears one, and counts the round trips of that: `delay` holds answers back.
async fn clear_one_of_two(cache: &Cache, delay: impl Fn(Fault), forget: impl Fn(&Marker)) {
    let cleared = cache.service(&ServiceName::from_static(CLEARED));
    // What is sent once in the life of a connection is sent before.
    assert_eq!(cleared.clear().await.unwrap(), Written::Done);
    for service in [CLEARED, SIBLING] {
        fill(cache, service).await;
        assert_eq!(count(cache, service).await, ENTRIES);
    }
    delay(Fault::delay(DELAY));
    let began = now();
    assert_eq!(cleared.clear().await.unwrap(), Written::Done);
    let round_trips = Duration::from_nanos(now() - began).as_millis() / DELAY.as_millis();
    assert_eq!(round_trips, 1);
    delay(Fault::Pass);
    assert_eq!(count(cache, CLEARED).await, 0);
    assert_eq!(count(cache, SIBLING).await, ENTRIES);
    // As if the server had evicted it: it begins anew, never where it once was.
    forget(&Marker::Service(ServiceName::from_static(CLEARED)));
    assert_eq!(count(cache, CLEARED).await, 0);
    assert_eq!(count(cache, SIBLING).await, ENTRIES);
    fill(cache, CLEARED).await;
    assert_eq!(count(cache, CLEARED).await, ENTRIES);
}

async fn open(url: &str) -> Cache {
    Cache::on_backend(rucache::open_backend(url).await.unwrap()).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clear_is_one_round_trip_on_redis_and_stays() {
    let redis = RedisServer::start(RedisOptions::default());
    let proxy = FaultProxy::start(redis.port(), 1);
    let cache = open(&format!("redis://127.0.0.1:{}?{PATIENT}", proxy.port())).await;
    let forget = |marker: &Marker| {
        let name = KeyCodec::default().marker(marker);
        assert_eq!(redis.command(&["DEL", name.as_str()]), "1");
    };
    clear_one_of_two(&cache, |fault| proxy.set(fault), forget).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clear_is_one_round_trip_to_each_memcached_and_stays() {
    let pool = Memcached::start_pool(3, &MemcachedOptions::default());
    let proxies: Vec<_> = pool.iter().map(|node| FaultProxy::start(node.port(), 1)).collect();
    let addresses: Vec<_> = proxies.iter().map(FaultProxy::address).collect();
    let cache = open(&format!("memcached://{}?{PATIENT}", addresses.join(","))).await;
    let forget = |marker: &Marker| {
        let name = KeyCodec::default().marker(marker);
        for node in &pool {
            assert_eq!(node.command(&["delete", name.as_str()]), "DELETED");
        }
    };
    let delay = |fault: Fault| proxies.iter().for_each(|proxy| proxy.set(fault.clone()));
    clear_one_of_two(&cache, delay, forget).await;
}

#[tokio::test]
async fn clear_in_this_process_leaves_its_sibling_alone() {
    let memory = MemoryConfig::with_capacity(Capacity::bytes(64 << 20));
    let cache = Cache::builder(std::sync::Arc::new(LocalStore::new(&memory))).build().unwrap();
    for service in [CLEARED, SIBLING] {
        fill(&cache, service).await;
    }
    assert_eq!(
        cache.service(&ServiceName::from_static(CLEARED)).clear().await.unwrap(),
        Written::Done
    );
    assert_eq!(count(&cache, CLEARED).await, 0);
    assert_eq!(count(&cache, SIBLING).await, ENTRIES);
}
