//! Opening: with the server there, away, behind TLS, behind a password.

use std::error::Error as _;
use std::time::Duration;

use rucache_core::{Backend, BackendExt, ErrorKind};
use rucache_redis::RedisBackend;
use rucache_testkit::{Fault, FaultProxy, RedisOptions, RedisServer, RedisUser, Tls};
use tokio::time::Instant;

use crate::stand::{RECOVERY, SLACK, TTL, key, open, recovered, value, writes_recovered};

/// F01. The client's own defaults keep every call waiting for 9.45 s.
#[tokio::test(flavor = "multi_thread")]
async fn server_that_is_down_is_opened_at_once_and_joined_by_itself() {
    let server = RedisServer::start(RedisOptions::default());
    server.kill_9();
    let begun = Instant::now();
    let backend = open(&server.url()).await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    let begun = Instant::now();
    let error = backend.get(&key(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CircuitOpen);
    assert!(begun.elapsed() < Duration::from_millis(50), "{:?}", begun.elapsed());
    assert_eq!(error.node(), Some(server.address().as_str()));
    server.restart();
    let took = recovered(&backend).await;
    assert!(took < RECOVERY + SLACK, "{took:?}");
    backend.set(&key(1), value(1).into(), TTL).await.unwrap();
}

/// F11.
#[tokio::test(flavor = "multi_thread")]
async fn server_that_never_answers_is_opened_at_once() {
    let server = RedisServer::start(RedisOptions::default());
    for fault in [Fault::Unanswered, Fault::BlackHole(rucache_testkit::Connections::All)] {
        let proxy = FaultProxy::start(server.port(), 1);
        proxy.set(fault);
        let begun = Instant::now();
        let backend = open(&format!("redis://{}", proxy.address())).await;
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        let error = backend.get(&key(1)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CircuitOpen);
        // Two connections an attempt and one attempt a second, whoever calls how often.
        let calls = async {
            for number in 0..2_000 {
                assert!(backend.get(&key(number)).await.is_err());
                tokio::task::yield_now().await;
            }
        };
        calls.await;
        assert!(proxy.counts().opened <= 8, "{:?}", proxy.counts());
        proxy.set(Fault::Pass);
        let took = recovered(&backend).await;
        assert!(took < RECOVERY + SLACK, "{took:?}");
    }
}

/// F21. A wrong password poisons the client's own manager for ever.
#[tokio::test(flavor = "multi_thread")]
async fn password_that_is_put_right_is_taken() {
    let password = Some("s3cret".to_owned());
    let server = RedisServer::start(RedisOptions { password, ..RedisOptions::default() });
    let backend = open(&server.url()).await;
    backend.set(&key(1), value(1).into(), TTL).await.unwrap();
    server.command(&["CONFIG", "SET", "requirepass", "other"]);
    server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    let refused = || async { backend.get(&key(1)).await.is_err() };
    crate::stand::eventually("reads are refused", crate::stand::PATIENCE, refused).await;
    let error = backend.ping().await.unwrap_err();
    let why = error.source().unwrap().to_string();
    assert!(why.contains("WRONGPASS"), "{why}");
    assert!(!format!("{error} {error:?} {why}").contains("s3cret"));
    server.command(&["CONFIG", "SET", "requirepass", "s3cret"]);
    let took = recovered(&backend).await;
    assert!(took < RECOVERY + SLACK, "{took:?}");
    assert_eq!(backend.get(&key(1)).await.unwrap().unwrap().value, value(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_and_wrong_passwords_are_told_as_such() {
    let password = Some("s3cret".to_owned());
    let server = RedisServer::start(RedisOptions { password, ..RedisOptions::default() });
    let address = server.address();
    for (login, protocol, code) in [
        ("", "3", "NOAUTH"),
        ("", "2", "NOAUTH"),
        (":wr0ng@", "3", "WRONGPASS"),
        (":wr0ng@", "2", "WRONGPASS"),
        ("nobody:wr0ng@", "3", "WRONGPASS"),
    ] {
        let backend = open(&format!("redis://{login}{address}?protocol={protocol}")).await;
        let error = backend.ping().await.unwrap_err();
        let why = error.source().unwrap().to_string();
        assert!(why.contains(code), "{login:?} {protocol}: {why}");
        assert!(!format!("{backend:?} {error:?} {why}").contains("wr0ng"));
    }
}

/// A user who may do what the README says, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn user_with_the_rights_of_the_readme_can_do_all() {
    let readme = include_str!("../../README.md");
    let recipe = readme.lines().find_map(|line| line.strip_prefix("ACL SETUSER cache on >secret "));
    let user = RedisUser {
        name: "cache".to_owned(),
        password: "s3cret".to_owned(),
        rules: recipe.unwrap().to_owned(),
    };
    let server = RedisServer::start(RedisOptions { users: vec![user], ..RedisOptions::default() });
    let url = format!("redis://cache:s3cret@{}/0?prefix=isla", server.address());
    let backend = open(&url).await;
    let ears = crate::stand::Ears::trusting(&backend).await;
    backend.set(&key(1), value(1).into(), TTL).await.unwrap();
    ears.hears(rucache_core::Change::Entries(vec![key(1)])).await;
    assert_eq!(backend.get(&key(1)).await.unwrap().unwrap().value, value(1));
    assert!(backend.delete(&key(1)).await.unwrap());
    backend.ping().await.unwrap();
    assert_eq!(backend.info().await.unwrap().version.as_deref().map(|v| &v[..1]), Some("7"));
    let page = backend.scan(&key(1).service_name(), None, 10).await.unwrap();
    assert_eq!(page.keys, []);
    let now = rucache_core::Timestamp::from_millis(0);
    assert_eq!(backend.map_len(&key(1), now).await.unwrap(), 0);
    assert_eq!(backend.add_many(&[(key(1), 2)], TTL).await[0].as_ref().unwrap(), &2);
    assert_eq!(server.try_command(&["ACL", "LOG"]).unwrap(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_of_a_stranger_is_not_trusted() {
    let server = RedisServer::start(RedisOptions { tls: Tls::On, ..RedisOptions::default() });
    let other = RedisServer::start(RedisOptions { tls: Tls::On, ..RedisOptions::default() });
    let ca = other.ca_file();
    let backend = open(&format!("{}?ca={}", server.url(), ca.display())).await;
    let error = backend.ping().await.unwrap_err();
    let why = error.source().unwrap().to_string();
    assert!(why.contains("certificate"), "{why}");
    let ca = server.ca_file();
    let backend = open(&format!("{}?ca={}", server.url(), ca.display())).await;
    backend.ping().await.unwrap();
    // Plain text to a port with TLS is no answer of Redis, and no reason to wait.
    let begun = Instant::now();
    let backend = open(&format!("redis://{}", server.address())).await;
    assert!(backend.ping().await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn certificates_that_cannot_be_read_are_told_at_opening() {
    let error = RedisBackend::open("rediss://localhost?ca=/nowhere/ca.pem").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let why = error.source().unwrap().to_string();
    assert!(why.starts_with("the certificates of /nowhere/ca.pem: "), "{why}");
}

#[tokio::test]
async fn url_that_is_none_is_told_at_opening() {
    let error = RedisBackend::open("redis://u:s3cret@h?timout=1s").await.unwrap_err();
    assert_eq!(error.to_string(), "redis: open failed: invalid request");
    let why = error.source().unwrap().to_string();
    assert_eq!(why, "a URL of Redis has no parameter \"timout\"; did you mean timeout?");
}

/// Connections of a backend that was dropped are gone from the server.
#[tokio::test(flavor = "multi_thread")]
async fn dropped_backend_leaves_nothing_behind() {
    let server = RedisServer::start(RedisOptions::default());
    let clients = || server.command(&["CLIENT", "LIST"]).lines().count();
    let before = clients();
    let backend = open(&server.url()).await;
    let ears = crate::stand::Ears::trusting(&backend).await;
    writes_recovered(&backend).await;
    assert_eq!(clients(), before + 3);
    drop((backend, ears));
    let gone = || async { clients() == before };
    crate::stand::eventually("its connections are gone", crate::stand::PATIENCE, gone).await;
}
