//! Servers that are down, killed, restarted or stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rucache_core::{Backend, BackendExt, ErrorKind, Ttl};
use rucache_memcached::MemcachedBackend;
use rucache_testkit::{Memcached, MemcachedOptions};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::rig::{RECOVERY, SLACK, Tally, key, kind, open, until, until_served};

fn server() -> Memcached {
    Memcached::start(MemcachedOptions::default())
}

/// Reads and writes of 16 keys by eight callers until `stop`.
fn load(backend: &Arc<MemcachedBackend>, stop: &Arc<AtomicBool>) -> Vec<JoinHandle<Tally>> {
    let caller = |caller: u64| {
        let (backend, stop) = (backend.clone(), stop.clone());
        tokio::spawn(async move {
            let mut tally = Tally::default();
            let mut round = caller;
            while !stop.load(Ordering::Relaxed) {
                let key = key(format!("ruc_{}", round % 16));
                if round.is_multiple_of(4) {
                    tally.write(&backend, &key).await;
                } else {
                    tally.read(&backend, &key).await;
                }
                round += 1;
                tokio::task::yield_now().await;
            }
            tally
        })
    };
    (0..8).map(caller).collect()
}

async fn sum(callers: Vec<JoinHandle<Tally>>) -> Tally {
    let mut sum = Tally::default();
    for caller in callers {
        sum.add(caller.await.unwrap());
    }
    sum
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backend_opens_while_the_server_is_down_and_joins_when_it_comes() {
    let server = server();
    server.kill_9();
    let began = Instant::now();
    let backend = open(&server.address(), "");
    for _ in 0..20 {
        let found = kind(backend.get(&key("a")).await).map(|_| ());
        assert!(matches!(found, Err(ErrorKind::Unreachable | ErrorKind::CircuitOpen)), "{found:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    server.restart();
    until_served(&backend, &key("a")).await;
    assert_eq!(kind(backend.set(&key("a"), "1".into(), Ttl::SHORT).await), Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn host_names_are_resolved_and_their_addresses_tried() {
    let server = server();
    let backend = open(&format!("localhost:{}", server.port()), "timeout=1s");
    assert_eq!(kind(backend.set(&key("a"), "1".into(), Ttl::SHORT).await), Ok(()));
    let nowhere = open("no-such-host.invalid", "timeout=5s");
    assert_eq!(kind(nowhere.get(&key("a")).await).unwrap_err(), ErrorKind::Unreachable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_server_opens_the_circuit_and_is_served_again_after_its_restart() {
    let server = server();
    let backend = open(&server.address(), "timeout=150ms");
    let stop = Arc::new(AtomicBool::new(false));
    let callers = load(&backend, &stop);
    until(RECOVERY, "the load runs", async || server.stat("cmd_set") > 100).await;
    server.kill_9();
    let opened = async || matches!(kind(backend.get(&key("a")).await), Err(ErrorKind::CircuitOpen));
    let opening = until(Duration::from_secs(1), "the circuit opens", opened).await;
    // Long enough for several probes to fail.
    sleep_until(Instant::now() + Duration::from_secs(3)).await;
    assert_eq!(kind(backend.get(&key("a")).await), Err(ErrorKind::CircuitOpen));
    server.restart();
    until_served(&backend, &key("a")).await;
    until(RECOVERY, "the load goes on", async || server.stat("cmd_set") > 100).await;
    stop.store(true, Ordering::Relaxed);
    let tally = sum(callers).await;
    assert_eq!(tally.wrong, 0);
    assert!(tally.hits > 0 && tally.count(ErrorKind::CircuitOpen) > 0, "opened in {opening:?}");
    assert!(tally.longest < Duration::from_millis(150) + SLACK, "{:?}", tally.longest);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_read_after_a_restart_does_not_fail() {
    let server = server();
    let backend = open(&server.address(), "timeout=1s");
    let keys: Vec<_> = (0..8).map(key).collect();
    // Several connections idle over the restart.
    let write = |key| {
        let backend = backend.clone();
        tokio::spawn(async move { backend.set(&key, "1".into(), Ttl::SHORT).await })
    };
    for written in keys.iter().cloned().map(write).collect::<Vec<_>>() {
        assert_eq!(kind(written.await.unwrap()), Ok(()));
    }
    server.restart();
    for key in &keys {
        assert_eq!(kind(backend.get(key).await), Ok(None));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_server_costs_a_timeout_each_until_the_circuit_is_open_and_then_nothing() {
    let server = server();
    let timeout = Duration::from_millis(150);
    let backend = open(&server.address(), "timeout=150ms");
    let key = key("ruc_20131312955");
    let mut calm = Tally::default();
    calm.write(&backend, &key).await;
    calm.read(&backend, &key).await;
    assert_eq!((calm.hits, calm.wrong), (2, 0), "{calm:?}");
    server.pause();
    let mut stopped = Tally::default();
    let mut skipped = Vec::new();
    for call in 0..20 {
        let began = Instant::now();
        stopped.read(&backend, &key).await;
        let (took, last) = (began.elapsed(), *stopped.errors.last().unwrap());
        match last {
            ErrorKind::Timeout => assert!(call < 5 && took < timeout + SLACK, "{call}: {took:?}"),
            ErrorKind::CircuitOpen => skipped.push(took),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(skipped.len(), 15, "five timeouts open the circuit");
    skipped.sort_unstable();
    assert!(skipped[7] < Duration::from_millis(1), "{skipped:?}");
    server.resume();
    let took = until_served(&backend, &key).await;
    assert!(took <= RECOVERY + SLACK, "{took:?}");
    let mut again = Tally::default();
    again.read(&backend, &key).await;
    assert_eq!((again.hits, again.wrong), (1, 0), "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_of_a_dead_node_is_an_error_within_its_deadline() {
    let server = server();
    let backend = open(&server.address(), "");
    server.pause();
    let began = Instant::now();
    assert_eq!(kind(backend.ping().await), Err(ErrorKind::Timeout));
    assert_eq!(kind(backend.info().await).map(|_| ()), Err(ErrorKind::Timeout));
    let map = backend.map_len(&key("map"), rucache_core::Timestamp::default()).await;
    assert_eq!(kind(map), Err(ErrorKind::Timeout));
    assert!(began.elapsed() < Duration::from_millis(150) + SLACK, "{:?}", began.elapsed());
}
