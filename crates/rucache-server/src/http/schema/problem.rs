//! Errors.

use rucache::ruc::ReasonKind;
use serde_json::{Value, json};

use super::object;
use crate::http::problem::Kind;

/// A problem document and its types.
pub(super) fn problem() -> Value {
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
            "lease": { "type": "string", "description": "The right to load the value." },
            "parameter": text(),
            "limit": { "type": "integer" },
            "retry_after": { "type": "integer", "description": "Seconds; also a header." },
        }),
    );
    problem["description"] = format!("RFC 9457. Its types:\n\n{}", titles.join("\n")).into();
    problem
}
