//! `/v1/invalidate` and `/v1/events`.

use serde_json::{Value, json};

use super::service::{SUNAT, Service};
use crate::config::ServerConfig;

const INVALIDATE: &str = "/v1/invalidate";
const EVENTS: &str = "/v1/events";

/// A service with the rules of a shop.
async fn shop() -> Service {
    let mut config = ServerConfig::default();
    config.cache.rules = serde_json::from_value(json!([
        {
            "name": "productos", "entity": "producto", "actions": ["saved", "deleted"],
            "remove": { "keys": ["estadisticas_ventas", "electro:producto_{id}"] },
            "expire": { "tags": ["electro:categoria_{field.categoria}"] },
        },
        { "entity": "usuario", "actions": ["saved"], "changed": ["rol"],
          "expire": { "keys": ["electro:usuarios"] } },
        { "entity": "registro", "actions": ["rejected"], "warm": { "keys": ["migo:ruc_{id}"] } },
    ]))
    .expect("rules");
    Service::configured(config).await
}

async fn status(service: &Service, target: &str) -> u16 {
    service.get(target).await.status
}

#[tokio::test]
async fn keys_tags_and_services_go_and_others_stay() {
    let service = Service::start().await;
    for target in [
        "/v1/cache/migo/key",
        "/v1/cache/default/plain",
        "/v1/cache/migo/tagged?tags=a,b",
        "/v1/cache/other/any",
        "/v1/cache/migo/stays?tags=c",
    ] {
        assert_eq!(service.put(target, "1").await.status, 204);
    }
    let body = r#"{"keys":["migo:key","plain"],"tags":["migo:b"],"services":["other"]}"#;
    let answer = service.post(INVALIDATE, body).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "outcome": "done" })));
    for target in [
        "/v1/cache/migo/key",
        "/v1/cache/default/plain",
        "/v1/cache/migo/tagged",
        "/v1/cache/other/any",
    ] {
        assert_eq!(status(&service, target).await, 404, "{target}");
    }
    assert_eq!(status(&service, "/v1/cache/migo/stays").await, 200);
}

#[tokio::test]
async fn nothing_is_done_where_one_name_is_wrong() {
    let service = Service::start().await;
    service.put("/v1/cache/migo/key", "1").await;
    for body in [
        r#"{"keys":["migo:key",""]}"#,
        r#"{"keys":["migo:key","MIGO:a"]}"#,
        r#"{"keys":["migo:key"],"services":["a b"]}"#,
        r#"{"keys":["migo:key"],"tags":["migo:"]}"#,
    ] {
        service.post(INVALIDATE, body).await.problem(400, "invalid-key");
    }
    for body in [r#"{"key":"a"}"#, r#"{"mode":"drop"}"#, "[1]"] {
        service.post(INVALIDATE, body).await.problem(422, "invalid-request");
    }
    assert_eq!(status(&service, "/v1/cache/migo/key").await, 200);
}

#[tokio::test]
async fn event_does_what_the_rules_say() {
    let service = shop().await;
    for target in [
        "/v1/cache/default/estadisticas_ventas",
        "/v1/cache/electro/producto_7",
        "/v1/cache/electro/producto_8",
        "/v1/cache/electro/a?tags=categoria_old",
        "/v1/cache/electro/b?tags=categoria_new",
    ] {
        service.put(target, "1").await;
    }
    let event = r#"{"entity":"producto","action":"saved","key":7,
                    "fields":{"categoria":{"old":"old","new":"new"}}}"#;
    let answer = service.post(EVENTS, event).await;
    assert_eq!(
        answer.json()["effects"],
        json!([
            { "action": "remove", "key": "default:estadisticas_ventas", "outcome": "done" },
            { "action": "remove", "key": "electro:producto_7", "outcome": "done" },
            { "action": "expire", "tag": "electro:categoria_old", "outcome": "done" },
            { "action": "expire", "tag": "electro:categoria_new", "outcome": "done" },
        ])
    );
    for target in ["default/estadisticas_ventas", "electro/producto_7", "electro/a", "electro/b"] {
        assert_eq!(status(&service, &format!("/v1/cache/{target}")).await, 404, "{target}");
    }
    assert_eq!(status(&service, "/v1/cache/electro/producto_8").await, 200);
}

#[tokio::test]
async fn dry_run_explains_and_does_nothing() {
    let service = shop().await;
    service.put("/v1/cache/electro/usuarios", "1").await;
    let event = |old: &str| {
        format!(
            r#"[{{"entity":"usuario","action":"updated","key":"1",
                 "fields":{{"rol":{{"old":"{old}","new":"admin"}}}}}}]"#
        )
    };
    let dry = format!("{EVENTS}?dry_run=true");
    let answer = service.post(&dry, event("guest")).await.json();
    assert_eq!(answer["effects"], json!([{ "action": "expire", "key": "electro:usuarios" }]));
    let answer = service.post(&dry, event("admin")).await.json();
    assert_eq!(answer["effects"], json!([]));
    let skipped: &Value = &answer["steps"][0];
    assert_eq!(skipped["rule"], "usuario saved");
    assert_eq!(skipped["skipped"], "none of the watched fields changed");
    assert_eq!(status(&service, "/v1/cache/electro/usuarios").await, 200);
}

#[tokio::test]
async fn rules_of_the_domain_hold_without_configuration() {
    let service = Service::start().await;
    let ruc = format!("/v1/ruc/{SUNAT}");
    service.get(&ruc).await;
    let cached = format!("{ruc}?cached=only");
    assert_eq!(status(&service, &cached).await, 200);
    let event = format!(r#"{{"entity":"ruc","action":"rejected","key":"{SUNAT}"}}"#);
    let answer = service.post(EVENTS, event).await.json();
    assert_eq!(answer["effects"][0]["key"], format!("migo:ruc_{SUNAT}"));
    assert_eq!(status(&service, &cached).await, 404);
}

#[tokio::test]
async fn warming_a_number_asks_the_source() {
    let service = shop().await;
    let event = format!(r#"{{"entity":"registro","action":"rejected","key":"{SUNAT}"}}"#);
    let answer = service.post(EVENTS, event).await.json();
    assert_eq!(answer["effects"][0]["outcome"], "done");
    assert_eq!(status(&service, &format!("/v1/ruc/{SUNAT}?cached=only")).await, 200);
}

#[tokio::test]
async fn what_is_no_event_is_refused() {
    let service = Service::start().await;
    for body in [
        "1",
        "{}",
        r#"{"entity":"a","action":"b"}"#,
        r#"{"entity":"a","action":"b","key":[]}"#,
        r#"[{"entity":"a","action":"b","key":"1"}, 2]"#,
        r#"{"entity":"a","action":"b","key":"1","more":1}"#,
    ] {
        service.post(EVENTS, body).await.problem(422, "invalid-request");
    }
    let many = vec![json!({"entity": "a", "action": "b", "key": "1"}); 10_001];
    let answer = service.post(EVENTS, Value::from(many).to_string()).await;
    answer.problem(413, "batch-too-large");
    let answer = service.post("/v1/events?dry_run=yes", "{}").await;
    answer.problem(400, "invalid-parameter");
}
