//! A thousand requests made from the OpenAPI document, most of them wrong in some way: every one has
//! an answer, as the document says it may be; none is an internal error, and nothing of the inside is
//! told.

use std::collections::BTreeMap;

use rucache::core::{Runtime, TestRuntime};
use serde_json::{Value, json};

use super::contract::Contract;
use super::service::Service;

const REQUESTS: usize = 1_000;

/// What an answer does not hold: paths, panics, names of types.
const INSIDE: [&str; 11] = [
    "panicked",
    "/src/",
    "::",
    "RUST_BACKTRACE",
    "unwrap",
    "struct ",
    "enum ",
    "variant",
    "usize",
    "u64",
    "u32",
];

/// Texts that have broken programs.
const TEXTS: [&str; 22] = [
    "",
    "0",
    "-1",
    "1e309",
    "99999999999999999999",
    "18446744073709551615",
    "null",
    "true",
    "%00",
    "%ff",
    "%",
    "%2e%2e",
    "a%2Fb",
    "a%0d%0ab",
    "%C3%B1%F0%9F%92%A9",
    "'; DROP TABLE ruc",
    "{}",
    "20131312955",
    "2026-13-45",
    "::",
    "migo:ruc_1",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// A request, and what of the document it is made from.
struct Request {
    path: String,
    verb: String,
    text: String,
}

/// Chance that comes out the same in every run.
struct Dice(TestRuntime);

impl Dice {
    fn below(&self, limit: usize) -> usize {
        usize::try_from(self.0.random() >> 33).unwrap_or(0) % limit.max(1)
    }

    fn one<'a, T>(&self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn text(&self) -> &'static str {
        TEXTS[self.below(TEXTS.len())]
    }

    /// A value that fits `schema`, or, one time in three, one that does not.
    fn value(&self, document: &Value, schema: &Value, depth: usize) -> Value {
        if self.below(3) == 0 || depth > 6 {
            return self.any(3);
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let schema =
                &document["components"]["schemas"][reference.rsplit('/').next().unwrap_or("")];
            return self.value(document, schema, depth + 1);
        }
        for choice in ["oneOf", "anyOf"] {
            let choices = schema[choice].as_array().filter(|all| all[0]["required"].is_null());
            if let Some(choices) = choices {
                return self.value(document, self.one(choices), depth + 1);
            }
        }
        if let Some(values) = schema["enum"].as_array() {
            return self.one(values).clone();
        }
        let types = match &schema["type"] {
            Value::Array(types) => self.one(types).as_str().unwrap_or("null").to_owned(),
            Value::String(one) => one.clone(),
            _ => return self.any(2),
        };
        match types.as_str() {
            "object" => {
                let properties = schema["properties"].as_object().cloned().unwrap_or_default();
                let kept = properties.iter().filter(|_| self.below(4) > 0);
                let value = |(name, schema): (&String, &Value)| {
                    (name.clone(), self.value(document, schema, depth + 1))
                };
                let mut object: serde_json::Map<_, _> = kept.map(value).collect();
                if self.below(5) == 0 {
                    object.insert(self.text().to_owned(), self.any(2));
                }
                object.into()
            }
            "array" => (0..self.below(4))
                .map(|_| self.value(document, &schema["items"], depth + 1))
                .collect(),
            "string" => Value::from(self.text()),
            "integer" | "number" => self
                .one(&[json!(0), json!(-1), json!(1), json!(1.5), json!(u64::MAX), json!(1e300)])
                .clone(),
            "boolean" => (self.below(2) == 0).into(),
            _ => Value::Null,
        }
    }

    /// Any JSON.
    fn any(&self, depth: usize) -> Value {
        match self.below(if depth == 0 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => json!(true),
            2 => self.one(&[json!(0), json!(-7), json!(1e300), json!(u64::MAX)]).clone(),
            3 => json!(""),
            4 => Value::from(self.text()),
            5 => (0..self.below(4)).map(|_| self.any(depth - 1)).collect(),
            _ => json!({ self.text(): self.any(depth - 1) }),
        }
    }

    fn request(&self, document: &Value) -> Request {
        let paths: Vec<_> = document["paths"].as_object().into_iter().flatten().collect();
        let (path, item) = *self.one(&paths);
        let operations: Vec<_> = item.as_object().into_iter().flatten().collect();
        let (verb, operation) = *self.one(&operations);
        let mut target = path.clone();
        for name in crate::http::openapi::path_parameters(path) {
            let value = match (self.below(3), name) {
                (0, "service") => "migo",
                (0, "ruc") => "20131312955",
                (0, "date") => "2026-01-28",
                _ => self.text(),
            };
            target = target.replace(&format!("{{{name}}}"), &sendable(value));
        }
        let mut mark = '?';
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "query" && self.below(3) > 0 {
                let name = parameter["name"].as_str().unwrap_or_default();
                target.push_str(&format!("{mark}{name}={}", sendable(self.text())));
                mark = '&';
            }
        }
        if self.below(20) == 0 {
            target.push_str(&format!("{mark}no_such={}", sendable(self.text())));
        }
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let body = match (schema.is_null(), self.below(12)) {
            (true, 1..) => String::new(),
            (_, 0) => self.text().to_owned(),
            _ => self.value(document, schema, 0).to_string(),
        };
        let kinds = ["application/json", "application/json", "application/json", "text/plain"];
        let accepts = ["*/*", "application/x-ndjson", "application/health+json", "text/html;q=x"];
        let text = format!(
            "{} {target} HTTP/1.1\r\nHost: a\r\nContent-Type: {}\r\nAccept: {}\r\nContent-Length: {}\r\n\r\n{body}",
            verb.to_uppercase(),
            self.one(&kinds),
            self.one(&accepts),
            body.len(),
        );
        Request { path: path.clone(), verb: verb.clone(), text }
    }
}

/// A text as it may stand in a request's first line, right or wrong.
fn sendable(text: &str) -> String {
    text.replace(' ', "%20").replace(['{', '}'], "%7B").replace('\'', "%27")
}

#[tokio::test]
async fn malformed_requests_are_answered_and_tell_nothing_of_the_inside() {
    let service = Service::start().await;
    let contract = Contract::of(&service).await;
    let dice = Dice(TestRuntime::new(20_131_312_955));
    let mut statuses = BTreeMap::<u16, usize>::new();
    for round in 0..REQUESTS {
        let Request { path, verb, text } = dice.request(&contract.document);
        let answer = service.raw(&text).await;
        *statuses.entry(answer.status).or_default() += 1;
        let told = format!("{round}: {text}\n{answer:?}");
        assert!(answer.status < 500 || [501, 503].contains(&answer.status), "{told}");
        for inside in INSIDE {
            let leaks = answer.body.contains(inside) && !text.contains(inside);
            let is_text = ["/openapi.json", "/metrics", "/"].contains(&&*path);
            assert!(!leaks || is_text, "{told}");
        }
        // A path may have become that of another route, or of none, or what is no HTTP.
        let elsewhere = ["no-such-route", "method-not-allowed"];
        let is_elsewhere = elsewhere.iter().any(|kind| answer.body.contains(kind));
        let is_http = answer.status != 400 || !answer.body.is_empty();
        if is_http && !is_elsewhere {
            let breach = contract.breach(&path, &verb, &answer);
            assert!(breach.is_none(), "{}\n{told}", breach.unwrap_or_default());
        }
    }
    // Neither all refused at the door, nor all let through.
    for status in [200, 204, 400, 404, 415, 422] {
        assert!(statuses.get(&status).is_some_and(|count| *count >= 5), "{statuses:?}");
    }
    assert_eq!(service.get("/v1/ruc/20131312955").await.status, 200);
}
