//! `GET …?lease=` and `PUT …?lease=`: one client loads, the others get what it brings.

use super::client::Response;
use super::service::Service;

const REPORT: &str = "/v1/cache/migo/report";

async fn lease(service: &Service, wait: u64) -> Response {
    service.get(&format!("{REPORT}?lease=30&wait={wait}")).await
}

/// The lease that an answer gives.
#[track_caller]
fn token(answer: &Response) -> String {
    let problem = answer.problem(404, "not-cached");
    problem["lease"].as_str().expect("a lease").to_owned()
}

async fn fill(service: &Service, token: &str, value: &str) -> Response {
    service.put(&format!("{REPORT}?ttl=60&lease={token}"), value).await
}

#[tokio::test]
async fn one_client_gets_the_lease_and_the_other_waits_for_its_value() {
    let service = Service::start().await;
    let granted = token(&lease(&service, 0).await);
    let mut waiting = service.connect().await;
    waiting.send(format!("GET {REPORT}?lease=30&wait=20000 HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    assert_eq!(fill(&service, &granted, "[1]").await.status, 204);
    let answer = waiting.response().await.expect("an answer");
    assert_eq!((answer.status, &*answer.body), (200, "[1]"));
    assert!(answer.header("cache-status").is_some_and(|status| status.contains("hit")));
    // A value that is there needs no lease.
    assert_eq!(lease(&service, 0).await.body, "[1]");
}

#[tokio::test]
async fn who_waits_in_vain_gets_no_lease() {
    let service = Service::start().await;
    token(&lease(&service, 0).await);
    let problem = lease(&service, 30).await.problem(404, "not-cached");
    assert!(problem.get("lease").is_none(), "{problem}");
}

#[tokio::test]
async fn late_fill_is_superseded_by_what_happened_meanwhile() {
    for (method, target, body) in [
        ("DELETE", REPORT, ""),
        ("PUT", REPORT, "2"),
        ("DELETE", "/v1/cache/migo", ""),
        ("DELETE", "/v1/cache?confirm=all", ""),
        ("POST", "/v1/invalidate", r#"{"keys":["migo:report"]}"#),
        ("POST", "/v1/invalidate", r#"{"services":["migo"],"mode":"expire"}"#),
    ] {
        let service = Service::start().await;
        let granted = token(&lease(&service, 0).await);
        let change = match body {
            "" => service.ask(method, target).await,
            body => service.send(method, target, "", body).await,
        };
        assert!(change.status < 300, "{change:?}");
        fill(&service, &granted, "1").await.problem(409, "superseded");
        let left = service.get(REPORT).await;
        assert_ne!(left.body, "1", "{method} {target}");
    }
}

#[tokio::test]
async fn tagged_fill_is_superseded_by_its_tag() {
    let service = Service::start().await;
    let granted = token(&lease(&service, 0).await);
    service.post("/v1/invalidate", r#"{"tags":["migo:a"]}"#).await;
    let target = format!("{REPORT}?tags=a&lease={granted}");
    service.put(&target, "1").await.problem(409, "superseded");
}

#[tokio::test]
async fn lease_is_for_names_that_fit_no_path_too() {
    let service = Service::start().await;
    let target = "/v1/entry?service=migo&key=..";
    let granted = token(&service.get(&format!("{target}&lease=30")).await);
    assert_eq!(service.put(&format!("{target}&lease={granted}"), "1").await.status, 204);
    assert_eq!(service.get(target).await.body, "1");
}

#[tokio::test]
async fn wishes_that_cannot_be_granted_are_refused() {
    let service = Service::start().await;
    for (query, parameter) in [
        ("lease=301", "lease"),
        ("lease=0", "lease"),
        ("lease=soon", "lease"),
        ("lease=30&wait=25001", "wait"),
        ("lease=30&wait=-1", "wait"),
        ("wait=100", "wait"),
    ] {
        let problem =
            service.get(&format!("{REPORT}?{query}")).await.problem(400, "invalid-parameter");
        assert_eq!(problem["parameter"], parameter, "{query}");
    }
    for lease in ["", "x", "0123"] {
        fill(&service, lease, "1").await.problem(400, "invalid-parameter");
    }
    // Well formed, and given to nobody.
    fill(&service, &"0".repeat(80), "1").await.problem(409, "superseded");
}
