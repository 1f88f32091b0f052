//! `/metrics`.

use super::service::{SUNAT, Service};

#[tokio::test]
async fn requests_hits_and_misses_are_shown() {
    let service = Service::start().await;
    for _ in 0..2 {
        service.get(&format!("/v1/ruc/{SUNAT}")).await;
    }
    service.get("/v1/ruc/20131312956").await;
    let answer = service.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let line = |start: &str| {
        let line = answer.body.lines().find(|line| line.starts_with(start));
        line.unwrap_or_else(|| panic!("{start} in {}", answer.body))
            .rsplit(' ')
            .next()
            .map(str::to_owned)
    };
    let cache = r#"rucache_requests_total{cache="rucache",service="migo",result="#;
    assert_eq!(line(&format!("{cache}\"hit\"")).as_deref(), Some("1"));
    assert_eq!(line(&format!("{cache}\"miss\"")).as_deref(), Some("1"));
    let route = r#"rucache_http_requests_total{route="/v1/ruc/{ruc}",method="GET",status="#;
    assert_eq!(line(&format!("{route}\"2xx\"")).as_deref(), Some("2"));
    assert_eq!(line(&format!("{route}\"4xx\"")).as_deref(), Some("1"));
    assert!(!answer.body.contains(SUNAT), "no label holds a number");
}

#[tokio::test]
async fn every_route_is_a_series_from_the_start() {
    let service = Service::start().await;
    let answer = service.get("/metrics").await;
    for path in ["/v1/cache/{service}:batchGet", "/v1/events", "/livez"] {
        assert!(answer.body.contains(&format!("route=\"{path}\"")), "{path}");
    }
}
