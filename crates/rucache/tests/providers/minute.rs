//! A plan of 60 calls in any minute.

use std::num::NonZeroU32;
use std::time::Duration;

use rucache::core::{Mono, Runtime as _};
use rucache::ruc::{Cause, Outcome};
use rucache_testkit::ProviderShape;

use super::stand::Stand;

/// What the clocks are moved by with each request: 10,000 of them are five minutes.
const STEP: Duration = Duration::from_millis(30);

#[tokio::test]
async fn no_sliding_minute_has_a_61st_call_and_callers_get_stale_or_when_to_come_back() {
    // One number a call; a record is stale after ten seconds.
    let stand = Stand::new(ProviderShape::Decolecta, 10, |config| {
        config.plan.per_minute = NonZeroU32::new(60);
    });
    let mut calls = Vec::new();
    let (mut found, mut stale, mut refused) = (0, 0, 0);
    for step in 0..10_000_u64 {
        // Half of them for twenty numbers, and half for numbers that nobody knows.
        let index = if step % 2 == 0 { step / 2 % 20 } else { 1_000 + step };
        let before = stand.fake.calls().len();
        let lookup = stand.lookup(index).await;
        match &lookup.outcome {
            Outcome::Found(_) if lookup.is_stale() => stale += 1,
            Outcome::Found(_) => found += 1,
            Outcome::Unavailable(why) => {
                refused += 1;
                assert_eq!(why.cause, Cause::RateLimited);
                let wait = why.retry_after.unwrap();
                assert!(!wait.is_zero() && wait <= Duration::from_secs(62), "{wait:?}");
            }
            other => panic!("{other:?}"),
        }
        let made = stand.fake.calls().len() - before;
        calls.extend(std::iter::repeat_n(stand.clock.now(), made));
        stand.clock.advance(STEP);
    }
    let minute = Duration::from_secs(60);
    let within =
        |start: &Mono| calls.iter().filter(|at| *at >= start && at.since(*start) < minute).count();
    let worst = calls.iter().map(within).max();
    assert!(worst <= Some(60), "{worst:?}");
    assert!(calls.len() >= 5 * 50, "{}", calls.len());
    assert_eq!(found + stale + refused, 10_000);
    assert!(stale > 1_000 && refused > 1_000, "{found} {stale} {refused}");
    assert_eq!(stand.marked().await, 0);
    assert_eq!(stand.status().minute.map(|minute| minute.limit), Some(60));
}
