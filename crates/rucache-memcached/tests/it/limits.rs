//! Limits: of connections, values, lives and names.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use rucache_core::{Backend, BackendExt, ErrorKind, Precondition, Ttl, Write, WriteOutcome};
use rucache_testkit::{FaultProxy, Memcached, MemcachedOptions};
use tokio::time::{Instant, sleep_until};

use crate::rig::{RECOVERY, SLACK, Tally, key, kind, open, until, until_served, value_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_at_once_keep_to_the_connections() {
    let server = Memcached::start(MemcachedOptions::default());
    let proxy = FaultProxy::start(server.port(), 1);
    let backend = open(&proxy.address(), "timeout=60s&connect_timeout=60s&max_connections=8");
    let call = |number: u64| {
        let (backend, key) = (backend.clone(), key(format!("ruc_{number}")));
        tokio::spawn(async move {
            let mut tally = Tally::default();
            if number.is_multiple_of(2) {
                tally.write(&backend, &key).await;
            } else {
                tally.read(&backend, &key).await;
            }
            tally
        })
    };
    let calls: Vec<_> = (0..10_000).map(call).collect();
    let mut tally = Tally::default();
    for call in calls {
        tally.add(call.await.unwrap());
    }
    assert_eq!((tally.errors.len(), tally.wrong), (0, 0), "{:?}", tally.errors.first());
    assert_eq!((tally.hits, tally.misses), (5_000, 5_000));
    assert!(proxy.counts().opened <= 8, "{:?}", proxy.counts());
}

/// A connection to which the server answers.
fn let_in(address: &str) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"mn\r\n").ok()?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).ok()?;
    (answer == *b"MN\r\n").then_some(stream)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_without_free_connections_is_down_and_left_in_peace() {
    let options = MemcachedOptions { max_connections: Some(8), ..Default::default() };
    let server = Memcached::start(options);
    let proxy = FaultProxy::start(server.port(), 1);
    let backend = open(&proxy.address(), "timeout=150ms");
    // Others have them all: those that came too late are closed by the server.
    assert!(server.stat("max_connections") >= 8, "the kit's own connection is among the first");
    let mut others = Vec::new();
    let mut turned_away = 0;
    // One that is being turned away still counts for a moment, so once is not enough.
    while turned_away < 5 {
        match let_in(&server.address()) {
            Some(other) => others.push(other),
            None => turned_away += 1,
        }
    }
    let closed = async || kind(backend.get(&key("a")).await) == Err(ErrorKind::CircuitOpen);
    until(2 * RECOVERY, "the circuit opens", closed).await;
    let before = proxy.counts().opened;
    let watched = Duration::from_millis(2_500);
    let began = Instant::now();
    while began.elapsed() < watched {
        assert!(kind(backend.get(&key("a")).await).is_err());
        sleep_until(Instant::now() + Duration::from_millis(5)).await;
    }
    let opened = proxy.counts().opened - before;
    // One a second, 20 % sooner at most.
    assert!(opened <= 4, "{opened} connections in {watched:?}");
    drop(others);
    until_served(&backend, &key("a")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn value_over_the_limit_is_refused_before_the_wire_and_the_old_one_is_gone() {
    let server = Memcached::start(MemcachedOptions::default());
    let proxy = FaultProxy::start(server.port(), 1);
    let backend = open(&proxy.address(), "timeout=2s");
    let key = key("ruc_20131312955");
    assert!(backend.set(&key, "old".into(), Ttl::LONG).await.is_ok());
    let before = proxy.counts().to_server;
    let long = vec![b'x'; 1_000_001];
    assert_eq!(kind(backend.set(&key, long.into(), Ttl::LONG).await), Err(ErrorKind::TooLarge));
    assert!(proxy.counts().to_server - before < 100, "nothing of the value was sent");
    assert_eq!(kind(backend.get(&key).await), Ok(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn value_over_the_servers_limit_is_too_large_and_leaves_the_circuit_closed() {
    let options = MemcachedOptions { max_item_bytes: Some(512 * 1024), ..Default::default() };
    let server = Memcached::start(options);
    let backend = open(&server.address(), "timeout=2s");
    let write = |name: &str, len: usize| Write {
        key: key(name),
        value: vec![b'x'; len].into(),
        ttl: Ttl::LONG,
        when: Precondition::Always,
    };
    assert!(backend.set(&key("b"), "old".into(), Ttl::LONG).await.is_ok());
    for _ in 0..8 {
        let writes = [write("a", 5), write("b", 700_000), write("c", 5)];
        let outcomes: Vec<_> = backend.write_many(&writes).await.into_iter().map(kind).collect();
        // What follows a refused line of a batch was carried out, but its answer is not read.
        assert_eq!(
            outcomes,
            [Ok(WriteOutcome::Stored), Err(ErrorKind::TooLarge), Err(ErrorKind::Interrupted)]
        );
    }
    assert_eq!(kind(backend.get(&key("b")).await), Ok(None));
    assert!(backend.get(&key("c")).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_server_that_evicts_nothing_refuses_writes_and_serves_reads() {
    let server = Memcached::start(MemcachedOptions {
        memory_mb: Some(2),
        arguments: vec!["-M".to_owned()],
        ..Default::default()
    });
    let backend = open(&server.address(), "timeout=2s");
    let first = key("ruc_0");
    assert!(backend.set(&first, value_of(&first), Ttl::LONG).await.is_ok());
    let fill = async |number: u64| {
        backend.set(&key(format!("long_{number}")), vec![0; 200_000].into(), Ttl::LONG).await
    };
    let mut full = 0;
    for number in 0..40 {
        match kind(fill(number).await) {
            Ok(()) => {}
            Err(ErrorKind::Full) => full += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(full > 10, "{full} of 40 writes refused");
    let mut tally = Tally::default();
    tally.read(&backend, &first).await;
    assert_eq!(tally.hits, 1, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lives_are_neither_for_ever_nor_over_at_once() {
    let server = Memcached::start(MemcachedOptions::default());
    let backend = open(&server.address(), "timeout=2s");
    let days_30 = 30 * 24 * 3_600;
    let year = 365 * 24 * 3_600;
    // The server's clock is up to two seconds behind, which a date shows.
    let lives = [
        (Ttl::MIN, 1..=2),
        (Ttl::secs(days_30), days_30..=days_30 + 2),
        (Ttl::secs(days_30 + 1), days_30 + 1..=days_30 + 3),
        (Ttl::secs(year), year..=year + 2),
    ];
    for (ttl, expected) in lives {
        assert!(backend.set(&key("a"), "1".into(), ttl).await.is_ok());
        let left = server.command(&["mg", "migo:a", "t"]);
        let left: u64 =
            left.trim_start_matches("HD t").parse().unwrap_or_else(|_| panic!("{left}"));
        assert!(expected.contains(&left), "{ttl}: {left} s");
    }
    // 100 years: memcached knows no such date, and an entry without end is better than none.
    assert!(backend.set(&key("a"), "1".into(), Ttl::MAX).await.is_ok());
    assert_eq!(server.command(&["mg", "migo:a", "t"]), "HD t-1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_hold_neither_key_nor_value() {
    use std::error::Error as _;
    let server = Memcached::start(MemcachedOptions::default());
    let backend = open(&server.address(), "timeout=20ms");
    let key = key("ruc_20131312955");
    server.pause();
    let write = backend.set(&key, "secret".into(), Ttl::LONG).await.unwrap_err();
    let read = backend.get(&key).await.unwrap_err();
    for error in [write, read] {
        assert_eq!(error.kind(), ErrorKind::Timeout);
        let source = error.source().map(|source| format!("{source} {source:?}"));
        let text = format!("{error} {error:?} {source:?} {backend:?}");
        assert!(!text.contains("20131312955") && !text.contains("secret"), "{text}");
        assert!(text.contains(&server.address()), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_items_read_as_foreign_and_are_replaced() {
    let server = Memcached::start(MemcachedOptions::default());
    let backend = open(&server.address(), "timeout=2s");
    for (name, flags, value) in [("text", "0", "hello"), ("empty", "0", ""), ("flags", "1", "x")] {
        let (key, len) = (key(name), value.len().to_string());
        let wire = format!("migo:{name}");
        let put = || server.command(&["set", &wire, flags, "0", &len, value]);
        assert_eq!(put(), "STORED");
        assert_eq!(kind(backend.get(&key).await), Err(ErrorKind::ForeignValue), "{name}");
        assert_eq!(kind(backend.delete(&key).await), Ok(false), "{name}");
        assert_eq!(put(), "STORED");
        let write = Write {
            key: key.clone(),
            value: "ours".into(),
            ttl: Ttl::LONG,
            when: Precondition::Absent,
        };
        assert_eq!(kind(backend.write(write).await), Ok(WriteOutcome::Stored), "{name}");
        assert!(backend.get(&key).await.unwrap().is_some());
    }
    assert_eq!(server.command(&["set", "~n:{migo:n}", "0", "0", "1", "x"]), "STORED");
    let sums = backend.add_many(&[(key("n"), 1)], Ttl::LONG).await;
    assert_eq!(kind(sums.into_iter().next().unwrap()), Err(ErrorKind::ForeignValue));
    assert!(until_served(&backend, &key("text")).await < SLACK, "the circuit stayed closed");
}

/// More is asked than the buffers between client and server hold, while nobody reads the answers: sent
/// in one piece, both sides would wait for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batch_of_any_size_is_answered() {
    let options = MemcachedOptions { memory_mb: Some(512), ..Default::default() };
    let server = Memcached::start(options);
    let backend = open(&server.address(), "timeout=20s");
    let keys: Vec<_> = (0..60_000).map(|number| key(format!("{number:0>200}"))).collect();
    let write = |key: &rucache_core::Key| Write {
        key: key.clone(),
        value: vec![b'x'; 2_000].into(),
        ttl: Ttl::LONG,
        when: Precondition::Always,
    };
    for keys in keys.chunks(10_000) {
        let writes: Vec<_> = keys.iter().map(write).collect();
        assert!(backend.write_many(&writes).await.iter().all(Result::is_ok));
    }
    let fetched = backend.get_many(&keys, rucache_core::Companions::None).await;
    let there = fetched.iter().filter(|it| it.as_ref().is_ok_and(|it| it.entry.is_some()));
    assert_eq!(there.count(), keys.len(), "{:?}", fetched.iter().find(|it| it.is_err()));
}
