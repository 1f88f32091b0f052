//! Many names at once, their listing and their end.

use serde_json::json;

use super::service::Service;

const GET: &str = "/v1/cache/migo:batchGet";
const SET: &str = "/v1/cache/migo:batchSet";
const DELETE: &str = "/v1/cache/migo:batchDelete";

#[tokio::test]
async fn values_are_set_read_and_deleted_together() {
    let service = Service::start().await;
    let body = r#"{"values":{"a":{"n":1},"b":[2.50]},"ttl":60}"#;
    assert_eq!(service.post(SET, body).await.status, 204);
    let found = service.post(GET, r#"{"keys":["b","none","a","b"]}"#).await;
    assert_eq!(found.body, r#"{"values":{"a":{"n":1},"b":[2.50]},"missing":["none"]}"#);
    assert_eq!(service.get("/v1/cache/migo/b").await.body, "[2.50]");
    let deleted = service.post(DELETE, r#"{"keys":["a","none"]}"#).await.json();
    assert_eq!(deleted, json!({ "deleted": 1, "outcome": "done" }));
    let found = service.post(GET, r#"{"keys":["a","b"]}"#).await.json();
    assert_eq!(found["missing"], json!(["a"]));
}

#[tokio::test]
async fn life_and_tags_of_a_batch_are_those_of_each_value() {
    let service = Service::start().await;
    let body = r#"{"values":{"a":1,"b":2},"ttl":"2min","tags":["x"]}"#;
    service.post(SET, body).await;
    service.get("/v1/cache/migo/a").await.lives(120);
    service.post("/v1/invalidate", r#"{"tags":["migo:x"]}"#).await;
    let found = service.post(GET, r#"{"keys":["a","b"]}"#).await.json();
    assert_eq!(found["missing"], json!(["a", "b"]));
}

#[tokio::test]
async fn batches_of_another_form_are_refused() {
    let service = Service::start().await;
    for (target, body) in [
        (GET, "{}"),
        (GET, r#"{"keys":"a"}"#),
        (GET, r#"{"keys":[1]}"#),
        (GET, r#"{"keys":[],"more":1}"#),
        (SET, r#"{"values":[1]}"#),
        (SET, r#"{"values":{"a":1},"ttl":0}"#),
        (SET, r#"{"values":{"a":1},"ttl":"soon"}"#),
        (DELETE, "[]"),
    ] {
        service.post(target, body).await.problem(422, "invalid-request");
    }
    service.post(GET, r#"{"keys":[""]}"#).await.problem(400, "invalid-key");
    service.post("/v1/cache/MIGO:batchGet", r#"{"keys":[]}"#).await.problem(400, "invalid-key");
    service.post(GET, "{").await.problem(400, "invalid-body");
    let keys = vec!["a"; 10_001];
    let problem = service.post(GET, json!({ "keys": keys }).to_string()).await;
    assert_eq!(problem.problem(413, "batch-too-large")["limit"], 10_000);
}

#[tokio::test]
async fn verb_that_no_route_knows_is_no_route() {
    let service = Service::start().await;
    service.post("/v1/cache/migo:batchRead", "{}").await.problem(404, "no-such-route");
    service.get(GET).await.problem(405, "method-not-allowed");
    let refused = service.post("/v1/cache/migo", "{}").await;
    refused.problem(405, "method-not-allowed");
    assert_eq!(refused.header("allow"), Some("GET,HEAD,DELETE"));
}

#[tokio::test]
async fn names_in_this_process_cannot_be_listed() {
    let service = Service::start().await;
    service.get("/v1/cache/migo").await.problem(501, "not-supported");
    for limit in ["0", "10001", "x"] {
        let answer = service.get(&format!("/v1/cache/migo?limit={limit}")).await;
        assert_eq!(answer.problem(400, "invalid-parameter")["parameter"], "limit");
    }
}

#[tokio::test]
async fn service_is_cleared_alone() {
    let service = Service::start().await;
    for target in ["/v1/cache/users/a", "/v1/cache/usersabc/a"] {
        service.put(target, "1").await;
    }
    let cleared = service.ask("DELETE", "/v1/cache/users").await;
    assert_eq!(cleared.json(), json!({ "service": "users", "cleared": null }));
    service.get("/v1/cache/users/a").await.problem(404, "not-cached");
    assert_eq!(service.get("/v1/cache/usersabc/a").await.status, 200);
}

#[tokio::test]
async fn everything_is_cleared_by_who_confirms_it() {
    let service = Service::start().await;
    service.put("/v1/cache/users/a", "1").await;
    for target in ["/v1/cache", "/v1/cache?confirm=yes"] {
        service.ask("DELETE", target).await.problem(400, "invalid-parameter");
    }
    assert_eq!(service.get("/v1/cache/users/a").await.status, 200);
    let cleared = service.ask("DELETE", "/v1/cache?confirm=all").await;
    assert_eq!((cleared.status, cleared.json()["cleared"].is_null()), (200, true));
    service.get("/v1/cache/users/a").await.problem(404, "not-cached");
}
