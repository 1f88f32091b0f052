//! A plan of 60 calls a minute, shared by two processes.

use rucache_testkit::{ProviderFake, ProviderShape, RedisOptions, RedisServer, wait_until};
use serde_json::json;

use super::stand::{Asker, PATIENCE, crowd, now_millis, over, ruc};
use crate::cli::program::Service;

#[test]
fn plan_holds_under_ten_thousand_requests_and_callers_get_stale_or_when_to_come_back() {
    let redis = RedisServer::start(RedisOptions::default());
    let backend = format!("{}?timeout=10s&connect_timeout=5s", redis.url());
    // One number a call.
    let fake = ProviderFake::start(ProviderShape::Decolecta);
    let start = || {
        let program = over(&fake, ProviderShape::Decolecta, &["--backend", &backend]);
        let program = program.env("RUCACHE_DECOLECTA_PER_MINUTE", "60");
        Service::of(program.env("RUCACHE_TTL", r#"{"ruc_*":"1s"}"#))
    };
    let services = [start(), start()];
    let began = now_millis();
    let known: Vec<_> = (0..20).map(ruc).collect();
    let asker = Asker::of(&services[0]);
    assert!(known.iter().all(|ruc| asker.lookup(*ruc).status == 200));
    // Different numbers all of them.
    let told = crowd(&[&services[0], &services[1]], 40, |client| {
        let first = 1_000 * u64::try_from(client).expect("a few");
        (first..first + 250).map(|index| ruc(100 + index)).collect()
    });
    let minutes = 1 + usize::try_from((now_millis() - began) / 60_000).expect("a few");
    let calls = fake.calls();
    assert!((55..=60 * minutes).contains(&calls.len()), "{} in {minutes}", calls.len());
    assert!(calls.iter().all(|call| call.numbers.len() == 1));
    let found = told.iter().filter(|told| told.status == 200).count();
    assert_eq!(found + known.len(), calls.len());
    for told in told.iter().filter(|told| told.status != 200) {
        assert_eq!((told.status, &told.json()["cause"]), (503, &json!("rate_limited")));
        assert!(told.retry_after.is_some_and(|secs| (1..=70).contains(&secs)), "{told:?}");
    }
    // What was known is still told, past its second.
    let stale = || known.iter().all(|ruc| asker.lookup(*ruc).cache.contains("; detail=stale_"));
    assert!(wait_until(PATIENCE, stale));
    assert!(known.iter().all(|ruc| asker.lookup(*ruc).status == 200));
    for service in &services {
        let asker = Asker::of(service);
        assert_eq!(asker.get("/v1/invalid-rucs").json()["total_count"], 0);
        assert_eq!(asker.negatives(), 0);
        let (minute, withheld) =
            (asker.source()["minute"].clone(), asker.calls("decolecta", "withheld"));
        assert_eq!(minute["limit"], 60);
        assert!(minute["used"].as_u64().is_some_and(|used| used <= 60), "{minute}");
        assert!(withheld > 1_000.0, "{withheld}");
    }
}
