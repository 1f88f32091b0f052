//! Nothing that is logged or measured shows a number, a token, a password or an address with one.

use rucache_testkit::{RedisOptions, RedisServer, wait_until};
use serde_json::{Value, json};

use crate::service::{KNOWN, PATIENCE, Service};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const PASSWORD: &str = "correct-horse-battery-staple";

/// A person, a number that nobody has, one with a typing error.
const OTHERS: [&str; 3] = ["10000000016", "20999999990", "20131312956"];

/// What must not show anywhere.
fn secrets() -> Vec<&'static str> {
    [KNOWN.as_slice(), &OTHERS, &[TOKEN, PASSWORD]].concat()
}

/// Everything that a client can do with the numbers, in one service.
fn exercise(service: &Service, path: impl Fn(&str) -> String) {
    for number in KNOWN.iter().chain(&OTHERS) {
        for _ in 0..3 {
            service.get(&path(&format!("/v1/ruc/{number}")));
        }
        service.put(&path(&format!("/v1/ruc/{number}")), &json!({"ruc": number}));
        service.put(&path(&format!("/v1/cache/migo/note_{number}")), &json!({"of": number}));
        service.get(&path(&format!("/v1/cache/migo/note_{number}")));
        service.get(&path(&format!("/v1/cache/migo/absent_{number}")));
        service.delete(&path(&format!("/v1/cache/migo/note_{number}")));
        let verdict = json!({"reason": format!("typed by hand: {number}")});
        service.put(&path(&format!("/v1/invalid-rucs/{number}")), &verdict);
        service.get(&path(&format!("/no/such/route/{number}")));
        service.get(&path(&format!("/v1/ruc/{number}?unknown={number}")));
    }
    service.post("/v1/ruc:batch", &json!({"rucs": KNOWN}));
    service.post("/v1/invalidate", &json!({"keys": [format!("migo:ruc_{}", KNOWN[0])]}));
    service.post("/v1/invalidate", &json!({"tags": [format!("migo:of_{}", KNOWN[0])]}));
}

/// Runs a service that logs everything it can, with its backend lost and found meanwhile; its log
/// and its metrics.
fn captured(format: &str) -> (String, String) {
    let options = RedisOptions { password: Some(PASSWORD.to_owned()), ..RedisOptions::default() };
    let redis = RedisServer::start(options);
    let service = Service::start(
        &redis.url(),
        &[
            ("RUST_LOG", "trace"),
            ("RUCACHE_LOG_CACHE_EVENTS", "info"),
            ("RUCACHE_LOG_FORMAT", format),
        ],
    );
    exercise(&service, str::to_owned);
    redis.kill_9();
    exercise(&service, str::to_owned);
    redis.restart();
    let well = || service.get("/health").1.contains("\"healthy\"");
    assert!(wait_until(PATIENCE, well), "{}", service.get("/health").1);
    exercise(&service, |target| target.to_owned());
    let metrics = service.get("/metrics").1;
    (service.log(), metrics)
}

#[track_caller]
fn assert_silent(text: &str) {
    for secret in secrets() {
        let line = text.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret} shows: {line:?}");
    }
}

#[test]
fn neither_log_nor_metrics_show_a_number_or_a_secret() {
    let (log, metrics) = captured("text");
    assert_silent(&log);
    assert_silent(&metrics);
    for expected in [
        "Cache HIT: migo:note_20*********",
        "Cache MISS: migo:absent_10*********",
        "Cache SET: migo:note_20*********",
        "Cache DELETE: migo:note_20*********",
        "look_up{operation=\"get_or_load\" service=\"migo\"",
        "outcome=\"miss\"",
        "tier=\"origin\"",
        "coalesced=false",
        "db.system.name=\"redis\"",
        "db.operation.name=\"get\"",
        "error.type=",
    ] {
        assert!(log.contains(expected), "no {expected} in the log:\n{log}");
    }
    assert!(!metrics.contains("note_") && !metrics.contains("://"), "{metrics}");
}

#[test]
fn log_as_json_is_json_and_shows_none_either() {
    let (log, _) = captured("json");
    assert_silent(&log);
    // The lines before are those of the start, for people.
    let lines: Vec<_> = log.lines().filter(|line| line.starts_with('{')).collect();
    assert!(lines.len() > 100, "{log}");
    for line in lines {
        let line: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }
}

#[test]
fn token_of_the_service_and_of_its_clients_is_never_logged() {
    let settings = [("RUCACHE_TOKEN", TOKEN), ("RUST_LOG", "trace")];
    let service = Service::start("memory://", &settings);
    let client = ureq::get(format!("{}/v1/ruc/{}", service.url, KNOWN[0]));
    let answer = client.header("Authorization", format!("Bearer {TOKEN}")).call().expect("let in");
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(service.get(&format!("/v1/ruc/{}", KNOWN[0])).0, 401);
    assert_silent(&service.log());
    assert_silent(&service.get("/metrics").1);
}
