//! Exchange rates from the source to the client.

use rucache::core::{Timestamp, Ttl};
use rucache::ruc::LimaDate;
use rucache_testkit::{ProviderFake, ProviderFault, ProviderShape};
use serde_json::json;

use super::stand::{Asker, now_millis, over};
use crate::cli::program::Service;

fn rate(day: &str) -> String {
    format!("/v1/exchange-rate/{day}")
}

#[test]
fn rate_is_asked_for_once_and_keeps_its_digits() {
    for (shape, compra, venta) in [
        (ProviderShape::Migo, "3.740", "3.752"),
        // JSON numbers in the answer.
        (ProviderShape::ApisNetPe, "3.540", "3.552"),
    ] {
        let fake = ProviderFake::start(shape);
        let service = Service::of(over(&fake, shape, &[]));
        let asker = Asker::of(&service);
        let expected =
            json!({ "fecha": "2026-01-27", "moneda": "USD", "compra": compra, "venta": venta });
        let (first, second) = (asker.get(&rate("2026-01-27")), asker.get(&rate("2026-01-27")));
        assert_eq!((first.status, first.json(), second.json()), (200, expected.clone(), expected));
        assert!(second.cache.starts_with("rucache; hit"), "{}", second.cache);
        assert_eq!(fake.calls().len(), 1);
    }
}

#[test]
fn latest_is_cached_under_its_own_day() {
    let fake = ProviderFake::start(ProviderShape::Migo);
    let service = Service::of(over(&fake, ProviderShape::Migo, &[]));
    let asker = Asker::of(&service);
    // As on a Sunday.
    let friday = LimaDate::at(Timestamp::from_millis(now_millis() - 2 * 86_400_000)).to_string();
    fake.set_latest_rate(&friday);
    let latest = asker.get(&rate("latest"));
    assert_eq!((latest.status, &latest.json()["fecha"]), (200, &json!(friday)));
    let made = fake.calls().len();
    let of_its_day = asker.get(&rate(&friday));
    assert_eq!(of_its_day.json(), latest.json());
    assert_eq!(fake.calls().len(), made);
}

#[test]
fn absence_is_a_verdict_for_a_while_and_a_failure_is_none() {
    let fake = ProviderFake::start(ProviderShape::Migo);
    let service = Service::of(over(&fake, ProviderShape::Migo, &[]));
    let asker = Asker::of(&service);
    let today = LimaDate::at(Timestamp::from_millis(now_millis()));
    let tomorrow = LimaDate::at(Timestamp::from_millis(now_millis()).after(Ttl::LONG));
    // As before six in the morning.
    fake.remove_rate(&today.to_string());
    for _ in 0..3 {
        let told = asker.get(&rate(&today.to_string()));
        assert_eq!((told.status, &told.json()["type"]), (404, &json!("/problems/no-such-rate")));
    }
    assert_eq!(fake.calls().len(), 1, "it is remembered");
    assert_eq!(asker.get(&rate(&tomorrow.to_string())).status, 404);
    assert_eq!(fake.calls().len(), 1, "a day to come is not asked for");
    fake.set_fault(Some(ProviderFault::Html));
    let told = asker.get(&rate("2026-01-26"));
    assert_eq!((told.status, &told.json()["cause"]), (503, &json!("denied")));
    assert_eq!(asker.get(&format!("{}?currency=EUR", rate("2026-01-26"))).status, 404);
}
