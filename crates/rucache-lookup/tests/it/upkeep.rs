//! Upkeep: what it cleans, and when it ends.

use std::sync::Arc;
use std::time::Duration;

use rucache_core::Ttl;
use rucache_ruc::Reason;

use crate::lab::{Home, Lab, SUNAT, migo, record};

#[test]
fn maintenance_says_what_it_cleaned() {
    let lab = Lab::home(Home::Process);
    let mark = |text: &str, ttl| {
        lab.run(lab.rucs.mark_invalid(text, Reason::new("TEST"), Some(Ttl::secs(ttl)))).unwrap();
    };
    mark("20999999999", 60);
    mark("20123456789", 6_000);
    mark("20000000000", 6_000);
    lab.run(lab.cache.set("short", &1, Ttl::secs(1))).unwrap();
    assert_eq!(lab.run(lab.lookups.maintain()).invalid_rucs, 0);
    lab.runtime.advance(Duration::from_secs(60));
    lab.run(lab.cache.service(&migo()).delete("ruc_20000000000")).unwrap();
    let maintained = lab.run(lab.lookups.maintain());
    assert_eq!((maintained.invalid_rucs, maintained.expired), (2, 1));
    assert_eq!(lab.run(lab.rucs.invalid_count()).unwrap(), 1);
    let json = serde_json::to_value(maintained).unwrap();
    assert_eq!(json, serde_json::json!({"invalid_rucs": 2, "expired": 1}));
}

#[test]
fn background_compacts_hourly_and_ends_with_the_last_handle() {
    let lab = Lab::home(Home::Server);
    lab.run(lab.rucs.mark_invalid("20999999999", Reason::new("TEST"), None)).unwrap();
    lab.run(lab.cache.service(&migo()).delete("ruc_20999999999")).unwrap();
    lab.lookups.start();
    lab.runtime.advance(Duration::from_secs(59 * 60));
    assert_eq!(lab.run(lab.rucs.invalid_count()).unwrap(), 1);
    lab.runtime.advance(Duration::from_secs(60));
    assert_eq!(lab.run(lab.rucs.invalid_count()).unwrap(), 0);
    lab.run(lab.rucs.set(record(SUNAT, "SUNAT"), None)).unwrap();
    let provider = Arc::downgrade(&lab.provider);
    let runtime = lab.runtime.clone();
    drop(lab);
    runtime.advance(Duration::from_secs(60));
    assert!(provider.upgrade().is_none(), "nothing holds the look-ups any more");
}
