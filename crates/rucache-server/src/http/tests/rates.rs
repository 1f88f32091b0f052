//! `/v1/exchange-rate`.

use serde_json::json;

use super::service::Service;

const DAY: &str = "/v1/exchange-rate/2026-01-28";
const RATE: &str = r#"{"compra":"3.745","venta":"3.750","moneda":"USD"}"#;

#[tokio::test]
async fn rate_that_was_put_comes_back_digit_for_digit() {
    let service = Service::start().await;
    assert_eq!(service.put(DAY, RATE).await.status, 204);
    let answer = service.get(DAY).await;
    let expected =
        json!({ "fecha": "2026-01-28", "moneda": "USD", "compra": "3.745", "venta": "3.750" });
    assert_eq!((answer.status, answer.json()), (200, expected));
    assert!(answer.header("cache-status").is_some_and(|status| status.starts_with("rucache; hit")));
    service.get(&format!("{DAY}?currency=EUR")).await.problem(404, "no-such-rate");
    service.get(&format!("{DAY}?service=other")).await.problem(404, "no-such-rate");
    assert_eq!(service.ask("DELETE", DAY).await.status, 204);
    service.get(DAY).await.problem(404, "no-such-rate");
}

#[tokio::test]
async fn rate_of_today_is_the_latest() {
    let service = Service::start().await;
    service.get("/v1/exchange-rate/latest").await.problem(404, "no-such-rate");
    let today = rucache::ruc::LimaDate::at(service.app.runtime().wall());
    service.put(&format!("/v1/exchange-rate/{today}"), RATE).await;
    let answer = service.get("/v1/exchange-rate/latest").await.json();
    assert_eq!((&answer["fecha"], &answer["venta"]), (&today.to_string().into(), &"3.750".into()));
}

#[tokio::test]
async fn rate_of_yesterday_is_the_latest_while_there_is_none_of_today() {
    let service = Service::start().await;
    let now = service.app.runtime().wall().as_millis();
    let yesterday = rucache::core::Timestamp::from_millis(now - 86_400_000);
    let yesterday = rucache::ruc::LimaDate::at(yesterday);
    service.put(&format!("/v1/exchange-rate/{yesterday}"), RATE).await;
    let answer = service.get("/v1/exchange-rate/latest").await.json();
    assert_eq!(answer["fecha"], yesterday.to_string());
}

#[tokio::test]
async fn life_of_a_rate_may_be_said() {
    let service = Service::start().await;
    service.put(&format!("{DAY}?ttl=60"), RATE).await;
    service.get(DAY).await.lives(60);
}

#[tokio::test]
async fn what_is_no_rate_is_refused() {
    let service = Service::start().await;
    for body in [
        r#"{"compra":"3.745"}"#,
        r#"{"compra":3.745,"venta":"3.752"}"#,
        r#"{"compra":"3,745","venta":"3.752"}"#,
        r#"{"compra":"1","venta":"2","moneda":"GBP"}"#,
        r#"{"compra":"1","venta":"2","fecha":"2026-01-27"}"#,
    ] {
        service.put(DAY, body).await.problem(422, "invalid-request");
    }
    for target in ["/v1/exchange-rate/2026-02-30", "/v1/exchange-rate/ayer"] {
        service.get(target).await.problem(400, "invalid-parameter");
    }
    service.get(&format!("{DAY}?currency=usd")).await.problem(400, "invalid-parameter");
}
