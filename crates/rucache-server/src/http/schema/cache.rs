//! Entries, many at once, and what makes them outdated.

use serde_json::{Value, json};

use super::{closed, object, ttl};
use crate::config::Limits;

/// The schemas of the cache's own routes.
pub(super) fn schemas(limits: &Limits) -> Value {
    let texts = || json!({ "type": "array", "items": { "type": "string" } });
    let name = || json!({ "type": "string", "minLength": 1 });
    let some = || json!({ "type": "array", "items": name(), "maxItems": limits.batch });
    let outcome = json!({ "enum": ["done", "deferred"] });
    let any = json!({ "type": "object", "additionalProperties": true });
    let text_or_null = || json!({ "type": ["string", "null"] });
    json!({
        "Value": { "description": "Any JSON." },
        "Keys": closed(&["keys"], json!({ "keys": some() })),
        "Values": object(&["values", "missing"], json!({ "values": any, "missing": texts() })),
        "NewValues": closed(
            &["values"],
            json!({
                "values": { "type": "object", "propertyNames": { "minLength": 1 } },
                "ttl": ttl(),
                "tags": { "type": "array", "items": name(), "maxItems": 16 },
            }),
        ),
        "Deleted": object(
            &["deleted", "outcome"],
            json!({ "deleted": { "type": "integer", "minimum": 0 }, "outcome": outcome }),
        ),
        "Names": object(
            &["service", "keys", "next"],
            json!({ "service": { "type": "string" }, "keys": texts(), "next": text_or_null() }),
        ),
        "Cleared": object(
            &["service", "cleared"],
            json!({ "service": text_or_null(), "cleared": { "type": ["integer", "null"] } }),
        ),
        "Outcome": object(&["outcome"], json!({ "outcome": outcome })),
        "Invalidation": closed(
            &[],
            json!({
                "keys": some(),
                "tags": some(),
                "services": some(),
                "mode": { "enum": ["remove", "expire"] },
            }),
        ),
        "Event": event(),
        "Events": { "oneOf": [
            { "$ref": "#/components/schemas/Event" },
            { "type": "array", "items": { "$ref": "#/components/schemas/Event" },
              "maxItems": limits.batch },
        ] },
        "Effect": effect(),
        "Effects": object(
            &["effects"],
            json!({
                "effects": { "type": "array", "items": { "$ref": "#/components/schemas/Effect" } },
                "steps": {
                    "type": "array",
                    "items": { "type": "object" },
                    "description": "In a dry run: what each rule and each of its targets gave.",
                },
            }),
        ),
    })
}

fn event() -> Value {
    let change = closed(&[], json!({ "old": {}, "new": {} }));
    closed(
        &["entity", "action", "key"],
        json!({
            "entity": { "type": "string", "examples": ["producto"] },
            "action": { "type": "string", "examples": ["created", "updated", "saved", "deleted"] },
            "key": { "type": ["string", "number"], "description": "Its primary key." },
            "fields": { "type": "object", "additionalProperties": change },
        }),
    )
}

fn effect() -> Value {
    object(
        &["action"],
        json!({
            "action": { "enum": ["remove", "expire", "refresh", "warm"] },
            "key": { "type": "string" },
            "tag": { "type": "string" },
            "service": { "type": "string" },
            "outcome": { "enum": ["done", "deferred", "failed"] },
            "detail": { "type": "string" },
        }),
    )
}
