//! The JSON that goes in and out, as schemas of the OpenAPI document.

mod cache;
mod parameter;
mod problem;
mod ruc;
mod state;

use serde_json::{Map, Value, json};

pub(super) use self::parameter::parameter;
use crate::config::Limits;

/// What a key is.
pub(super) const KEY: &str = "The key: any text, percent-encoded, that fits an address of 8 KiB.";

/// What a route's path calls `name`.
pub(super) fn path_parameter(name: &str) -> &'static str {
    match name {
        "ruc" => "Eleven digits that satisfy the rules of a RUC.",
        "service" => "A service: `[a-z0-9][a-z0-9._-]{0,31}`.",
        "key" => KEY,
        "number" => "A number, or whatever text was taken for one.",
        "date" => "A day in Lima, as in 2026-01-28.",
        "id" => "The name of a batch.",
        _ => "",
    }
}

/// A media type's entry that points to the schema `name`.
pub(super) fn reference(name: &str) -> Value {
    json!({ "schema": { "$ref": format!("#/components/schemas/{name}") } })
}

/// A time to live in a body.
fn ttl() -> Value {
    json!({ "type": ["integer", "string", "null"], "minimum": 1, "pattern": parameter::TTL,
            "description": "Seconds, or `15min`." })
}

/// The schemas by name.
pub(super) fn schemas(limits: &Limits) -> Value {
    let parts = [cache::schemas(limits), ruc::schemas(limits), state::schemas()];
    let mut all = Map::new();
    for part in parts {
        if let Value::Object(part) = part {
            all.extend(part);
        }
    }
    all.insert("Problem".to_owned(), problem::problem());
    all.into()
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

/// An object that has no other members.
fn closed(required: &[&str], properties: Value) -> Value {
    let mut object = object(required, properties);
    object["additionalProperties"] = false.into();
    object
}
