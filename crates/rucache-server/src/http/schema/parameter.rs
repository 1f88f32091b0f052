//! The forms of parameters, in paths and queries, by their names.

use serde_json::{Value, json};

use crate::http::limits;

/// A service.
pub(super) const SERVICE: &str = "^[a-z0-9][a-z0-9._-]{0,31}$";

/// A time to live: seconds, or a number with its unit, as far as most people write them.
pub(super) const TTL: &str = "^([1-9][0-9]{0,8}(ms|s)?|[1-9][0-9]{0,6}min|[1-9][0-9]{0,3}(h|d))$";

/// The name of a batch.
const BATCH: &str = "^[A-Za-z0-9._-]{1,64}$";

/// Eleven digits with a prefix of the register; the last one must fit the others besides.
const RUC: &str = "^(10|15|16|17|20)[0-9]{9}$";

const SINCE_1970: &str = "^(19[7-9]|[2-9][0-9][0-9])[0-9]-";

/// The schema of the parameter `name` of a path or a query.
pub(in crate::http) fn parameter(name: &str) -> Value {
    let word = |word: &str| json!({ "enum": [word] });
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    match name {
        "service" => text(SERVICE),
        "ruc" => text(RUC),
        "id" => text(BATCH),
        "ttl" => text(TTL),
        "date" => json!({ "type": "string", "format": "date", "pattern": SINCE_1970 }),
        "key" | "number" | "cursor" => json!({ "type": "string", "minLength": 1 }),
        "limit" => json!({ "type": "integer", "minimum": 1, "maximum": limits::PAGE,
                           "default": limits::PAGE_DEFAULT }),
        "from" => json!({ "type": "integer", "minimum": 0 }),
        "wait" => json!({ "type": "integer", "minimum": 0, "maximum": 25_000, "default": 5_000 }),
        "currency" => json!({ "enum": ["USD", "EUR"], "default": "USD" }),
        "cached" => word("only"),
        "confirm" => word("all"),
        "dry_run" => word("true"),
        "include" => word("lapsed"),
        "probe" => word("now"),
        "scope" => word("fleet"),
        _ => json!({ "type": "string" }),
    }
}
