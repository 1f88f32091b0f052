//! Push: what others do is told, and where it may not be, that is told too.

use std::time::Duration;

use rucache_core::{Backend, BackendExt, Change, Key, Marker, MarkerVersion, ServiceName};
use rucache_testkit::{FaultProxy, RedisOptions, RedisServer};

use crate::stand::{Ears, SLACK, TTL, key, open, value};

#[tokio::test(flavor = "multi_thread")]
async fn listener_starts_without_trust_and_gets_it() {
    let server = RedisServer::start(RedisOptions::default());
    for protocol in [2, 3] {
        let backend = open(&format!("{}?protocol={protocol}", server.url())).await;
        let ears = Ears::on(&backend);
        ears.hears(Change::PushRestored).await;
        let expected = [Change::PushLost, Change::Everything, Change::PushRestored];
        assert_eq!(ears.changes(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_by_anybody_are_told() {
    let server = RedisServer::start(RedisOptions::default());
    let (backend, other) = (open(&server.url()).await, open(&server.url()).await);
    let ears = Ears::trusting(&backend).await;
    let long = Key::new(&key(1).service_name(), &"x".repeat(500)).unwrap();
    other.set(&key(1), value(1).into(), TTL).await.unwrap();
    ears.hears(Change::Entries(vec![key(1)])).await;
    ears.forget();
    other.delete(&key(1)).await.unwrap();
    ears.hears(Change::Entries(vec![key(1)])).await;
    let marker = Marker::Tag(key(7));
    other.bump(std::slice::from_ref(&marker), MarkerVersion::from_raw(5)).await;
    ears.hears(Change::Markers(vec![marker])).await;
    other.set(&long, "long".into(), TTL).await.unwrap();
    ears.hears(Change::Service(key(1).service_name())).await;
    // A program that knows nothing of rucache.
    server.command(&["SET", "migo:ruc_9", "anything"]);
    ears.hears(Change::Entries(vec![key(9)])).await;
    ears.forget();
    server.command(&["PEXPIRE", "migo:ruc_9", "1"]);
    ears.hears(Change::Entries(vec![key(9)])).await;
    ears.forget();
    server.command(&["FLUSHALL"]);
    ears.hears(Change::Everything).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_entry_is_told_when_somebody_comes_across_it() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&server.url()).await;
    let ears = Ears::trusting(&backend).await;
    backend.set(&key(1), value(1).into(), rucache_core::Ttl::millis(50)).await.unwrap();
    ears.hears(Change::Entries(vec![key(1)])).await;
    ears.forget();
    ears.hears(Change::Entries(vec![key(1)])).await;
    assert_eq!(backend.get(&key(1)).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_deployments_changes_are_not_told() {
    let server = RedisServer::start(RedisOptions::default());
    let ours = open(&format!("{}?prefix=isla", server.url())).await;
    let theirs = open(&format!("{}?prefix=islas", server.url())).await;
    let ears = Ears::trusting(&ours).await;
    theirs.set(&key(1), value(1).into(), TTL).await.unwrap();
    server.command(&["SET", "migo:ruc_2", "unprefixed"]);
    theirs.bump(&[Marker::Root], MarkerVersion::from_raw(5)).await;
    ours.set(&key(3), value(3).into(), TTL).await.unwrap();
    ears.hears(Change::Entries(vec![key(3)])).await;
    // `~r:isla` is a prefix of `~r:islas`, which the codec tells apart.
    assert_eq!(ears.changes(), [Change::Entries(vec![key(3)])]);
    ours.bump(&[Marker::Root], MarkerVersion::from_raw(5)).await;
    ears.hears(Change::Markers(vec![Marker::Root])).await;
    let service = Marker::Service(ServiceName::from_static("migo"));
    ours.bump(std::slice::from_ref(&service), MarkerVersion::from_raw(5)).await;
    ears.hears(Change::Markers(vec![service])).await;
}

/// F41. Tracking is not turned on again by the client after a reconnect.
#[tokio::test(flavor = "multi_thread")]
async fn tracking_is_on_again_before_trust_returns() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&server.url()).await;
    let ears = Ears::trusting(&backend).await;
    for _ in 0..2 {
        server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
        ears.hears(Change::PushRestored).await;
        let heard = ears.changes();
        let place = |wanted: &Change| heard.iter().rposition(|change| change == wanted).unwrap();
        assert_eq!(heard.iter().filter(|change| **change == Change::PushLost).count(), 1);
        assert!(place(&Change::PushLost) < place(&Change::Everything));
        assert!(place(&Change::Everything) < place(&Change::PushRestored));
        ears.forget();
        server.command(&["SET", "migo:ruc_9", "anything"]);
        ears.hears(Change::Entries(vec![key(9)])).await;
        ears.forget();
    }
}

/// F41. A connection that is silently gone tells nothing, not even its end.
#[tokio::test(flavor = "multi_thread")]
async fn silent_loss_is_suspected_within_the_bound_of_local_copies() {
    let server = RedisServer::start(RedisOptions::default());
    let proxy = FaultProxy::start(server.port(), 1);
    let backend = open(&format!("redis://{}", proxy.address())).await;
    let ears = Ears::trusting(&backend).await;
    proxy.half_open();
    let took = ears.hears(Change::PushLost).await;
    assert!(took < Duration::from_secs(2) + SLACK, "{took:?}");
    ears.hears(Change::PushRestored).await;
    ears.forget();
    server.command(&["SET", "migo:ruc_9", "anything"]);
    ears.hears(Change::Entries(vec![key(9)])).await;
}

/// Who may not track is served all the same, and knows that nothing is told.
#[tokio::test(flavor = "multi_thread")]
async fn server_that_forbids_tracking_is_never_trusted() {
    let user = rucache_testkit::RedisUser {
        name: "cache".to_owned(),
        password: "s3cret".to_owned(),
        rules: "~* &* +@all -client|tracking".to_owned(),
    };
    let server = RedisServer::start(RedisOptions { users: vec![user], ..RedisOptions::default() });
    let backend = open(&format!("redis://cache:s3cret@{}", server.address())).await;
    let ears = Ears::on(&backend);
    for number in 0..200 {
        backend.set(&key(number), value(number).into(), TTL).await.unwrap();
    }
    let denied = || async { server.command(&["ACL", "LOG"]).contains("client|tracking") };
    crate::stand::eventually("tracking is refused", crate::stand::PATIENCE, denied).await;
    assert_eq!(ears.changes(), [Change::PushLost]);
}
