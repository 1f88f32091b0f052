//! `/v1/warm` and `/v1/batches`.

use rucache::ruc::{Answer, Taxpayer};
use serde_json::{Value, json};

use super::service::{SUNAT, Service, Source, UNKNOWN};

const WARM: &str = "/v1/warm";

async fn is_cached(service: &Service, ruc: &str) -> bool {
    service.get(&format!("/v1/ruc/{ruc}?cached=only")).await.status == 200
}

#[tokio::test]
async fn numbers_that_are_listed_are_cached_afterwards() {
    let service = Service::start().await;
    let body = json!({ "rucs": [SUNAT, "20000000001"] }).to_string();
    let warmed = service.post(WARM, &body).await.json();
    assert_eq!((&warmed["seen"], &warmed["loaded"]), (&2.into(), &2.into()));
    assert_eq!((&warmed["done"], &warmed["stopped"]), (&true.into(), &Value::Null));
    assert!(is_cached(&service, SUNAT).await && is_cached(&service, "20000000001").await);
    let again = service.post(WARM, &body).await.json();
    assert_eq!((&again["already_cached"], &again["loaded"]), (&2.into(), &0.into()));
}

#[tokio::test]
async fn records_of_the_register_that_fit_are_stored() {
    let service = Service::start().await;
    let body = r#"{"register":{"prefix":"20131312955","estado":"ACTIVO"}}"#;
    let warmed = service.post(WARM, body).await.json();
    assert_eq!(warmed["stored"], 1, "{warmed}");
    assert!(is_cached(&service, SUNAT).await);
    let warmed = service.post(WARM, r#"{"register":{"prefix":"20"},"max":5}"#).await.json();
    let done =
        warmed["stored"].as_u64().unwrap_or(0) + warmed["already_cached"].as_u64().unwrap_or(0);
    assert!(warmed["stored"].as_u64().unwrap_or(0) <= 5 && done > 0, "{warmed}");
    assert_eq!(warmed["stopped"], "limit");
}

#[tokio::test]
async fn what_is_asked_for_most_comes_back_after_a_clear() {
    let service = Service::start().await;
    for _ in 0..5 {
        service.get(&format!("/v1/ruc/{SUNAT}")).await;
    }
    service.ask("DELETE", &format!("/v1/ruc/{SUNAT}")).await;
    assert!(!is_cached(&service, SUNAT).await);
    let warmed = service.post(WARM, r#"{"most_asked":10}"#).await.json();
    assert!(warmed["loaded"].as_u64() >= Some(1), "{warmed}");
    assert!(is_cached(&service, SUNAT).await);
}

#[tokio::test]
async fn steps_are_told_line_by_line() {
    let service = Service::start().await;
    let body = json!({ "rucs": [SUNAT] }).to_string();
    let answer = service.send("POST", WARM, "Accept: application/x-ndjson\r\n", body).await;
    let lines: Vec<Value> =
        answer.body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let last = lines.last().expect("a line");
    assert_eq!((&last["done"], &last["loaded"]), (&true.into(), &1.into()));
    assert!(lines[..lines.len() - 1].iter().all(|line| line["done"] == false));
}

#[tokio::test]
async fn warming_of_another_form_is_refused() {
    let service = Service::start().await;
    for body in [
        "{}",
        "[]",
        r#"{"rucs":[],"most_asked":1}"#,
        r#"{"rucs":[1]}"#,
        r#"{"register":{"name":"x"}}"#,
        r#"{"rucs":[],"rate":0}"#,
        r#"{"most_asked":-1}"#,
    ] {
        service.post(WARM, body).await.problem(422, "invalid-request");
    }
    service.post(WARM, r#"{"rucs":["20131312956"]}"#).await.problem(422, "not-a-ruc");
}

#[tokio::test]
async fn batch_leaves_a_record_under_its_name() {
    let source = Source::new(|ruc| match ruc.to_string().as_str() {
        UNKNOWN => Answer::NotFound,
        _ => Answer::found(Taxpayer::builder(ruc).build()),
    });
    let service = Service::with(source).await;
    let body = json!({ "rucs": [SUNAT, UNKNOWN, "x"] }).to_string();
    let answer = service.post("/v1/ruc:batch?id=enero-1", &body).await;
    assert_eq!(answer.header("batch-id"), Some("enero-1"));
    assert_eq!(answer.json()["batch_id"], "enero-1");
    let record = service.get("/v1/batches/enero-1").await.json();
    assert_eq!(
        (&record["status"], &record["total"], &record["done"]),
        (&"done".into(), &3.into(), &3.into())
    );
    let counts = json!({ "found": 1, "not_found": 1, "invalid": 1, "unavailable": 0 });
    assert_eq!(record["counts"], counts);
    service.get("/v1/batches/enero-1?service=other").await.problem(404, "no-such-batch");
    service.get("/v1/batches/none").await.problem(404, "no-such-batch");
    service.get("/v1/batches/a%20b").await.problem(400, "invalid-parameter");
    // The rest of a batch alone.
    let rest = service.post("/v1/ruc:batch?id=enero-1&from=2", &body).await.json();
    assert_eq!(rest["results"].as_array().map(Vec::len), Some(1));
    assert_eq!(rest["results"][0]["ruc"], "x");
    service.post("/v1/ruc:batch?from=x", &body).await.problem(400, "invalid-parameter");
}
