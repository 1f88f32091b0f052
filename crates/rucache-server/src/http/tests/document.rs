//! `/openapi.json` and the routes: each says what the other does.

use std::collections::BTreeSet;

use serde_json::Value;

use super::contract::Contract;
use super::service::Service;
use crate::http::openapi::path_parameters;
use crate::http::problem::Kind;
use crate::http::route;

const METHODS: [&str; 6] = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"];

/// A request that fits `path`.
fn target(path: &str) -> String {
    path.replace("{ruc}", "20131312955")
        .replace("{service}", "migo")
        .replace("{key}", "a")
        .replace("{number}", "x")
        .replace("{date}", "2026-01-28")
        .replace("{id}", "a")
}

async fn document(service: &Service) -> Value {
    let answer = service.get("/openapi.json").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    answer.json()
}

#[tokio::test]
async fn every_path_takes_exactly_the_methods_that_are_described() {
    let service = Service::start().await;
    let document = document(&service).await;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let described: BTreeSet<String> =
            item.as_object().expect("an item").keys().map(|verb| verb.to_uppercase()).collect();
        for method in METHODS {
            let answer = service.ask(method, &target(path)).await;
            if described.contains(method) {
                assert!(![405, 500].contains(&answer.status), "{method} {path}: {answer:?}");
                let kind =
                    answer.header("content-type").filter(|kind| kind.ends_with("problem+json"));
                let unknown = kind.is_some() && answer.json()["type"] == "/problems/no-such-route";
                assert!(!unknown, "{method} {path}");
            } else {
                answer.problem(405, "method-not-allowed");
                let allowed = answer.header("allow").expect("the methods it takes").split(',');
                let allowed: BTreeSet<String> = allowed
                    .map(str::trim)
                    .filter(|verb| *verb != "HEAD" && !verb.is_empty())
                    .map(str::to_owned)
                    .collect();
                assert_eq!(allowed, described, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn every_route_is_described() {
    let document = document(&Service::start().await).await;
    let mut operations = 0;
    for route in route::routes() {
        let operation = &document["paths"][route.path][route.verb.as_str()];
        assert!(operation["summary"].is_string(), "{}", route.path);
        let parameters = operation["parameters"].as_array().expect("parameters");
        let in_path = path_parameters(route.path).count();
        assert_eq!(parameters.len(), in_path + route.query.len(), "{}", route.path);
        assert!(parameters.iter().all(|parameter| parameter["description"] != ""));
        operations += 1;
    }
    let items = document["paths"].as_object().expect("paths").values();
    let described: usize = items.map(|item| item.as_object().expect("an item").len()).sum();
    assert_eq!(described, operations);
}

#[tokio::test]
async fn described_parameters_are_known_and_others_are_named() {
    let service = Service::start().await;
    let document = document(&service).await;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (verb, operation) in item.as_object().expect("an item") {
            let method = verb.to_uppercase();
            for parameter in operation["parameters"].as_array().expect("parameters") {
                if parameter["in"] != "query" {
                    continue;
                }
                let name = parameter["name"].as_str().expect("a name");
                let answer = service.ask(&method, &format!("{}?{name}=%00", target(path))).await;
                let detail = answer.json()["detail"].to_string();
                assert!(!detail.contains("the route"), "{method} {path} {name}: {detail}");
            }
            let answer = service.ask(&method, &format!("{}?no_such=1", target(path))).await;
            let problem = answer.problem(400, "invalid-parameter");
            assert_eq!(problem["parameter"], "no_such");
        }
    }
}

#[tokio::test]
async fn document_is_an_openapi_document_and_its_schemas_are_schemas() {
    Contract::of(&Service::start().await).await.is_valid();
}

#[tokio::test]
async fn every_reference_leads_to_a_schema() {
    let document = document(&Service::start().await).await;
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let text = document.to_string();
    let mut references = 0;
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().expect("a name");
        assert!(schemas.contains_key(name), "{name}");
        references += 1;
    }
    assert!(references > 20, "{references}");
    for name in schemas.keys() {
        assert!(text.contains(&format!("#/components/schemas/{name}\"")), "{name} is not used");
    }
}

#[test]
fn every_type_of_problem_has_a_name_of_its_own() {
    let names: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.uri()).collect();
    assert_eq!(names.len(), Kind::ALL.len());
    for kind in Kind::ALL {
        let status = kind.spec().status;
        assert!(status.is_client_error() || status.is_server_error(), "{}", kind.uri());
    }
}
