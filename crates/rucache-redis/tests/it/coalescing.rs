//! Reads that travel together: everybody gets what is theirs, and nobody waits for ever.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::join_all;
use rucache_core::{Backend, BackendExt, Companions, Error, ErrorKind, Precondition, Write};
use rucache_redis::RedisBackend;
use rucache_testkit::{RedisCluster, RedisOptions, RedisServer, Step};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::fake;
use crate::stand::{Reads, SLACK, TTL, fill, key, open, recovered, value};

type Call = Pin<Box<dyn Future<Output = Result<Option<rucache_core::Stored>, Error>> + Send>>;

/// A read of a key, not yet begun.
fn get(backend: &RedisBackend, number: u64) -> Call {
    let backend = backend.clone();
    Box::pin(async move { backend.get(&key(number)).await })
}

/// Begins `calls`, in their order, and leaves them pending.
async fn begin(calls: &mut [Call]) {
    for call in calls {
        std::future::poll_fn(|context| {
            assert!(call.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
    }
}

async fn fill_all(backend: &RedisBackend, numbers: std::ops::Range<u64>) {
    let write = |number| Write {
        key: key(number),
        value: value(number).into(),
        ttl: TTL,
        when: Precondition::Always,
    };
    let writes: Vec<_> = numbers.map(write).collect();
    for writes in writes.chunks(500) {
        assert!(backend.write_many(writes).await.iter().all(Result::is_ok));
    }
}

/// Reads each key in a call of its own, all at once, in so many tasks.
async fn read_at_once(backend: &RedisBackend, numbers: std::ops::Range<u64>) -> Reads {
    let mut calls = JoinSet::new();
    for number in numbers {
        let backend = backend.clone();
        calls.spawn(async move { (number, backend.get(&key(number)).await) });
    }
    let mut reads = Reads::default();
    while let Some(call) = calls.join_next().await {
        let (number, answer) = call.unwrap();
        reads.count(number, answer);
    }
    reads
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_callers_each_get_the_value_of_their_own_key() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&format!("{}?timeout=20s&connect_timeout=5s", server.url())).await;
    fill_all(&backend, 0..10_000).await;
    server.command(&["CONFIG", "RESETSTAT"]);
    let reads = read_at_once(&backend, 0..10_000).await;
    assert_eq!((reads.hits, reads.wrong, reads.misses), (10_000, 0, 0), "{:?}", reads.errors);
    // They did travel together: far fewer commands than callers.
    let stats = server.command(&["INFO", "commandstats"]);
    let batches = stats.split("cmdstat_mget:calls=").nth(1).unwrap();
    let batches: u64 = batches.split(',').next().unwrap().parse().unwrap();
    assert!((20..5_000).contains(&batches), "{batches} batches");
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_of_a_cluster_each_get_the_value_of_their_own_key() {
    let cluster = RedisCluster::start(&RedisOptions::default());
    let backend = open(&format!("{}?timeout=20s&connect_timeout=5s", cluster.url())).await;
    fill_all(&backend, 0..2_000).await;
    let reads = read_at_once(&backend, 0..2_000).await;
    assert_eq!((reads.hits, reads.wrong, reads.misses), (2_000, 0, 0), "{:?}", reads.errors);
}

/// Nobody joins a batch that was sent before they asked.
#[tokio::test(flavor = "multi_thread")]
async fn read_sees_the_write_before_it_however_many_read() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&format!("{}?timeout=20s&connect_timeout=5s", server.url())).await;
    let caller = |caller: u64| {
        let backend = backend.clone();
        tokio::spawn(async move {
            let own = key(caller);
            for round in 0..100_u64 {
                let mine = format!("{round}").into_bytes();
                backend.set(&own, mine.clone().into(), TTL).await.unwrap();
                assert_eq!(backend.get(&own).await.unwrap().unwrap().value, mine);
            }
        })
    };
    for caller in (0..64).map(caller).collect::<Vec<_>>() {
        caller.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_leave_hand_their_place_on() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&format!("{}?timeout=20s&connect_timeout=5s", server.url())).await;
    fill(&backend, 0..40).await;
    server.pause();
    // The first ones read by themselves, the others wait for them; of both, some leave.
    let mut calls: Vec<_> = (0..40).map(|number| get(&backend, number)).collect();
    begin(&mut calls).await;
    let mut stay = Reads::default();
    let left: Vec<_> = calls.drain(..20).collect();
    drop(left);
    // Who comes later still gets a place.
    calls.extend((0..20).map(|number| get(&backend, number)));
    begin(&mut calls[20..]).await;
    server.resume();
    for (number, answer) in (20..40).chain(0..20).zip(join_all(calls).await) {
        stay.count(number, answer);
    }
    assert_eq!(stay.hits, 40, "{stay:?}");
}

/// A batch whose callers have all left is not sent, and leaves nothing behind.
#[tokio::test(flavor = "current_thread")]
async fn batch_that_nobody_waits_for_is_not_sent() {
    let server = fake::redis(|command| match command[0].as_str() {
        "GET" | "MGET" => Some(vec![Step::Send(fake::nothing(command))]),
        _ => None,
    });
    let backend = open(&format!("{}?timeout=20s&connect_timeout=5s", fake::url(&server))).await;
    for _ in 0..10 {
        let mut calls: Vec<_> = (0..40).map(|number| get(&backend, number)).collect();
        begin(&mut calls).await;
        // Those who wait leave first: what they waited for comes to nobody.
        while let Some(last) = calls.pop() {
            drop(last);
        }
        assert_eq!(backend.get(&key(77)).await.unwrap(), None);
    }
    let received = fake::commands(&server.received());
    assert!(received.iter().all(|command| command[0] != "MGET"), "{received:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn error_of_a_batch_reaches_all_of_it() {
    for (step, kind) in [
        (Step::Send(b"-NOPERM no permissions to run this\r\n".to_vec()), ErrorKind::Denied),
        (Step::Send(b"*1\r\n$-1\r\n".to_vec()), ErrorKind::Protocol),
        (Step::Reset, ErrorKind::Interrupted),
    ] {
        let server = fake::redis(move |command| match command[0].as_str() {
            "GET" => Some(vec![Step::Send(fake::nothing(command))]),
            "MGET" => Some(vec![step.clone()]),
            _ => None,
        });
        let backend = open(&format!("{}?timeout=5s", fake::url(&server))).await;
        let answers = join_all((0..50).map(|number| get(&backend, number))).await;
        let (found, failed): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert!(found.len() < 10, "{} read by themselves", found.len());
        let kinds: BTreeSet<_> =
            failed.into_iter().map(|failed| format!("{:?}", failed.unwrap_err().kind())).collect();
        assert_eq!(kinds, BTreeSet::from([format!("{kind:?}")]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_server_costs_everybody_one_deadline() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&format!("{}?timeout=200ms", server.url())).await;
    fill(&backend, 0..10).await;
    server.pause();
    let call = |number: u64| {
        let call = get(&backend, number % 10);
        async move {
            let begun = Instant::now();
            (call.await, begun.elapsed())
        }
    };
    for (answer, took) in join_all((0..500).map(call)).await {
        let kinds = [ErrorKind::Timeout, ErrorKind::CircuitOpen];
        let kind = answer.unwrap_err().kind();
        assert!(kinds.contains(&kind), "{kind:?}");
        assert!(took < Duration::from_millis(200) + SLACK, "{took:?}");
    }
    server.resume();
    recovered(&backend).await;
    let reads = read_at_once(&backend, 0..10).await;
    assert_eq!(reads.hits, 10, "{reads:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_many_ask_for_is_sent_once() {
    let server = fake::redis(|command| match command[0].as_str() {
        "GET" | "MGET" => Some(vec![Step::Send(fake::nothing(command))]),
        _ => None,
    });
    let backend = open(&format!("{}?timeout=5s", fake::url(&server))).await;
    let read = |number: u64| {
        let backend = backend.clone();
        async move { backend.get_many(&[key(number % 5)], Companions::Markers).await }
    };
    for answers in join_all((0..100).map(read)).await {
        let [Ok(fetched)] = answers.as_slice() else { panic!("{answers:?}") };
        assert!(fetched.entry.is_none() && fetched.root.is_none() && fetched.service.is_none());
    }
    let mut longest = 0;
    for command in fake::commands(&server.received()) {
        if command[0] == "MGET" {
            let distinct: BTreeSet<_> = command[1..].iter().collect();
            assert_eq!(distinct.len(), command.len() - 1, "{command:?}");
            longest = longest.max(distinct.len());
        }
    }
    // Five entries and two markers, for everybody who waited.
    assert_eq!(longest, 7);
}
