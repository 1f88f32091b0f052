//! What the layers between a caller and the source cost.

use std::time::Duration;

use rucache_testkit::ProviderShape;
use tokio::time::Instant;

use super::stand::Stand;

#[tokio::test(flavor = "multi_thread")]
async fn look_up_after_look_up_costs_hardly_more_than_its_call() {
    let stand = Stand::new(ProviderShape::Migo, 3_600, |_| {});
    let mut took = Vec::new();
    for index in 0..200 {
        let started = Instant::now();
        assert_eq!(stand.ends(index).await, "found");
        took.push(started.elapsed());
    }
    took.sort_unstable();
    println!("median of a look-up, call and cache included: {:?}", took[100]);
    assert_eq!(stand.fake.calls().len(), 200);
    // Half of them, the fake's own time included, within three times what the layer may add.
    assert!(took[100] < Duration::from_millis(3), "{:?}", took[100]);
}
