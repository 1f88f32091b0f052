//! How many connections there are, and what travels on which.

use std::time::Duration;

use rucache_core::{Backend, BackendExt, Companions, ErrorKind, MapEntry, Timestamp};
use rucache_testkit::{FaultProxy, RedisOptions, RedisServer, Step};
use tokio::task::JoinSet;

use crate::fake;
use crate::stand::{PATIENCE, Reads, eventually, fill, key, open, recovered};

/// F36.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_callers_share_the_connections() {
    let server = RedisServer::start(RedisOptions::default());
    let proxy = FaultProxy::start(server.port(), 1);
    let backend = open(&format!("redis://{}?timeout=10s", proxy.address())).await;
    fill(&backend, 0..100).await;
    let mut callers = JoinSet::new();
    for caller in 0..10_000_u64 {
        let backend = backend.clone();
        callers.spawn(async move { (caller % 100, backend.get(&key(caller % 100)).await) });
    }
    let mut reads = Reads::default();
    while let Some(answer) = callers.join_next().await {
        let (number, answer) = answer.unwrap();
        reads.count(number, answer);
    }
    assert_eq!(reads.hits, 10_000, "{:?}", reads.errors);
    assert_eq!(proxy.counts().opened, 2);
}

/// F22.
#[tokio::test(flavor = "multi_thread")]
async fn loading_server_is_down_and_asked_once_a_second() {
    let loading =
        || vec![Step::Send(b"-LOADING Redis is loading the dataset in memory\r\n".to_vec())];
    let server = fake::redis(move |command| (command[0] != "HELLO").then(loading));
    let backend = open(&fake::url(&server)).await;
    let mut poll = tokio::time::interval(Duration::from_millis(10));
    for number in 0..250 {
        let error = backend.get(&key(number)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CircuitOpen);
        poll.tick().await;
    }
    // Two connections an attempt; the first attempt, and one in each of about three seconds.
    assert!(server.opened() <= 10, "{} connections", server.opened());
}

/// F22.
#[tokio::test(flavor = "multi_thread")]
async fn full_house_is_down_and_joined_when_there_is_room() {
    let max_clients = Some(0);
    let server = RedisServer::start(RedisOptions { max_clients, ..RedisOptions::default() });
    // The kit's own connection stays, and there is no room beside it.
    server.command(&["PING"]);
    let backend = open(&server.url()).await;
    let error = backend.get(&key(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CircuitOpen);
    server.command(&["CONFIG", "SET", "maxclients", "100"]);
    recovered(&backend).await;
}

/// Long answers hold up the connection that they travel on.
#[tokio::test(flavor = "multi_thread")]
async fn maps_and_listings_have_a_connection_of_their_own() {
    let server = fake::redis(|command| match command[0].as_str() {
        // The answers of a server that is busy with a long listing.
        "HSCAN" | "SCAN" | "ZCOUNT" => Some(vec![Step::Hang]),
        "GET" => Some(vec![Step::Send(b"$-1\r\n".to_vec())]),
        _ => None,
    });
    let backend = open(&format!("{}?bulk_timeout=300ms", fake::url(&server))).await;
    let service = key(1).service_name();
    let (map, now) = (key(1), Timestamp::from_millis(0));
    let (page, scan) =
        tokio::join!(backend.map_page(&map, None, 10, now), backend.scan(&service, None, 10));
    assert_eq!(page.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(scan.unwrap_err().kind(), ErrorKind::Timeout);
    for _ in 0..20 {
        assert_eq!(backend.get(&key(1)).await.unwrap(), None);
    }
}

/// An empty `MGET` is an error at the server.
#[tokio::test(flavor = "multi_thread")]
async fn empty_batches_send_nothing() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&server.url()).await;
    server.command(&["CONFIG", "RESETSTAT"]);
    assert!(backend.get_many(&[], Companions::Markers).await.is_empty());
    assert!(backend.write_many(&[]).await.is_empty());
    assert!(backend.delete_many(&[]).await.is_empty());
    assert!(backend.expire_many(&[]).await.is_empty());
    assert!(backend.lease_many(&[]).await.is_empty());
    assert!(backend.markers(&[], rucache_core::MarkerVersion::from_raw(1)).await.is_empty());
    assert!(backend.bump(&[], rucache_core::MarkerVersion::from_raw(1)).await.is_empty());
    assert_eq!(backend.map_put(&key(1), &[], Timestamp::from_millis(0)).await.unwrap(), 0);
    let stats = server.command(&["INFO", "commandstats"]);
    for command in ["mget", "evalsha", "get:", "set:"] {
        assert!(!stats.contains(&format!("cmdstat_{command}")), "{stats}");
    }
}

/// One round trip, whatever the number of keys.
#[tokio::test(flavor = "multi_thread")]
async fn batch_of_any_size_is_one_round_trip() {
    let server = RedisServer::start(RedisOptions::default());
    let proxy = FaultProxy::start(server.port(), 1);
    let backend = open(&format!("redis://{}?timeout=5s", proxy.address())).await;
    fill(&backend, 0..2_500).await;
    let span = Duration::from_millis(100);
    proxy.set(rucache_testkit::Fault::delay(span));
    let begun = tokio::time::Instant::now();
    let reads = crate::stand::read_batch(&backend, 0..2_500).await;
    assert_eq!(reads.hits, 2_500);
    // The answers may come in a few reads, each of them later by the span, but not by the thousand.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    server.command(&["CONFIG", "RESETSTAT"]);
    proxy.set(rucache_testkit::Fault::Pass);
    crate::stand::read_batch(&backend, 0..2_500).await;
    let stats = server.command(&["INFO", "commandstats"]);
    assert!(stats.contains("cmdstat_mget:calls=3,"), "{stats}");
}

/// Forgotten scripts are loaded again, and the order of a batch is kept.
#[tokio::test(flavor = "multi_thread")]
async fn forgotten_scripts_are_loaded_again() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&server.url()).await;
    server.command(&["SCRIPT", "FLUSH", "SYNC"]);
    let write = |value: &'static str| rucache_core::Write {
        key: key(1),
        value: value.into(),
        ttl: crate::stand::TTL,
        when: rucache_core::Precondition::Always,
    };
    let answers = backend.write_many(&[write("first"), write("second"), write("third")]).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(backend.get(&key(1)).await.unwrap().unwrap().value, "third");
    server.command(&["SCRIPT", "FLUSH", "SYNC"]);
    let entry = MapEntry {
        member: "20131312955".to_owned(),
        note: "".into(),
        expires: Timestamp::from_millis(u64::MAX),
    };
    assert_eq!(backend.map_put(&key(1), &[entry], Timestamp::from_millis(0)).await.unwrap(), 1);
}

/// A map of a million members is written, listed, counted and dropped.
#[tokio::test(flavor = "multi_thread")]
async fn million_members_are_no_trouble() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&format!("{}?timeout=5s&bulk_timeout=60s", server.url())).await;
    fill(&backend, 0..10).await;
    let (map, now) = (key(1), Timestamp::from_millis(1_000));
    let entry = |member: u64| MapEntry {
        member: (20_000_000_000 + member).to_string(),
        note: "ACTIVO HABIDO".into(),
        expires: Timestamp::from_millis(2_000),
    };
    for chunk in 0..100 {
        let entries: Vec<_> = (chunk * 10_000..(chunk + 1) * 10_000).map(entry).collect();
        assert_eq!(backend.map_put(&map, &entries, now).await.unwrap(), 10_000);
    }
    assert_eq!(backend.map_len(&map, now).await.unwrap(), 1_000_000);
    let mut seen = std::collections::BTreeSet::new();
    let mut cursor = None;
    loop {
        let page = backend.map_page(&map, cursor.as_deref(), 5_000, now).await.unwrap();
        seen.extend(page.entries.into_iter().map(|entry| entry.member));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 1_000_000);
    let later = Timestamp::from_millis(3_000);
    let purge = backend.map_purge(&map, later);
    let reads = async {
        let mut spans = Vec::new();
        for _ in 0..200 {
            let begun = tokio::time::Instant::now();
            backend.get(&key(2)).await.unwrap();
            spans.push(begun.elapsed());
        }
        spans.sort();
        spans[spans.len() / 2]
    };
    let (purged, median) = tokio::join!(purge, reads);
    assert_eq!(purged.unwrap(), 1_000_000);
    assert!(median < Duration::from_millis(50), "{median:?}");
    let gone = || async { backend.map_len(&map, now).await.unwrap() == 0 };
    eventually("the map is empty", PATIENCE, gone).await;
}
