//! `/v1/stats`, `/v1/stats/daily`, `/v1/maintenance`: what was counted and tidied.

use serde_json::json;

use super::service::Service;

#[tokio::test]
async fn test_of_the_documents_holds() {
    let service = Service::start().await;
    service.put("/v1/cache/default/before", "1").await;
    service.get("/v1/cache/default/before").await;
    assert_eq!(service.ask("DELETE", "/v1/cache?confirm=all").await.status, 200);
    documents_test(&service).await;
}

#[tokio::test]
async fn what_the_service_tries_at_its_start_is_not_counted() {
    let service = Service::start().await;
    documents_test(&service).await;
    service.get("/health?probe=now").await;
    let stats = service.get("/v1/stats").await.json();
    assert_eq!((&stats["hits"], &stats["invalidations"]), (&1.into(), &0.into()));
    let overview = service.get("/v1/overview").await.json();
    assert_eq!(overview["invalidations"], json!([]));
}

/// Set key1, get key1, get key2: one hit, one miss.
async fn documents_test(service: &Service) {
    service.put("/v1/cache/default/key1", r#"{"data":"value"}"#).await;
    assert_eq!(service.get("/v1/cache/default/key1").await.status, 200);
    assert_eq!(service.get("/v1/cache/default/key2").await.status, 404);
    let stats = service.get("/v1/stats").await.json();
    assert_eq!(
        (&stats["hits"], &stats["misses"], &stats["hit_rate"]),
        (&1.into(), &1.into(), &50.0.into())
    );
    assert_eq!(stats["service_breakdown"], json!({ "default": { "hits": 1, "misses": 1 } }));
    assert_eq!((&stats["status"], &stats["backend"]), (&"healthy".into(), &"local_memory".into()));
    assert_eq!(stats["timeouts"]["default"], "15min");
    assert!(stats.get("fleet").is_none());
}

#[tokio::test]
async fn days_are_added_up() {
    let service = Service::start().await;
    service.put("/v1/cache/default/a", "1").await;
    service.get("/v1/cache/default/a").await;
    let day = service.get("/v1/stats/daily").await.json();
    assert_eq!(day["services"]["default"]["hits"], 1);
    let date = day["date"].as_str().expect("a day");
    assert_eq!(service.get(&format!("/v1/stats/daily?date={date}")).await.json(), day);
    assert_eq!(service.get("/v1/stats/daily?date=2020-02-29").await.json()["hits"], 0);
    let fleet = service.get("/v1/stats?scope=fleet").await.json();
    assert_eq!(fleet["fleet"], day);
    for target in ["/v1/stats?scope=all", "/v1/stats/daily?date=2026-02-30"] {
        service.get(target).await.problem(400, "invalid-parameter");
    }
}

#[tokio::test]
async fn maintenance_says_what_it_dropped() {
    let service = Service::start().await;
    service.put("/v1/cache/default/a?ttl=1ms", "1").await;
    while service.get("/v1/cache/default/a").await.status == 200 {}
    let done = service.ask("POST", "/v1/maintenance").await;
    assert_eq!(done.json(), json!({ "invalid_rucs": 0, "expired": 1 }));
    let done = service.ask("POST", "/v1/maintenance").await;
    assert_eq!(done.json(), json!({ "invalid_rucs": 0, "expired": 0 }));
}
