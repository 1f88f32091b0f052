//! Sentinel: the backend follows the primary, which the client's connections do not.

use std::time::Duration;

use rucache_core::{BackendExt, Change, ErrorKind};
use rucache_testkit::{RedisOptions, RedisSentinel};

use crate::stand::{Ears, Heard, SLACK, TTL, fill, key, open, recovered, value, writes_recovered};

/// F17, by kill.
#[tokio::test(flavor = "multi_thread")]
async fn killed_primary_is_followed() {
    let group = RedisSentinel::start(&RedisOptions::default());
    let backend = open(&group.url()).await;
    fill(&backend, 0..20).await;
    let ears = Ears::trusting(&backend).await;
    let old = group.primary().port();
    group.primary().kill_9();
    group.wait_for_other_primary(old);
    let took = writes_recovered(&backend).await;
    assert!(took < Duration::from_secs(1) + SLACK, "{took:?}");
    recovered(&backend).await;
    let node = RedisSentinel::PRIMARY_NAME.to_owned();
    let heard = ears.heard();
    assert!(heard.contains(&Heard::Down(node.clone())), "{heard:?}");
    assert!(heard.contains(&Heard::Recovering(node)), "{heard:?}");
    assert!(heard.contains(&Heard::Changed(Change::Rewound)), "{heard:?}");
    // Push has followed as well.
    ears.hears(Change::PushRestored).await;
    ears.forget();
    group.primary().command(&["SET", "migo:ruc_9", "anything"]);
    ears.hears(Change::Entries(vec![key(9)])).await;
}

/// F17, planned.
#[tokio::test(flavor = "multi_thread")]
async fn planned_fail_over_is_followed() {
    let group = RedisSentinel::start(&RedisOptions::default());
    let backend = open(&group.url()).await;
    fill(&backend, 0..20).await;
    group.fail_over();
    // Until the old primary has been told that it is none, it takes writes that will be lost.
    let primary = group.primary();
    let arrived = || async {
        let write = backend.set(&key(1), value(1).into(), TTL).await;
        if let Err(error) = &write {
            let kinds = [
                ErrorKind::CircuitOpen,
                ErrorKind::ReadOnly,
                ErrorKind::Interrupted,
                ErrorKind::Timeout,
                ErrorKind::Unreachable,
            ];
            assert!(kinds.contains(&error.kind()), "{error:?}");
        }
        primary.command(&["OBJECT", "IDLETIME", "migo:ruc_1"]) == "0"
            && write.is_ok()
            && primary.command(&["GET", "migo:ruc_1"]).contains("the record of 1;")
    };
    let took = crate::stand::eventually("writes arrive", crate::stand::PATIENCE, arrived).await;
    assert!(took < Duration::from_secs(2) + SLACK, "{took:?}");
    assert_eq!(backend.get(&key(1)).await.unwrap().unwrap().value, value(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sentinel_is_enough_and_an_unknown_service_is_told() {
    let group = RedisSentinel::start(&RedisOptions::default());
    group.sentinels()[0].kill_9();
    group.sentinels()[1].kill_9();
    let backend = open(&group.url()).await;
    backend.set(&key(1), value(1).into(), TTL).await.unwrap();
    let sentinel = group.sentinels()[2].address();
    let backend = open(&format!("redis+sentinel://{sentinel}/nobody")).await;
    let error = backend.get(&key(1)).await.unwrap_err();
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains("no Sentinel knows a primary of this name"), "{why}");
}
