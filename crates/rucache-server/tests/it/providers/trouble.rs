//! A source in trouble: what is cached is told, nothing is marked, and it ends by itself.

use rucache_testkit::{ProviderFake, ProviderFault, ProviderShape, wait_until};
use serde_json::json;

use super::stand::{Asker, PATIENCE, over, ruc};
use crate::cli::program::Service;

/// Reads of each cached number while the source is in trouble.
const ROUNDS: u64 = 30;

/// A source in trouble, and what that is called in the metrics.
fn check(fault: &ProviderFault, result: &str) {
    let fake = ProviderFake::start(ProviderShape::Migo);
    let program = over(&fake, ProviderShape::Migo, &[]).env("RUCACHE_TTL", r#"{"ruc_*":"1s"}"#);
    let service = Service::of(program.env("RUCACHE_TIMING_BACK_OFF", "100ms"));
    let asker = Asker::of(&service);
    let known: Vec<_> = (0..20).map(ruc).collect();
    assert!(known.iter().all(|ruc| asker.lookup(*ruc).status == 200));

    fake.set_fault(Some(fault.clone()));
    let is_stale = || asker.lookup(known[0]).cache.contains("; detail=stale_");
    assert!(wait_until(PATIENCE, is_stale), "{fault:?}");
    for round in 0..ROUNDS {
        let failed = known.iter().map(|ruc| asker.lookup(*ruc)).find(|told| told.status != 200);
        assert_eq!(failed, None, "{fault:?}");
        let told = asker.lookup(ruc(1_000 + round));
        assert_eq!((told.status, &told.json()["cause"]), (503, &json!(result)), "{fault:?}");
        assert!(told.retry_after.is_some(), "{told:?}");
    }
    assert!(asker.calls("migo", result) >= 1.0, "{fault:?}");
    let is_resting = || asker.source()["cause"] == result;
    assert!(wait_until(PATIENCE, is_resting), "{fault:?}: {}", asker.source());
    let health = || asker.get("/health").json();
    let warns = || health()["status"] == "warning";
    assert!(wait_until(PATIENCE, warns), "{}", health());
    let stale = asker.get("/metrics").body;
    let stale = stale
        .lines()
        .find(|line| line.starts_with("rucache_stale_served_total{") && !line.ends_with(" 0"));
    assert!(stale.is_some(), "{fault:?}");

    fake.set_fault(None);
    let mut next = 2_000;
    let answers = || {
        next += 1;
        asker.lookup(ruc(next)).status == 200
    };
    assert!(wait_until(PATIENCE, answers), "{fault:?}: {}", asker.source());
    let is_fresh = || known.iter().all(|ruc| !asker.lookup(*ruc).cache.contains("; detail=stale_"));
    assert!(wait_until(PATIENCE, is_fresh), "{fault:?}");
    assert_eq!(health()["status"], "healthy");
    assert_eq!(asker.source()["circuit"], "closed");
    assert_eq!(asker.get("/v1/invalid-rucs").json()["total_count"], 0);
    assert_eq!(asker.negatives(), 0);
}

#[test]
fn broken_connections() {
    check(&ProviderFault::Cut, "failed");
}

#[test]
fn failures_of_the_source() {
    check(&ProviderFault::Status(500, None), "failed");
}

#[test]
fn too_many_requests() {
    check(&ProviderFault::Status(429, Some(2)), "rate_limited");
}

#[test]
fn page_for_people_where_a_program_expects_json() {
    check(&ProviderFault::Html, "denied");
}
