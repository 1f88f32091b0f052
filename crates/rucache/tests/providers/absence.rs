//! What does not exist today may exist tomorrow: numbers, and the exchange rate of the day.

use std::time::Duration;

use rucache::core::Runtime as _;
use rucache::core::rule::Event;
use rucache::ruc::{Currency, LimaDate, Reply};
use rucache_testkit::ProviderShape;

use super::stand::{Stand, ruc};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn new_number_appears_when_its_absence_lapses() {
    let stand = Stand::new(ProviderShape::Migo, 3_600, |_| {});
    stand.fake.remove(&ruc(1).to_string());
    assert_eq!(stand.ends(1).await, "not_found");
    stand.fake.restore(&ruc(1).to_string());
    // An hour ± 10 %.
    stand.clock.advance(HOUR * 8 / 10);
    assert_eq!(stand.ends(1).await, "not_found");
    assert_eq!(stand.fake.calls().len(), 1);
    stand.clock.advance(HOUR * 4 / 10);
    assert_eq!(stand.ends(1).await, "found");
    assert_eq!((stand.fake.calls().len(), stand.marked().await), (2, 0));
}

#[tokio::test]
async fn new_number_appears_at_once_on_an_event() {
    let stand = Stand::new(ProviderShape::Migo, 3_600, |_| {});
    stand.fake.remove(&ruc(1).to_string());
    assert_eq!(stand.ends(1).await, "not_found");
    stand.fake.restore(&ruc(1).to_string());
    assert_eq!(stand.ends(1).await, "not_found");
    let event = Event::new("ruc", "added", ruc(1).to_string());
    stand.lookups.publish(&event).await;
    assert_eq!(stand.ends(1).await, "found");
}

#[tokio::test]
async fn rate_of_today_appears_minutes_after_it_is_published() {
    let stand = Stand::new(ProviderShape::Migo, 3_600, |_| {});
    let rates = stand.lookups.exchange(&"migo".parse().unwrap());
    let today = LimaDate::at(stand.clock.wall());
    stand.fake.set_latest_rate("2026-01-27");
    stand.fake.remove_rate(&today.to_string());
    let lookup = async || rates.lookup(Currency::Usd, today).await.reply;
    assert_eq!(lookup().await, Reply::NotFound);
    assert_eq!(lookup().await, Reply::NotFound);
    assert_eq!(stand.fake.calls().len(), 1);
    stand.fake.publish_rate(&today.to_string());
    assert_eq!(lookup().await, Reply::NotFound);
    stand.clock.advance(Duration::from_secs(301));
    // Unless midnight has passed in Lima meanwhile, it is still the day.
    let Reply::Found(rate) = lookup().await else { panic!("it is published") };
    assert_eq!(
        (rate.day, rate.buy.to_string(), rate.sell.to_string()),
        (today, "3.740".into(), "3.752".into())
    );
}
