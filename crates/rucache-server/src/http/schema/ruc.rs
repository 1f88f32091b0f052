//! Taxpayers.

use rucache::ruc::Field;
use serde_json::{Map, Value, json};

use super::object;
use crate::config::Limits;

/// The schemas of taxpayers and of what is asked of many.
pub(super) fn schemas(limits: &Limits) -> Value {
    json!({
        "Taxpayer": taxpayer(),
        "Batch": batch(limits),
        "BatchResults": batch_results(),
        "BatchResult": batch_result(),
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
