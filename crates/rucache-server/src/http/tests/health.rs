//! `/health`, `/livez`, `/readyz`.

use serde_json::json;

use super::service::Service;

#[tokio::test]
async fn report_has_the_shape_that_monitoring_reads() {
    let service = Service::start().await;
    let answer = service.get("/health").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let health = answer.json();
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["backend"], "local_memory");
    assert_eq!(health["connection"], "OK");
    assert_eq!(
        health["checks"],
        json!({ "connection": "✅ OK", "basic_operations": "✅ OK", "invalid_rucs": "✅ 0 RUCs" })
    );
    assert_eq!(health["memory"]["capacity_bytes"], 256 * 1024 * 1024);
    assert!(health["memory"]["used_bytes"].is_u64() && health["uptime"].is_u64());
    let took = health["avg_response_time"].as_f64().expect("milliseconds");
    assert!(took > 0.0 && took < 1_000.0, "{took}");
    let timestamp = health["timestamp"].as_str().expect("a text");
    assert!(
        timestamp.ends_with('Z') && timestamp.parse::<jiff::Timestamp>().is_ok(),
        "{timestamp}"
    );
}

#[tokio::test]
async fn memory_grows_with_what_is_stored() {
    let service = Service::start().await;
    let used = async || service.get("/health").await.json()["memory"]["used_bytes"].as_u64();
    let before = used().await;
    service.put("/v1/cache/migo/a", format!("\"{}\"", "v".repeat(100_000))).await;
    assert!(used().await >= before.map(|bytes| bytes + 100_000));
}

#[tokio::test]
async fn media_type_of_health_reports_is_given_to_those_who_ask_for_it() {
    let service = Service::start().await;
    for accept in ["application/health+json", "text/html, application/HEALTH+json;q=0.9"] {
        let answer = service
            .raw(&format!("GET /health HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\n\r\n"))
            .await;
        assert_eq!(answer.header("content-type"), Some("application/health+json"));
        assert_eq!(answer.json()["status"], "healthy");
    }
}

#[tokio::test]
async fn probe_can_be_asked_for() {
    let service = Service::start().await;
    assert_eq!(service.get("/health?probe=now").await.json()["status"], "healthy");
    let problem = service.get("/health?probe=later").await.problem(400, "invalid-parameter");
    assert_eq!(problem["parameter"], "probe");
}

#[tokio::test]
async fn service_that_stops_is_alive_and_not_ready() {
    let service = Service::start().await;
    assert_eq!(service.get("/readyz").await.json(), json!({ "status": "ready" }));
    service.app.stop();
    let answer = service.get("/readyz").await;
    answer.problem(503, "stopping");
    assert!(answer.header("retry-after").is_some());
    let alive = service.get("/livez").await;
    assert_eq!((alive.status, alive.json()), (200, json!({ "status": "alive" })));
}
