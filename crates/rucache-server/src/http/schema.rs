//! The JSON that goes in and out, as schemas of the OpenAPI document.

use rucache::ruc::{Field, ReasonKind};
use serde_json::{Map, Value, json};

use super::limits;
use super::problem::Kind;

/// What a key is.
pub(super) const KEY: &str = "The key: any text, percent-encoded, that fits an address of 8 KiB.";

/// What a route's path calls `name`.
pub(super) fn path_parameter(name: &str) -> &'static str {
    match name {
        "ruc" => "Eleven digits that satisfy the rules of a RUC.",
        "service" => "Service that the key is in: `[a-z0-9][a-z0-9._-]{0,31}`.",
        "key" => KEY,
        _ => "",
    }
}

/// A media type's entry that points to the schema `name`.
pub(super) fn reference(name: &str) -> Value {
    json!({ "schema": { "$ref": format!("#/components/schemas/{name}") } })
}

/// The schemas by name.
pub(super) fn schemas() -> Value {
    json!({
        "Value": { "description": "Any JSON." },
        "Taxpayer": taxpayer(),
        "Batch": batch(),
        "BatchResults": batch_results(),
        "BatchResult": batch_result(),
        "Problem": problem(),
        "Health": health(),
        "State": object(&["status"], json!({ "status": { "enum": ["alive", "ready"] } })),
    })
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

fn taxpayer() -> Value {
    let fields = Field::ALL.iter().map(|field| field.name());
    let properties: Map<_, _> = std::iter::once("ruc")
        .chain(fields)
        .map(|name| (name.to_owned(), json!({ "type": "string" })))
        .collect();
    let mut taxpayer = object(&[], properties.into());
    taxpayer["description"] = "A taxpayer's record. What is not known is left out; fields that \
                               only one source has are kept."
        .into();
    taxpayer
}

fn batch() -> Value {
    let rucs = json!({
        "type": "array", "items": { "type": "string" }, "maxItems": limits::BATCH,
    });
    let mut batch = object(&["rucs"], json!({ "rucs": rucs }));
    batch["additionalProperties"] = false.into();
    batch
}

fn batch_results() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    let outcomes = ["found", "not_found", "invalid", "unavailable"];
    let counts: Map<_, _> =
        outcomes.iter().map(|name| ((*name).to_owned(), count.clone())).collect();
    let results = json!({
        "type": "array", "items": { "$ref": "#/components/schemas/BatchResult" },
    });
    object(
        &["counts", "results"],
        json!({ "counts": object(&outcomes, counts.into()), "results": results }),
    )
}

fn batch_result() -> Value {
    let mut result = object(
        &["ruc", "outcome"],
        json!({
            "ruc": { "type": "string", "description": "As it was sent." },
            "outcome": { "enum": ["found", "not_found", "invalid", "unavailable"] },
            "cache": { "enum": ["hit", "miss", "stale"], "description": "With `found`." },
            "record": { "$ref": "#/components/schemas/Taxpayer" },
        }),
    );
    result["description"] = "Any other outcome than `found` has the members of a problem.".into();
    result
}

fn problem() -> Value {
    let types: Vec<_> = Kind::ALL.iter().map(|kind| kind.uri()).collect();
    let reasons: Vec<_> = ReasonKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let text = || json!({ "type": "string" });
    let titles: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| {
            let spec = kind.spec();
            format!("- `{}` ({}): {}.", kind.uri(), spec.status.as_u16(), spec.title)
        })
        .collect();
    let mut problem = object(
        &["type", "title", "status", "detail"],
        json!({
            "type": { "enum": types },
            "title": text(),
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What is wrong here, and what to do." },
            "ruc": { "type": "string", "description": "The number that was asked for." },
            "rule": { "enum": ["length", "digits", "prefix", "check_digit"] },
            "expected": { "type": "integer", "description": "The check digit that would fit." },
            "reason": { "type": "string", "examples": reasons },
            "attempts": { "type": "integer", "minimum": 1 },
            "timestamp": { "type": "string", "format": "date-time" },
            "cause": text(),
            "source": text(),
            "parameter": text(),
            "limit": { "type": "integer" },
            "retry_after": { "type": "integer", "description": "Seconds; also a header." },
        }),
    );
    problem["description"] = format!("RFC 9457. Its types:\n\n{}", titles.join("\n")).into();
    problem
}

fn health() -> Value {
    let bytes = || json!({ "type": ["integer", "null"], "minimum": 0 });
    let text = || json!({ "type": "string" });
    object(
        &[
            "timestamp",
            "status",
            "backend",
            "connection",
            "avg_response_time",
            "uptime",
            "memory",
            "checks",
        ],
        json!({
            "timestamp": { "type": "string", "format": "date-time" },
            "status": { "enum": ["healthy", "warning", "unhealthy"] },
            "backend": { "type": "string", "examples": ["local_memory"] },
            "connection": text(),
            "avg_response_time": { "type": "number", "description": "Milliseconds." },
            "uptime": { "type": "integer", "description": "Seconds." },
            "memory": object(
                &["used_bytes", "capacity_bytes"],
                json!({ "used_bytes": bytes(), "capacity_bytes": bytes() }),
            ),
            "checks": object(
                &["connection", "basic_operations"],
                json!({ "connection": text(), "basic_operations": text() }),
            ),
        }),
    )
}
