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
async fn names_are_listed_page_by_page_while_others_come() {
    let service = Service::start().await;
    let put = async |name: String| {
        assert_eq!(service.put(&format!("/v1/cache/migo/{name}"), "1").await.status, 204);
    };
    for number in 0..25 {
        put(format!("name{number}")).await;
    }
    service.put("/v1/cache/migos/other", "1").await;
    service.put("/v1/cache/migo/short?ttl=1ms", "1").await;
    while service.get("/v1/cache/migo/short").await.status == 200 {}
    let (mut names, mut next, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = service.get(&format!("/v1/cache/migo?limit=10{next}")).await.json();
        assert_eq!(page["service"], "migo");
        let keys = page["keys"].as_array().expect("a list");
        assert!(keys.len() <= 10, "{page}");
        names.extend(keys.iter().map(|key| key.as_str().expect("a name").to_owned()));
        pages += 1;
        put(format!("late{pages}")).await;
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    let early = names.iter().filter(|name| name.starts_with("name")).count();
    let different: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!((early, different.len()), (25, names.len()), "{names:?}");
    assert!(!names.iter().any(|name| name == "short" || name == "other"), "{names:?}");
    service.get("/v1/cache/migo?cursor=x").await.problem(400, "invalid-parameter");
    service.ask("DELETE", "/v1/cache/migo").await;
    assert_eq!(service.get("/v1/cache/migo").await.json()["keys"], json!([]));
    for limit in ["0", "10001", "x"] {
        let answer = service.get(&format!("/v1/cache/migo?limit={limit}")).await;
        assert_eq!(answer.problem(400, "invalid-parameter")["parameter"], "limit");
    }
}

#[tokio::test]
async fn service_is_cleared_alone() {
    let service = Service::start().await;
    for target in ["/v1/cache/users/a", "/v1/cache/users/b", "/v1/cache/usersabc/a"] {
        service.put(target, "1").await;
    }
    let clear = async || service.ask("DELETE", "/v1/cache/users").await.json();
    assert_eq!(clear().await, json!({ "service": "users", "cleared": 2 }));
    assert_eq!(clear().await, json!({ "service": "users", "cleared": 0 }));
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
