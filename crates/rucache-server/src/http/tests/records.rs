//! `PUT` and `DELETE /v1/ruc/{ruc}`, and reading what was put.

use serde_json::json;

use super::service::{SUNAT, Service, UNKNOWN};

fn target(tail: &str) -> String {
    format!("/v1/ruc/{UNKNOWN}{tail}")
}

#[tokio::test]
async fn record_that_was_put_is_a_hit() {
    let service = Service::start().await;
    let stored = service.put(&target("?ttl=60"), r#"{"estado_del_contribuyente":"ACTIVO"}"#).await;
    assert_eq!((stored.status, &*stored.body), (204, ""));
    let hit = service.get(&target("")).await;
    assert_eq!(hit.json(), json!({ "ruc": UNKNOWN, "estado_del_contribuyente": "ACTIVO" }));
    let status = hit.header("cache-status").expect("a status");
    assert!(["60", "59", "58"].iter().any(|ttl| status == format!("rucache; hit; ttl={ttl}")));
    assert_eq!(service.get(&target("?cached=only")).await.body, hit.body);
}

#[tokio::test]
async fn record_is_also_an_entry_under_its_name() {
    let service = Service::start().await;
    service.put(&target(""), "{}").await;
    let entry = service.get(&format!("/v1/cache/migo/ruc_{UNKNOWN}")).await;
    assert_eq!((entry.status, entry.json()), (200, json!({ "ruc": UNKNOWN })));
}

#[tokio::test]
async fn record_lives_in_the_service_that_is_named() {
    let service = Service::start().await;
    assert_eq!(service.put(&target("?service=otro"), "{}").await.status, 204);
    assert_eq!(service.get(&target("?service=otro&cached=only")).await.status, 200);
    service.get(&target("?cached=only")).await.problem(404, "not-cached");
    service.get(&target("?service=Otro")).await.problem(400, "invalid-key");
}

#[tokio::test]
async fn record_that_is_deleted_is_gone_and_deleting_again_changes_nothing() {
    let service = Service::start().await;
    service.put(&target(""), "{}").await;
    for _ in 0..2 {
        assert_eq!(service.ask("DELETE", &target("")).await.status, 204);
        service.get(&target("?cached=only")).await.problem(404, "not-cached");
    }
}

#[tokio::test]
async fn record_of_another_number_is_refused() {
    let service = Service::start().await;
    let other = json!({ "ruc": SUNAT }).to_string();
    service.put(&target(""), other).await.problem(422, "invalid-record");
    let own = json!({ "ruc": UNKNOWN }).to_string();
    assert_eq!(service.put(&target(""), own).await.status, 204);
}

#[tokio::test]
async fn body_that_is_no_record_is_refused() {
    let service = Service::start().await;
    for body in ["[]", "1", "null", r#"{"ruc":"abc"}"#, r#"{"distrito":["LIMA"]}"#] {
        service.put(&target(""), body).await.problem(422, "invalid-record");
    }
    service.get(&target("?cached=only")).await.problem(404, "not-cached");
}

#[tokio::test]
async fn ttl_that_is_none_is_named() {
    let service = Service::start().await;
    for ttl in ["0", "soon", "-1", "", "1.5"] {
        let refused = service.put(&target(&format!("?ttl={ttl}")), "{}").await;
        assert_eq!(refused.problem(400, "invalid-parameter")["parameter"], "ttl");
    }
}

#[tokio::test]
async fn what_is_no_ruc_cannot_be_put_or_deleted() {
    let service = Service::start().await;
    service.put("/v1/ruc/20131312956", "{}").await.problem(422, "not-a-ruc");
    service.ask("DELETE", "/v1/ruc/abc").await.problem(422, "not-a-ruc");
}
