//! Many at once, and how long that takes.

use std::time::Duration;

use rucache_providers::ApiKind;
use rucache_ruc::{Answer, Provider};
use tokio::time::Instant;

use super::setting::{Setting, ruc, rucs};

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_end_within_half_more_than_the_ideal() {
    // Without optimisation, writing and reading the records takes longer than such calls.
    let latency = Duration::from_millis(if cfg!(debug_assertions) { 1_000 } else { 200 });
    let setting = Setting::with(ApiKind::Migo, |config| config.timeout = latency * 3);
    setting.fake.set_latency(latency);
    let numbers = rucs(5_000);
    let started = Instant::now();
    let answers = setting.source.lookup_many(&numbers).await;
    let took = started.elapsed();
    let right = answers.iter().zip(&numbers).filter(
        |(answer, ruc)| matches!(answer, Answer::Found { record, .. } if record.ruc() == **ruc),
    );
    assert_eq!(right.count(), 5_000);
    let calls = setting.fake.calls();
    assert!(calls.len() == 50 && calls.iter().all(|call| call.numbers.len() == 100));
    // 50 calls, 32 at once: two rounds.
    assert!(took < 2 * latency * 3 / 2, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_concurrent_singles_travel_together() {
    let setting = Setting::new(ApiKind::Migo);
    setting.fake.set_latency(Duration::from_millis(100));
    let lookups: Vec<_> = rucs(500)
        .into_iter()
        .map(|ruc| {
            let source = setting.source.clone();
            tokio::spawn(async move { (ruc, source.lookup(ruc).await) })
        })
        .collect();
    for lookup in lookups {
        let (ruc, answer) = lookup.await.unwrap();
        assert!(matches!(answer, Answer::Found { record, .. } if record.ruc() == ruc));
    }
    let calls = setting.fake.calls();
    assert_eq!(calls.iter().map(|call| call.numbers.len()).sum::<usize>(), 500);
    assert!(calls.len() <= 10, "{}", calls.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn lookup_after_lookup_costs_hardly_more_than_its_call() {
    let setting = Setting::new(ApiKind::Migo);
    let mut took = Vec::new();
    for index in 0..100 {
        let started = Instant::now();
        assert!(matches!(setting.source.lookup(ruc(index)).await, Answer::Found { .. }));
        took.push(started.elapsed());
    }
    took.sort_unstable();
    // Half of them, call included, within three times the millisecond that the layer may add.
    assert!(took[50] < Duration::from_millis(3), "{:?}", took[50]);
}
