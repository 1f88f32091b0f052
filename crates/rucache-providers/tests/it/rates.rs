//! Exchange rates: Lima's day, exact decimals, the hours before they are published.

use std::time::Duration;

use rucache_providers::ApiKind;
use rucache_ruc::{Cause, Currency, ExchangeRate, Provider, RateQuery, Reply};
use rucache_testkit::ProviderFault;

use super::setting::Setting;

fn of(day: &str) -> RateQuery {
    RateQuery { currency: Currency::Usd, day: Some(day.parse().unwrap()) }
}

const LATEST: RateQuery = RateQuery { currency: Currency::Usd, day: None };

fn text(reply: Reply<ExchangeRate>) -> String {
    match reply {
        Reply::Found(rate) => format!("{} {} {} {}", rate.day, rate.currency, rate.buy, rate.sell),
        Reply::NotFound => "not_found".to_owned(),
        Reply::NotCovered => "not_covered".to_owned(),
        Reply::Unavailable(unavailable) => unavailable.cause.to_string(),
    }
}

#[tokio::test]
async fn rates_keep_their_digits() {
    for (api, expected) in [
        (ApiKind::Migo, "2026-01-27 USD 3.740 3.752"),
        (ApiKind::Decolecta, "2026-01-27 USD 3.540 3.552"),
        // Numbers in the answer, read as the text they stand there as.
        (ApiKind::ApisNetPe, "2026-01-27 USD 3.540 3.552"),
        (ApiKind::Apiperu, "not_covered"),
    ] {
        let setting = Setting::new(api);
        let reply = setting.source.exchange_rate(of("2026-01-27")).await;
        assert_eq!(text(reply), expected, "{api:?}");
    }
}

#[tokio::test]
async fn latest_rate_belongs_to_the_day_in_the_answer() {
    let setting = Setting::new(ApiKind::Migo);
    let reply = setting.source.exchange_rate(LATEST).await;
    assert_eq!(text(reply), "2026-01-28 USD 3.740 3.752");
}

#[tokio::test]
async fn rate_that_is_not_published_yet_is_not_found_and_a_failure_is_not() {
    let setting = Setting::new(ApiKind::Migo);
    setting.fake.remove_rate("2026-01-28");
    assert_eq!(text(setting.source.exchange_rate(of("2026-01-28")).await), "not_found");
    setting.fake.set_fault(Some(ProviderFault::Status(500, None)));
    assert_eq!(text(setting.source.exchange_rate(of("2026-01-28")).await), "failed");
    setting.fake.set_fault(Some(ProviderFault::Html));
    assert_eq!(text(setting.source.exchange_rate(of("2026-01-28")).await), "denied");
}

#[tokio::test]
async fn rate_of_another_day_is_none_of_this() {
    let said = |day: &str, buy: &str| {
        let body = format!(
            r#"{{"success":true,"fecha":"{day}","moneda":"USD","precio_compra":{buy},"precio_venta":"3.752"}}"#
        );
        Some(ProviderFault::Body(200, body))
    };
    for (fault, expected) in [
        // In the early morning some give yesterday's.
        (said("2026-01-27", "\"3.740\""), "not_found"),
        (said("2026-01-29", "\"3.740\""), "failed"),
        (said("2026-01-28 00:00:00", "\"3.740\""), "2026-01-28 USD 3.740 3.752"),
        (said("2026-01-28", "3.74"), "2026-01-28 USD 3.74 3.752"),
        (said("2026-01-28", "\"0.000\""), "failed"),
        (said("2026-01-28", "\"-3.740\""), "failed"),
        (said("2026-01-28", "null"), "failed"),
        (said("28/01/2026", "\"3.740\""), "failed"),
    ] {
        let setting = Setting::new(ApiKind::Migo);
        setting.fake.set_fault(fault.clone());
        let reply = setting.source.exchange_rate(of("2026-01-28")).await;
        assert_eq!(text(reply), expected, "{fault:?}");
    }
}

#[tokio::test]
async fn day_to_come_in_lima_is_not_asked_for() {
    let setting = Setting::new(ApiKind::Migo);
    // Ten in the morning of the 28th.
    assert_eq!(text(setting.source.exchange_rate(of("2026-01-29")).await), "not_found");
    assert!(setting.fake.calls().is_empty());
    setting.clock.advance(Duration::from_secs(13 * 3_600 + 3_599));
    assert_eq!(text(setting.source.exchange_rate(of("2026-01-29")).await), "not_found");
    assert!(setting.fake.calls().is_empty());
    setting.clock.advance(Duration::from_secs(1));
    assert_ne!(text(setting.source.exchange_rate(of("2026-01-29")).await), "not_found");
}

#[tokio::test]
async fn other_currencies_are_not_covered() {
    let setting = Setting::new(ApiKind::Migo);
    let query = RateQuery { currency: Currency::Eur, day: None };
    assert_eq!(text(setting.source.exchange_rate(query).await), "not_covered");
}

#[tokio::test]
async fn account_is_told_without_the_token() {
    let setting = Setting::new(ApiKind::Migo);
    let Reply::Found(account) = setting.source.account().await else { panic!("MIGO has one") };
    assert_eq!(account.0["consultas_disponibles"], "39120");
    assert!(!account.0.contains_key("token"));
    setting.fake.set_fault(Some(ProviderFault::Html));
    let Reply::Unavailable(unavailable) = setting.source.account().await else { panic!() };
    assert_eq!(unavailable.cause, Cause::Denied);
    assert_eq!(Setting::new(ApiKind::Decolecta).source.account().await, Reply::NotCovered);
}
