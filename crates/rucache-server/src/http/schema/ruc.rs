//! Taxpayers.

use rucache::ruc::{Field, ReasonKind};
use serde_json::{Map, Value, json};

use super::{closed, object, ttl};
use crate::config::Limits;

/// The schemas of taxpayers and of what is asked of many.
pub(super) fn schemas(limits: &Limits) -> Value {
    json!({
        "Taxpayer": taxpayer(),
        "Batch": batch(limits),
        "BatchResults": batch_results(),
        "BatchResult": batch_result(),
        "BatchAnswer": { "oneOf": [
            { "$ref": "#/components/schemas/BatchResults" },
            { "$ref": "#/components/schemas/BatchQuote" },
        ] },
        "BatchQuote": batch_quote(),
        "BatchRecord": batch_record(),
        "Mark": closed(
            &["reason"],
            json!({
                "reason": { "type": "string", "examples": reasons() },
                "ttl": ttl(),
            }),
        ),
        "InvalidRecord": invalid_record(),
        "InvalidRecords": object(
            &["items", "total_count", "next"],
            json!({
                "items": { "type": "array",
                           "items": { "$ref": "#/components/schemas/InvalidRecord" } },
                "total_count": { "type": "integer", "minimum": 0 },
                "next": { "type": ["string", "null"] },
            }),
        ),
        "Removed": object(&["removed"], json!({ "removed": { "type": "integer", "minimum": 0 } })),
        "ExchangeRate": rate(&["fecha", "moneda", "compra", "venta"]),
        "NewRate": rate(&["compra", "venta"]),
        "Warm": warm(limits),
        "Warmed": warmed(),
    })
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

fn batch(limits: &Limits) -> Value {
    let rucs = json!({
        "type": "array", "items": { "type": "string" }, "maxItems": limits.batch,
    });
    let mut batch = object(&["rucs"], json!({ "rucs": rucs }));
    batch["additionalProperties"] = false.into();
    batch
}

fn batch_results() -> Value {
    let results = json!({
        "type": "array", "items": { "$ref": "#/components/schemas/BatchResult" },
    });
    object(
        &["batch_id", "counts", "results"],
        json!({
            "batch_id": { "type": "string" },
            "counts": counts(&OUTCOMES),
            "results": results,
        }),
    )
}

const OUTCOMES: [&str; 4] = ["found", "not_found", "invalid", "unavailable"];

/// An object of counts.
fn counts(names: &[&str]) -> Value {
    let count = || json!({ "type": "integer", "minimum": 0 });
    let properties: Map<_, _> = names.iter().map(|name| ((*name).to_owned(), count())).collect();
    object(names, properties.into())
}

fn batch_result() -> Value {
    let mut result = object(
        &["ruc", "outcome"],
        json!({
            "ruc": { "type": "string", "description": "As it was sent." },
            "outcome": { "enum": OUTCOMES },
            "cache": { "enum": ["hit", "miss", "stale"], "description": "How the cache answered." },
            "record": { "$ref": "#/components/schemas/Taxpayer" },
            "source": {
                "type": "string",
                "description": "Who gave the record, or does not hold it.",
            },
        }),
    );
    result["description"] = "Any other outcome than `found` has the members of a problem.".into();
    result
}

/// What a dry run answers.
fn batch_quote() -> Value {
    let count = || json!({ "type": "integer", "minimum": 0 });
    let mut source = object(
        &["source", "numbers", "calls"],
        json!({ "source": { "type": "string" }, "numbers": count(), "calls": count() }),
    );
    source["properties"]["month_remaining"] = json!({
        "type": "integer",
        "minimum": 0,
        "description": "Calls left of this month's budget, where there is one.",
    });
    let mut quote = counts(&["total", "invalid", "cached", "calls"]);
    quote["properties"]["sources"] = json!({ "type": "array", "items": source });
    quote["required"] = json!(["total", "invalid", "cached", "calls", "sources"]);
    quote
}

fn batch_record() -> Value {
    let count = || json!({ "type": "integer", "minimum": 0 });
    let moment = || json!({ "type": "string", "format": "date-time" });
    object(
        &["batch_id", "service", "status", "total", "done", "counts"],
        json!({
            "batch_id": { "type": "string" },
            "service": { "type": "string" },
            "status": { "enum": ["running", "done", "interrupted"] },
            "total": count(),
            "done": count(),
            "skipped": count(),
            "counts": counts(&OUTCOMES),
            "cache": counts(&["hit", "stale", "miss"]),
            "runs": count(),
            "input": { "type": "string", "description": "A hash of the numbers." },
            "started_at": moment(),
            "updated_at": moment(),
        }),
    )
}

fn reasons() -> Vec<&'static str> {
    ReasonKind::ALL.iter().map(|kind| kind.as_str()).collect()
}

fn invalid_record() -> Value {
    let moment = || json!({ "type": "string", "format": "date-time" });
    object(
        &["ruc", "reason", "timestamp", "first_seen", "attempts", "expires_at"],
        json!({
            "ruc": { "type": "string" },
            "reason": { "type": "string", "examples": reasons() },
            "timestamp": moment(),
            "first_seen": moment(),
            "attempts": { "type": "integer", "minimum": 1 },
            "expires_at": moment(),
            "lapsed": { "type": "boolean", "description": "Only where it no longer holds." },
        }),
    )
}

fn rate(required: &[&str]) -> Value {
    let decimal = || {
        json!({ "type": "string", "pattern": "^[0-9]{1,12}(\\.[0-9]{1,6})?$",
                "examples": ["3.745"] })
    };
    closed(
        required,
        json!({
            "fecha": { "type": "string", "format": "date" },
            "moneda": { "enum": ["USD", "EUR"] },
            "compra": decimal(),
            "venta": decimal(),
        }),
    )
}

fn warm(limits: &Limits) -> Value {
    let text = || json!({ "type": "string" });
    let filter = closed(
        &[],
        json!({ "prefix": text(), "estado": text(), "condicion": text(), "ubigeo": text() }),
    );
    let mut warm = closed(
        &[],
        json!({
            "rucs": { "type": "array", "items": text(), "maxItems": limits.batch },
            "most_asked": { "type": "integer", "minimum": 0 },
            "register": filter,
            "rate": { "type": "integer", "minimum": 1, "description": "Numbers a second." },
            "max": { "type": "integer", "minimum": 0, "description": "Numbers in all." },
        }),
    );
    warm["oneOf"] = ["rucs", "most_asked", "register"]
        .iter()
        .map(|source| json!({ "required": [source] }))
        .collect();
    warm
}

fn warmed() -> Value {
    let mut warmed =
        counts(&["seen", "already_cached", "loaded", "stored", "not_found", "unavailable"]);
    warmed["properties"]["stopped"] = json!({
        "enum": ["full", "limit", null],
        "description": "Why it ended before its source did.",
    });
    warmed["properties"]["done"] = json!({ "type": "boolean" });
    warmed
}
