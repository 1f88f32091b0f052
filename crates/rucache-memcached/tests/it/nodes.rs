//! A pool of nodes of which one dies.

use rucache_core::{
    Backend, BackendExt, Companions, ErrorKind, Key, Marker, MarkerRef, MarkerVersion, Ttl,
};
use rucache_memcached::MemcachedBackend;
use rucache_testkit::{Memcached, MemcachedOptions};

use crate::rig::{RECOVERY, SLACK, key, kind, open, until};

const KEYS: usize = 3_000;

fn keys() -> Vec<Key> {
    (0..KEYS).map(|number| key(format!("ruc_{number}"))).collect()
}

/// For each key whether it is there, or why that cannot be told.
async fn found(backend: &MemcachedBackend, keys: &[Key]) -> Vec<Result<bool, ErrorKind>> {
    let fetched = backend.get_many(keys, Companions::None).await;
    fetched.into_iter().map(|fetched| kind(fetched).map(|it| it.entry.is_some())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_dead_node_of_three_takes_its_own_third_and_no_more() {
    let servers = Memcached::start_pool(3, &MemcachedOptions::default());
    let addresses: Vec<_> = servers.iter().map(Memcached::address).collect();
    let backend = open(&addresses.join(","), "timeout=2s");
    let keys = keys();
    for key in &keys {
        assert!(backend.set(key, "1".into(), Ttl::LONG).await.is_ok());
    }
    assert_eq!(found(&backend, &keys).await, vec![Ok(true); KEYS]);

    servers[1].kill_9();
    let without = found(&backend, &keys).await;
    let lost: Vec<_> = (0..KEYS).filter(|at| without[*at].is_err()).collect();
    let others = |at: &usize| !lost.contains(at);
    assert!((0..KEYS).filter(others).all(|at| without[at] == Ok(true)));
    assert!((800..1_200).contains(&lost.len()), "{} of {KEYS} lost", lost.len());

    // Never looked for, nor put, elsewhere.
    let write = backend.set(&keys[lost[0]], "2".into(), Ttl::LONG).await;
    assert!(kind(write).is_err());
    assert_eq!(found(&backend, &keys).await.iter().filter(|it| it.is_err()).count(), lost.len());

    servers[1].restart();
    let served = async || found(&backend, &keys).await.iter().all(Result::is_ok);
    until(RECOVERY + SLACK, "all nodes are served", served).await;
    // The same keys as before: nothing has moved, and what the dead node held is gone.
    let after = found(&backend, &keys).await;
    let missing: Vec<_> = (0..KEYS).filter(|at| after[*at] == Ok(false)).collect();
    assert_eq!(missing, lost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_of_the_servers_means_nothing() {
    let servers = Memcached::start_pool(3, &MemcachedOptions::default());
    let mut addresses: Vec<_> = servers.iter().map(Memcached::address).collect();
    let forth = open(&addresses.join(","), "timeout=2s");
    addresses.reverse();
    let back = open(&addresses.join(","), "timeout=2s");
    for key in &keys()[..100] {
        assert!(forth.set(key, "1".into(), Ttl::LONG).await.is_ok());
        assert!(back.get(key).await.unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bump_reaches_the_living_nodes_and_tells_of_the_dead_one() {
    let servers = Memcached::start_pool(3, &MemcachedOptions::default());
    let addresses: Vec<_> = servers.iter().map(Memcached::address).collect();
    let backend = open(&addresses.join(","), "timeout=2s");
    let seed = MarkerVersion::from_raw(1_884_390_400_000_000_000);
    let at: Vec<_> =
        keys().into_iter().take(50).map(|near| MarkerRef { marker: Marker::Root, near }).collect();
    let before = backend.markers(&at, seed).await;
    assert!(before.iter().all(|version| version.as_ref().ok() == Some(&seed)));

    servers[2].kill_9();
    let error = backend.bump(&[Marker::Root], seed).await.remove(0).unwrap_err();
    assert_eq!(error.node(), Some(addresses[2].as_str()));
    let after = backend.markers(&at, seed).await;
    let (alive, dead): (Vec<_>, Vec<_>) = after.into_iter().partition(Result::is_ok);
    assert!(!dead.is_empty() && alive.len() > 20, "{} nodes' keys alive", alive.len());
    let bumped = MarkerVersion::from_raw(seed.as_raw() + 1);
    assert!(alive.into_iter().all(|version| version.ok() == Some(bumped)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entry_is_decided_by_the_markers_of_its_own_node() {
    let servers = Memcached::start_pool(3, &MemcachedOptions::default());
    let addresses: Vec<_> = servers.iter().map(Memcached::address).collect();
    let backend = open(&addresses.join(","), "timeout=2s");
    // Each copy another number, as after evictions.
    for (server, copy) in servers.iter().zip(["101", "102", "103"]) {
        assert_eq!(server.command(&["set", "~s:migo", "0", "0", "3", copy]), "STORED");
    }
    let keys = keys();
    let fetched = backend.get_many(&keys, Companions::Markers).await;
    let at: Vec<_> = keys
        .into_iter()
        .map(|near| MarkerRef { marker: Marker::Service(near.service_name()), near })
        .collect();
    let markers = backend.markers(&at, MarkerVersion::from_raw(1)).await;
    let mut copies = std::collections::BTreeMap::new();
    for (fetched, marker) in fetched.into_iter().zip(markers) {
        let marker = marker.unwrap();
        assert_eq!(fetched.unwrap().service, Some(marker));
        *copies.entry(marker.as_raw()).or_insert(0) += 1;
    }
    assert_eq!(copies.keys().copied().collect::<Vec<_>>(), [101, 102, 103]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn info_adds_up_the_nodes_that_answer() {
    let servers = Memcached::start_pool(3, &MemcachedOptions::default());
    let addresses: Vec<_> = servers.iter().map(Memcached::address).collect();
    let backend = open(&addresses.join(","), "timeout=2s");
    for key in &keys()[..30] {
        assert!(backend.set(key, "1".into(), Ttl::LONG).await.is_ok());
    }
    let all = backend.info().await.unwrap();
    assert_eq!(all.items, Some(30));
    assert_eq!(all.capacity_bytes, Some(3 * 64 * 1024 * 1024));
    assert!(all.version.is_some() && all.used_bytes.is_some_and(|bytes| bytes > 30 * 50));
    servers[0].kill_9();
    let two = backend.info().await.unwrap();
    assert_eq!(two.capacity_bytes, Some(2 * 64 * 1024 * 1024));
    for server in &servers[1..] {
        server.kill_9();
    }
    assert_eq!(kind(backend.info().await).unwrap_err(), ErrorKind::Unreachable);
    assert!(kind(backend.ping().await).is_err());
}
