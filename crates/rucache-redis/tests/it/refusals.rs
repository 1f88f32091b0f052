//! Servers that refuse: full, read-only, with something else under our names.

use std::time::Duration;

use bytes::Bytes;
use rucache_core::{Backend, BackendExt, Companions, ErrorKind, Lease, LeaseRequest, Precondition};
use rucache_core::{Write, WriteOutcome};
use rucache_testkit::{RedisOptions, RedisServer};

use crate::stand::{RECOVERY, SLACK, TTL, fill, key, open, read, value, writes_recovered};

/// F13.
#[tokio::test(flavor = "multi_thread")]
async fn something_else_under_our_name_is_told_where_it_can_be_and_replaced_by_a_write() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&server.url()).await;
    let kind = |backend: rucache_redis::RedisBackend| async move {
        backend.get(&key(1)).await.map_err(|error| error.kind())
    };
    for foreign in
        [vec!["SET", "migo:ruc_1", "short"], vec!["SET", "migo:ruc_1", "{\"ruc\": 20131312955}"]]
    {
        server.command(&foreign);
        assert_eq!(kind(backend.clone()).await, Err(ErrorKind::ForeignValue));
        let answers = backend.get_many(&[key(1), key(2)], Companions::None).await;
        assert_eq!(answers[0].as_ref().unwrap_err().kind(), ErrorKind::ForeignValue);
        assert_eq!(answers[1].as_ref().unwrap().entry, None);
    }
    server.command(&["DEL", "migo:ruc_1"]);
    server.command(&["RPUSH", "migo:ruc_1", "a", "list"]);
    assert_eq!(kind(backend.clone()).await, Err(ErrorKind::ForeignValue));
    // MGET hides a list as a miss.
    let answers = backend.get_many(&[key(1), key(2)], Companions::None).await;
    assert_eq!(answers[0].as_ref().unwrap().entry, None);
    let request = LeaseRequest { key: key(1), seen: None, ttl: TTL };
    assert!(matches!(backend.lease_many(&[request]).await[0], Ok(Lease::Granted(_))));
    let write = Write { key: key(1), value: "ours".into(), ttl: TTL, when: Precondition::Absent };
    assert_eq!(backend.write(write).await.unwrap(), WriteOutcome::Stored);
    assert_eq!(backend.get(&key(1)).await.unwrap().unwrap().value, "ours");
    server.command(&["SET", "~n:{migo:ruc_1}", "many"]);
    let answers = backend.add_many(&[(key(1), 1)], TTL).await;
    assert_eq!(answers[0].as_ref().unwrap_err().kind(), ErrorKind::ForeignValue);
    server.command(&["SET", "~s:migo", "many"]);
    let answers = backend.get_many(&[key(1), key(2)], Companions::Markers).await;
    assert_eq!(answers[0].as_ref().unwrap_err().kind(), ErrorKind::ForeignValue);
}

/// F14. `OOM` is an error that the client does not know by name.
#[tokio::test(flavor = "multi_thread")]
async fn full_server_refuses_writes_and_goes_on_with_the_rest() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&server.url()).await;
    fill(&backend, 0..50).await;
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    for number in 0..50 {
        let error = backend.set(&key(number), value(number).into(), TTL).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Full);
    }
    assert_eq!(read(&backend, 0..50).await.hits, 50);
    assert!(backend.delete(&key(1)).await.unwrap());
    assert!(backend.expire_many(&[key(2)]).await[0].as_ref().unwrap());
    assert_eq!(backend.get(&key(2)).await.unwrap().map(|stored| stored.stale), Some(true));
    let info = backend.info().await.unwrap();
    assert_eq!(info.capacity_bytes, Some(1));
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    backend.set(&key(1), value(1).into(), TTL).await.unwrap();
    assert_eq!(backend.info().await.unwrap().capacity_bytes, None);
}

/// F15.
#[tokio::test(flavor = "multi_thread")]
async fn evicted_lease_refuses_the_fill() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&server.url()).await;
    let request = LeaseRequest { key: key(1), seen: None, ttl: TTL };
    let leases = backend.lease_many(&[request]).await;
    let Ok(Lease::Granted(token)) = leases[0] else { panic!("{leases:?}") };
    assert_eq!(server.command(&["DEL", "~l:{migo:ruc_1}"]), "1");
    let value = Bytes::from_static(b"late");
    let fill = Write { key: key(1), value, ttl: TTL, when: Precondition::Lease(token) };
    assert_eq!(backend.write(fill).await.unwrap(), WriteOutcome::Refused);
    assert_eq!(backend.get(&key(1)).await.unwrap(), None);
}

/// F16.
#[tokio::test(flavor = "multi_thread")]
async fn replica_refuses_writes_clearly_and_is_left_as_soon_as_it_is_none() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&server.url()).await;
    fill(&backend, 0..10).await;
    // A replica of nobody that can be reached: it keeps what it has.
    server.command(&["REPLICAOF", "127.0.0.1", "1"]);
    let error = backend.set(&key(1), value(1).into(), TTL).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    let reads = || async { backend.get(&key(1)).await.is_ok() };
    crate::stand::eventually("reads go on", RECOVERY, reads).await;
    server.command(&["REPLICAOF", "NO", "ONE"]);
    let took = writes_recovered(&backend).await;
    assert!(took < RECOVERY + SLACK, "{took:?}");
}

/// F24, F28.
#[tokio::test(flavor = "multi_thread")]
async fn value_over_the_limit_never_reaches_the_wire() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&format!("{}?max_value=2000", server.url())).await;
    backend.set(&key(1), vec![1; 2_000].into(), TTL).await.unwrap();
    let before = server.command(&["INFO", "stats"]);
    let error = backend.set(&key(1), vec![1; 1 << 20].into(), TTL).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(backend.get(&key(1)).await.unwrap(), None);
    let received = |stats: &str| -> u64 {
        let line = stats.lines().find_map(|line| line.strip_prefix("total_net_input_bytes:"));
        line.and_then(|bytes| bytes.trim().parse().ok()).unwrap()
    };
    let after = server.command(&["INFO", "stats"]);
    assert!(received(&after) - received(&before) < 50_000);
}

/// F28.
#[tokio::test(flavor = "multi_thread")]
async fn lives_of_a_millisecond_and_of_a_century_are_taken() {
    use rucache_core::Ttl;
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&server.url()).await;
    backend.set(&key(1), value(1).into(), Ttl::MIN).await.unwrap();
    let gone = || async { backend.get(&key(1)).await.unwrap().is_none() };
    crate::stand::eventually("it is gone", Duration::from_secs(1), gone).await;
    for (ttl, millis) in [
        (Ttl::secs(30 * 86_400), 2_592_000_000_u64),
        (Ttl::secs(30 * 86_400 + 1), 2_592_001_000),
        (Ttl::MAX, 3_153_600_000_000),
    ] {
        backend.set(&key(1), value(1).into(), ttl).await.unwrap();
        let left: u64 = server.command(&["PTTL", "migo:ruc_1"]).parse().unwrap();
        assert!(left <= millis && left > millis - 10_000, "{left} of {millis}");
    }
}
