//! The token of a source is told nowhere.

use rucache_testkit::{ProviderFake, ProviderFault, ProviderShape, RedisOptions, RedisServer};
use rustix::process::Signal;
use serde_json::json;

use super::stand::{Asker, over, ruc};
use crate::cli::program::Service;

const TOKEN: &str = ProviderFake::TOKEN;

/// All that Redis holds: names, and values of every kind.
fn stored(redis: &RedisServer) -> String {
    let names = redis.command(&["KEYS", "*"]);
    let mut all = names.clone();
    for name in names.lines() {
        let read: &[&str] = match redis.command(&["TYPE", name]).trim() {
            "string" => &["GET"],
            "hash" => &["HGETALL"],
            "zset" => &["ZRANGE", "", "0", "-1"],
            _ => &["DUMP"],
        };
        let mut command = vec![read[0], name];
        command.extend(read.iter().skip(2));
        let value = redis.try_command(&command);
        all.push_str(&value.expect("a value"));
    }
    all
}

#[test]
fn token_is_in_no_key_no_value_no_answer_no_metric_and_no_line_of_the_log() {
    let redis = RedisServer::start(RedisOptions::default());
    let fake = ProviderFake::start(ProviderShape::Migo);
    let program = over(&fake, ProviderShape::Migo, &["--backend", &redis.url()])
        .env("RUST_LOG", "trace")
        .env("RUCACHE_MIGO_PER_MINUTE", "600")
        .env("RUCACHE_MIGO_PER_MONTH", "40000")
        .env("RUCACHE_LOG_CACHE_EVENTS", "info");
    let service = Service::of(program);
    let asker = Asker::of(&service);
    let echo = format!(r#"{{"success":false,"message":"token {TOKEN}"}}"#);
    let record = format!(
        r#"{{"success":true,"ruc":"{}","estado_del_contribuyente":"ACTIVO","token":"{TOKEN}"}}"#,
        ruc(7)
    );
    let mut told = String::new();
    let mut tell = |text: String| told.push_str(&text);
    let faults = [
        None,
        Some(ProviderFault::Body(200, record)),
        Some(ProviderFault::Body(404, echo.clone())),
        Some(ProviderFault::Status(500, None)),
        Some(ProviderFault::Cut),
        Some(ProviderFault::Truncated),
        Some(ProviderFault::Body(403, echo)),
        Some(ProviderFault::Html),
    ];
    for (at, fault) in (0_u64..).zip(faults) {
        fake.set_fault(fault);
        tell(asker.lookup(ruc(if at == 1 { 7 } else { at })).body);
        let many: Vec<_> = (100 * at + 100..100 * at + 103).map(ruc).collect();
        tell(asker.post("/v1/ruc:batch", &json!({ "rucs": many })).body);
        tell(asker.get(&format!("/v1/exchange-rate/2026-01-1{at}")).body);
    }
    for path in [
        "/metrics",
        "/health",
        "/v1/stats?scope=fleet",
        "/v1/overview",
        "/openapi.json",
        "/v1/invalid-rucs",
        "/",
    ] {
        tell(asker.get(path).body);
    }
    let stored = stored(&redis);
    service.signal(Signal::TERM);
    let (code, log) = service.end();
    assert_eq!(code, Some(0), "{log}");
    // What was looked through is what it should be.
    assert!(stored.contains("provider.migo:month_") && stored.contains("EMPRESA DE PRUEBA"));
    assert!(told.contains("rucache_provider_quota_remaining{provider=\"migo\"}"));
    assert!(log.contains("source is left alone") && log.contains("TRACE"), "a log of all levels");
    for (place, text) in [("Redis", stored), ("answers", told), ("log", log)] {
        assert!(!text.contains(TOKEN), "the token is in {place}");
    }
}
