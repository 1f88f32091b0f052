//! `POST /v1/ruc:batch`.

use std::sync::atomic::Ordering;

use rucache::ruc::{Answer, Cause, Taxpayer, Unavailable};
use serde_json::{Value, json};

use super::client::Response;
use super::service::{SUNAT, Service, Source, UNKNOWN};

const TARGET: &str = "/v1/ruc:batch";
const NDJSON: &str = "Accept: application/x-ndjson\r\n";

/// Fails for natural persons, has no `UNKNOWN`, and finds everybody else.
fn source() -> Source {
    Source::new(|ruc| match ruc {
        ruc if ruc.is_personal() => Answer::Unavailable(Unavailable::new(Cause::Timeout)),
        ruc if ruc.to_string() == UNKNOWN => Answer::NotFound,
        ruc => Answer::found(Taxpayer::builder(ruc).build()),
    })
}

async fn batch(service: &Service, head: &str, rucs: &[&str]) -> Response {
    service.send("POST", TARGET, head, json!({ "rucs": rucs }).to_string()).await
}

fn column(results: &[Value], name: &str) -> Vec<Value> {
    results.iter().map(|result| result.get(name).cloned().unwrap_or_default()).collect()
}

const MIXED: [&str; 6] = [UNKNOWN, SUNAT, "20131312956", "10000000006", SUNAT, ""];

#[tokio::test]
async fn answers_stand_in_the_order_of_the_numbers_and_duplicates_are_answered() {
    let source = source();
    let asked = source.asked();
    let service = Service::with(source).await;
    let answer = batch(&service, "", &MIXED).await;
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    let counts = json!({ "found": 2, "not_found": 1, "invalid": 2, "unavailable": 1 });
    assert_eq!(answer["counts"], counts);
    let results = answer["results"].as_array().expect("a list");
    assert_eq!(column(results, "ruc"), MIXED);
    assert_eq!(
        column(results, "outcome"),
        ["not_found", "found", "invalid", "unavailable", "found", "invalid"]
    );
    let types = column(results, "type");
    assert_eq!(types[0], "/problems/ruc-not-found");
    assert_eq!(types[2], "/problems/not-a-ruc");
    assert_eq!(types[3], "/problems/unavailable");
    assert_eq!(results[0]["reason"], "NO_EXISTE_SUNAT");
    assert_eq!((&results[2]["rule"], &results[2]["expected"]), (&"check_digit".into(), &5.into()));
    assert_eq!(results[3]["cause"], "timeout");
    assert_eq!(
        results[1],
        json!({
            "ruc": SUNAT, "outcome": "found", "cache": "miss", "record": { "ruc": SUNAT },
            "source": "scripted",
        })
    );
    assert_eq!(asked.load(Ordering::Relaxed), 3, "the number that stands twice is asked for once");
}

#[tokio::test]
async fn what_was_looked_up_before_is_a_hit() {
    let service = Service::start().await;
    service.get(&format!("/v1/ruc/{SUNAT}")).await;
    let results = batch(&service, "", &[SUNAT, UNKNOWN]).await.json()["results"].take();
    assert_eq!(results[0]["cache"], "hit");
    assert_eq!(results[1]["type"], "/problems/not-covered");
    assert_eq!(results[1]["cause"], "not_covered");
    assert!(results[1].get("cache").is_none());
}

#[tokio::test]
async fn stream_has_one_result_a_line_in_order() {
    let service = Service::with(source()).await;
    let answer = batch(&service, NDJSON, &MIXED).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/x-ndjson")));
    let lines: Vec<Value> =
        answer.body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(column(&lines, "ruc"), MIXED);
    assert_eq!(lines[1]["record"], json!({ "ruc": SUNAT }));
    assert_eq!(lines[5]["outcome"], "invalid");
}

#[tokio::test]
async fn first_lines_come_before_the_last_are_known() {
    // More windows than are under way at once.
    let rucs: Vec<String> = (0..2_000)
        .map(|n| rucache::ruc::Ruc::from_first_ten(2_000_000_000 + n).expect("a RUC").to_string())
        .collect();
    let (source, gate) = source().gated();
    let service = Service::with(source).await;
    let body = json!({ "rucs": rucs }).to_string();
    let mut client = service.connect().await;
    client
        .send(format!(
            "POST {TARGET} HTTP/1.1\r\nHost: a\r\n{NDJSON}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
    gate.open();
    let first = client.first_chunk().await;
    let ruc = serde_json::from_str::<Value>(first.lines().next().expect("a line"));
    assert_eq!(ruc.expect("JSON")["ruc"], rucs[0]);
    assert!(first.lines().count() < rucs.len());
}

#[tokio::test]
async fn empty_batch_is_answered() {
    let service = Service::start().await;
    let answer = batch(&service, "", &[]).await.json();
    assert_eq!(answer["results"], json!([]));
    assert_eq!(answer["counts"]["found"], 0);
    assert_eq!(batch(&service, NDJSON, &[]).await.body, "");
}

#[tokio::test]
async fn full_batch_is_answered_and_one_more_is_refused() {
    let service = Service::start().await;
    let mut rucs = vec![SUNAT; 10_000];
    let answer = batch(&service, "", &rucs).await.json();
    assert_eq!(answer["counts"]["found"], 10_000);
    rucs.push(SUNAT);
    let problem = batch(&service, "", &rucs).await.problem(413, "batch-too-large");
    assert_eq!(problem["limit"], 10_000);
}

#[tokio::test]
async fn body_of_another_form_is_refused() {
    let service = Service::start().await;
    for body in [
        "{}",
        "[]",
        r#"{"rucs":"20131312955"}"#,
        r#"{"rucs":[20131312955]}"#,
        r#"{"rucs":[],"batch":1}"#,
        r#"{"rucs":[null]}"#,
    ] {
        service.send("POST", TARGET, "", body).await.problem(422, "invalid-batch");
    }
    service.send("POST", TARGET, "", "{\"rucs\":[").await.problem(400, "invalid-body");
}
