//! The state of the service.

use serde_json::{Value, json};

use super::object;

/// The schemas of health, maintenance and the like.
pub(super) fn schemas() -> Value {
    let count = || json!({ "type": "integer", "minimum": 0 });
    json!({
        "Health": health(),
        "State": object(&["status"], json!({ "status": { "enum": ["alive", "ready"] } })),
        "Maintained": object(
            &["invalid_rucs", "expired"],
            json!({ "invalid_rucs": count(), "expired": count() }),
        ),
        "Overview": overview(),
        "Stats": stats(),
        "DailyStats": daily(),
        "Text": { "type": "string" },
    })
}

fn overview() -> Value {
    let mut overview = object(
        &[
            "timestamp",
            "version",
            "uptime",
            "status",
            "backend",
            "requests",
            "tiers",
            "latency",
            "loads",
            "stale",
            "nodes",
            "push",
            "outbox",
            "invalidations",
            "services",
        ],
        json!({}),
    );
    overview["description"] = "For the page at `/`; may change with any version.".into();
    overview
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
                &["connection", "basic_operations", "invalid_rucs"],
                json!({
                    "connection": text(),
                    "basic_operations": text(),
                    "invalid_rucs": text(),
                    "sources": text(),
                    "configuration": text(),
                }),
            ),
            "register": {
                "type": "string",
                "format": "date-time",
                "description": "When the register that is asked was published.",
            },
            "sources": { "type": "array", "items": source() },
        }),
    )
}

/// A metered source.
fn source() -> Value {
    let count = || json!({ "type": "integer", "minimum": 0 });
    let plan = || {
        object(
            &["used", "limit", "remaining"],
            json!({ "used": count(), "limit": count(), "remaining": count() }),
        )
    };
    object(
        &["name", "status", "circuit"],
        json!({
            "name": { "type": "string", "examples": ["migo"] },
            "status": { "enum": ["asked", "resting"] },
            "circuit": { "enum": ["closed", "open", "half_open"] },
            "cause": { "type": "string", "description": "Why it is left alone." },
            "retry_after": { "type": "integer", "minimum": 0, "description": "Seconds." },
            "minute": plan(),
            "month": plan(),
        }),
    )
}

fn stats() -> Value {
    let count = || json!({ "type": "integer", "minimum": 0 });
    let moment = || json!({ "type": "string", "format": "date-time" });
    let reads = object(&["hits", "misses"], json!({ "hits": count(), "misses": count() }));
    object(
        &["timestamp", "status", "backend", "hits", "misses", "hit_rate", "invalidations"],
        json!({
            "timestamp": moment(),
            "status": { "enum": ["healthy", "warning", "unhealthy"] },
            "backend": { "type": "string", "examples": ["local_memory", "redis", "memcached"] },
            "hits": count(),
            "misses": count(),
            "hit_rate": { "type": "number", "description": "Per cent." },
            "total_keys": { "type": ["integer", "null"] },
            "total_keys_approximate": { "type": "boolean" },
            "invalidations": count(),
            "last_updated": moment(),
            "service_breakdown": { "type": "object", "additionalProperties": reads },
            "invalid_rucs": {
                "type": ["object", "null"],
                "properties": {
                    "total_count": count(),
                    "breakdown_by_reason": { "type": "object", "additionalProperties": count() },
                },
            },
            "timeouts": { "type": "object", "additionalProperties": { "type": "string" } },
            "fleet": { "$ref": "#/components/schemas/DailyStats" },
        }),
    )
}

fn daily() -> Value {
    let count = || json!({ "type": "integer", "minimum": 0 });
    object(
        &["date", "hits", "misses", "hit_rate", "services"],
        json!({
            "date": { "type": "string", "format": "date" },
            "hits": count(),
            "misses": count(),
            "hit_rate": { "type": "number", "description": "Per cent." },
            "loads": count(),
            "load_failures": count(),
            "stores": count(),
            "invalidations": count(),
            "services": { "type": "object" },
        }),
    )
}
