//! `/v1/invalid-rucs`.

use serde_json::{Value, json};

use super::service::{SUNAT, Service};

const ALL: &str = "/v1/invalid-rucs";
/// The documents' own number, whose check digit is wrong.
const MARKED: &str = "/v1/invalid-rucs/20999999999";

async fn mark(service: &Service, number: &str, reason: &str) -> Value {
    let body = json!({ "reason": reason }).to_string();
    let answer = service.put(&format!("{ALL}/{number}"), body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn mark_is_counted_shown_and_taken_off() {
    let service = Service::start().await;
    let first = mark(&service, "20999999999", "NO_EXISTE_SUNAT").await;
    assert_eq!(first["ruc"], "20999999999");
    assert_eq!((&first["reason"], &first["attempts"]), (&"NO_EXISTE_SUNAT".into(), &1.into()));
    let second = mark(&service, "20999999999", "not_found").await;
    assert_eq!((&second["reason"], &second["attempts"]), (&"not_found".into(), &2.into()));
    assert_eq!(second["first_seen"], first["first_seen"]);
    let shown = service.get(MARKED).await.json();
    for name in ["ruc", "reason", "attempts", "first_seen", "timestamp"] {
        assert_eq!(shown[name], second[name]);
    }
    assert_eq!(service.ask("DELETE", MARKED).await.status, 204);
    service.get(MARKED).await.problem(404, "not-marked");
    assert_eq!(service.ask("DELETE", MARKED).await.status, 204);
}

#[tokio::test]
async fn life_of_a_mark_is_what_was_asked_for() {
    let service = Service::start().await;
    let answer = service.put(MARKED, r#"{"reason":"OTRO","ttl":86400}"#).await.json();
    let moment = |name: &str| -> jiff::Timestamp {
        answer[name].as_str().expect("a text").parse().expect("a moment")
    };
    let life = moment("expires_at").duration_since(moment("timestamp"));
    assert_eq!(life.as_secs(), 86_400);
}

#[tokio::test]
async fn all_are_listed_by_pages_counted_and_cleared() {
    let service = Service::start().await;
    for number in 0..25 {
        mark(&service, &format!("x{number}"), "FORMATO_INVALIDO").await;
    }
    let (mut seen, mut cursor) = (std::collections::BTreeSet::new(), String::new());
    loop {
        let page = service.get(&format!("{ALL}?limit=10{cursor}")).await.json();
        assert_eq!(page["total_count"], 25);
        for item in page["items"].as_array().expect("a list") {
            assert_eq!(item["reason"], "FORMATO_INVALIDO");
            seen.insert(item["ruc"].as_str().expect("a text").to_owned());
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 25);
    let answer = service.get(&format!("{ALL}?cursor=none")).await;
    assert_eq!(answer.problem(400, "invalid-parameter")["parameter"], "cursor");
    assert_eq!(service.ask("DELETE", ALL).await.json(), json!({ "removed": 25 }));
    let empty = json!({ "items": [], "total_count": 0, "next": null });
    assert_eq!(service.get(ALL).await.json(), empty);
}

#[tokio::test]
async fn look_up_of_a_marked_number_answers_with_the_mark() {
    let service = Service::start().await;
    service.get(&format!("/v1/ruc/{SUNAT}")).await;
    mark(&service, SUNAT, "NO_EXISTE_SUNAT").await;
    let problem = service.get(&format!("/v1/ruc/{SUNAT}")).await.problem(404, "ruc-not-found");
    assert_eq!((&problem["reason"], &problem["attempts"]), (&"NO_EXISTE_SUNAT".into(), &1.into()));
    // A record that is set goes before the mark.
    service.put(&format!("/v1/ruc/{SUNAT}"), "{}").await;
    service.get(&format!("{ALL}/{SUNAT}")).await.problem(404, "not-marked");
}

#[tokio::test]
async fn registries_of_services_are_apart_and_go_with_them() {
    let service = Service::start().await;
    let answer = service.put(&format!("{MARKED}?service=nubefact"), r#"{"reason":"OTRO"}"#).await;
    assert_eq!(answer.status, 200);
    service.get(MARKED).await.problem(404, "not-marked");
    assert_eq!(service.get(&format!("{MARKED}?service=nubefact")).await.status, 200);
    service.ask("DELETE", "/v1/cache/nubefact").await;
    let listed = service.get(&format!("{ALL}?service=nubefact")).await.json();
    assert_eq!(listed["total_count"], 0);
}

#[tokio::test]
async fn marks_of_another_form_are_refused() {
    let service = Service::start().await;
    for body in
        ["{}", "[]", r#"{"reason":1}"#, r#"{"reason":"A","ttl":0}"#, r#"{"reason":"A","x":1}"#]
    {
        service.put(MARKED, body).await.problem(422, "invalid-request");
    }
    service.put(&format!("{ALL}/%20"), r#"{"reason":"A"}"#).await.problem(400, "invalid-key");
    service.get(&format!("{MARKED}?include=all")).await.problem(400, "invalid-parameter");
    assert_eq!(service.get(&format!("{MARKED}?include=lapsed")).await.status, 404);
}

#[tokio::test]
async fn health_and_statistics_tell_how_many_there_are() {
    let service = Service::start().await;
    for (number, reason) in
        [("a", "NO_EXISTE_SUNAT"), ("b", "not_found"), ("c", "FORMATO_INVALIDO")]
    {
        mark(&service, number, reason).await;
    }
    let health = service.get("/health").await.json();
    assert_eq!(health["checks"]["invalid_rucs"], "✅ 3 RUCs");
    let stats = service.get("/v1/stats").await.json();
    assert_eq!(
        stats["invalid_rucs"],
        json!({
            "total_count": 3,
            "breakdown_by_reason": { "NO_EXISTE_SUNAT": 2, "FORMATO_INVALIDO": 1 },
        })
    );
}
