//! A minute of trouble at the source: what is cached is told, nothing is marked, and it ends by
//! itself.

use std::time::Duration;

use rucache::core::breaker::CircuitState;
use rucache_testkit::{ProviderFault, ProviderShape};

use super::stand::Stand;

const SECOND: Duration = Duration::from_secs(1);

/// A minute of `fault`, which a look-up of a new number calls `cause`, and what comes after.
async fn check(fault: ProviderFault, cause: &str) {
    let stand = Stand::new(ProviderShape::Migo, 10, |config| config.gather = Duration::ZERO);
    for index in 0..20 {
        assert_eq!(stand.ends(index).await, "found");
    }
    stand.clock.advance(10 * SECOND);
    stand.fake.set_fault(Some(fault));
    for second in 0..60 {
        for index in 0..20 {
            assert_eq!(stand.ends(index).await, "stale", "second {second}");
        }
        assert_eq!(stand.ends(1_000 + second).await, cause);
        stand.clock.advance(SECOND);
    }
    let failed: u64 = stand
        .status()
        .calls
        .iter()
        .filter(|(result, _)| result.as_str() == cause)
        .map(|(_, count)| count)
        .sum();
    assert!(failed > 0, "{cause}");
    stand.fake.set_fault(None);
    let mut recovery = 0;
    while stand.ends(10_000 + recovery).await != "found" {
        recovery += 1;
        assert!(recovery <= 31, "{:?}", stand.status());
        stand.clock.advance(SECOND);
    }
    assert_eq!((stand.status().circuit, stand.status().closed), (CircuitState::Closed, None));
    for index in 0..20 {
        let lookup = stand.lookup(index).await;
        assert!(!lookup.is_stale(), "{index} {:?}", lookup.served);
    }
    assert_eq!(stand.marked().await, 0);
}

#[tokio::test]
async fn minute_of_failures() {
    check(ProviderFault::Status(500, None), "failed").await;
}

#[tokio::test]
async fn minute_of_broken_connections() {
    check(ProviderFault::Cut, "failed").await;
}

#[tokio::test]
async fn minute_of_429() {
    check(ProviderFault::Status(429, Some(20)), "rate_limited").await;
}

#[tokio::test]
async fn minute_of_html() {
    check(ProviderFault::Html, "denied").await;
}
