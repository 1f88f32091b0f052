//! Cluster: keys over many slots, slots that move, primaries that die.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rucache_core::{Backend, BackendExt, Change, Companions, ErrorKind, Marker, MarkerVersion};
use rucache_testkit::{RedisCluster, RedisOptions};

use crate::stand::{
    Ears, PATIENCE, RECOVERY, Reads, SLACK, TTL, eventually, fill, key, open, read_batch, value,
};

const KEYS: u64 = 300;

fn wire(number: u64) -> String {
    format!("migo:ruc_{number}")
}

/// F20.
#[tokio::test(flavor = "multi_thread")]
async fn keys_over_all_slots_are_one_batch() {
    let cluster = RedisCluster::start(&RedisOptions::default());
    let backend = open(&format!("{}?timeout=1s", cluster.url())).await;
    fill(&backend, 0..KEYS).await;
    assert_eq!(read_batch(&backend, 0..KEYS).await.hits, KEYS);
    let keys: Vec<_> = (0..KEYS).map(key).collect();
    let seed = MarkerVersion::from_raw(77);
    assert!(backend.bump(&[Marker::Root], seed).await[0].is_ok());
    for answer in backend.get_many(&keys, Companions::Markers).await {
        assert_eq!(answer.unwrap().root, Some(seed));
    }
    for answer in backend.delete_many(&keys).await {
        assert!(answer.unwrap());
    }
    let info = backend.info().await.unwrap();
    assert_eq!(info.items, Some(1));
}

/// F18.
#[tokio::test(flavor = "multi_thread")]
async fn moving_slots_fail_no_read_and_lose_no_write() {
    let cluster = RedisCluster::start(&RedisOptions::default());
    let backend = open(&format!("{}?timeout=2s", cluster.url())).await;
    fill(&backend, 0..KEYS).await;
    let stop = Arc::new(AtomicBool::new(false));
    let load = {
        let (backend, stop) = (backend.clone(), stop.clone());
        tokio::spawn(async move {
            let mut reads = Reads::default();
            while !stop.load(Ordering::Relaxed) {
                for number in 0..KEYS {
                    reads.count(number, backend.get(&key(number)).await);
                    backend.set(&key(number), value(number).into(), TTL).await.unwrap();
                }
            }
            reads
        })
    };
    for number in (0..KEYS).step_by(20) {
        let (slot, owner) =
            (cluster.slot_of(&wire(number)), cluster.primary_of(&wire(number)).port());
        // Away and back again.
        let other = cluster.nodes()[..3].iter().find(|node| node.port() != owner).unwrap();
        let own = cluster.nodes()[..3].iter().find(|node| node.port() == owner).unwrap();
        for to in [other, own] {
            tokio::task::block_in_place(|| cluster.move_slot(slot, to));
        }
    }
    stop.store(true, Ordering::Relaxed);
    let reads = load.await.unwrap();
    assert_eq!((reads.wrong, reads.misses, reads.errors.as_slice()), (0, 0, [].as_slice()));
    assert!(reads.hits > 0);
    let reads = read_batch(&backend, 0..KEYS).await;
    assert_eq!(reads.hits, KEYS, "{reads:?}");
}

/// F18: between two nodes a slot is asked for at both.
#[tokio::test(flavor = "multi_thread")]
async fn slot_between_two_nodes_is_read_and_written() {
    let cluster = RedisCluster::start(&RedisOptions::default());
    let backend = open(&format!("{}?timeout=1s", cluster.url())).await;
    backend.set(&key(1), value(1).into(), TTL).await.unwrap();
    let owner = cluster.primary_of(&wire(1)).port();
    let to = cluster.nodes()[..3].iter().find(|node| node.port() != owner).unwrap();
    cluster.open_slot(cluster.slot_of(&wire(1)), to);
    // Still here: the old owner answers.
    assert_eq!(backend.get(&key(1)).await.unwrap().unwrap().value, value(1));
    // A script on two keys, the entry and its lease, is refused where only one of them is: what
    // changes an entry waits for the slot to arrive.
    let error = backend.set(&key(1), value(1).into(), TTL).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    let old = cluster.nodes().iter().find(|node| node.port() == owner).unwrap();
    let port = to.port().to_string();
    old.command(&["MIGRATE", "127.0.0.1", &port, &wire(1), "0", "1000"]);
    // Not here any longer: the new one has to be asked, and asked to be asked.
    assert_eq!(backend.get(&key(1)).await.unwrap().unwrap().value, value(1));
    cluster.move_slot(cluster.slot_of(&wire(1)), to);
    backend.set(&key(1), "moved".into(), TTL).await.unwrap();
    assert_eq!(backend.get(&key(1)).await.unwrap().unwrap().value, "moved");
    assert!(backend.delete(&key(1)).await.unwrap());
}

/// F19, and what was told of it.
#[tokio::test(flavor = "multi_thread")]
async fn killed_primary_takes_its_own_keys_only_and_is_replaced() {
    let cluster = RedisCluster::start(&RedisOptions::default());
    let backend = open(&cluster.url()).await;
    fill(&backend, 0..KEYS).await;
    let ears = Ears::trusting(&backend).await;
    let victim = cluster.primary_of(&wire(0));
    let lost: Vec<bool> =
        (0..KEYS).map(|number| cluster.primary_of(&wire(number)).port() == victim.port()).collect();
    // Replication is behind by an instant; what is killed may not be ahead of its replica.
    victim.command(&["WAIT", "1", "1000"]);
    victim.kill_9();
    for (number, lost) in (0..KEYS).zip(&lost) {
        match backend.get(&key(number)).await {
            Ok(stored) => assert_eq!(stored.unwrap().value, value(number)),
            Err(error) => assert!(lost, "{number}: {error:?}"),
        }
    }
    tokio::task::block_in_place(|| cluster.wait_until_ok());
    let all = || async { read_batch(&backend, 0..KEYS).await.hits == KEYS };
    let took = eventually("all keys are read", PATIENCE, all).await;
    assert!(took < RECOVERY + SLACK, "{took:?}");
    fill(&backend, 0..KEYS).await;
    // Push comes from the new primary.
    ears.hears(Change::PushRestored).await;
    ears.forget();
    cluster.primary_of(&wire(0)).command(&["SET", &wire(0), "anything"]);
    ears.hears(Change::Entries(vec![key(0)])).await;
}

/// F19: a shard without a replica is gone, the others go on.
#[tokio::test(flavor = "multi_thread")]
async fn lost_shard_leaves_the_others_alone() {
    let cluster = RedisCluster::start(&RedisOptions::default());
    let backend = open(&cluster.url()).await;
    fill(&backend, 0..KEYS).await;
    let victim = cluster.primary_of(&wire(0));
    let others: Vec<u64> =
        (0..KEYS).filter(|n| cluster.primary_of(&wire(*n)).port() != victim.port()).collect();
    for replica in cluster.replicas_of(victim) {
        replica.kill_9();
    }
    victim.kill_9();
    let down = || async { backend.ping().await.is_err() };
    eventually("the shard is down", PATIENCE, down).await;
    for _ in 0..3 {
        for number in &others {
            let read = backend.get(&key(*number)).await.unwrap();
            assert_eq!(read.unwrap().value, value(*number));
        }
    }
    let error = backend.get(&key(0)).await.unwrap_err();
    let kinds = [ErrorKind::CircuitOpen, ErrorKind::Unreachable];
    assert!(kinds.contains(&error.kind()), "{error:?}");
    victim.restart();
    let back = || async { backend.get(&key(0)).await.is_ok() };
    let took = eventually("the shard is back", PATIENCE, back).await;
    assert!(took < RECOVERY + Duration::from_secs(2) + SLACK, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_seed_is_enough_and_none_is_joined_later() {
    let cluster = RedisCluster::start(&RedisOptions::default());
    let seed = cluster.nodes()[4].address();
    let backend = open(&format!("redis+cluster://127.0.0.1:1,{seed}")).await;
    let found = || async { backend.set(&key(1), value(1).into(), TTL).await.is_ok() };
    eventually("the cluster is found", PATIENCE, found).await;
    fill(&backend, 0..20).await;
    let error = open("redis+cluster://127.0.0.1:1").await.get(&key(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
}
