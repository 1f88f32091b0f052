//! Spans for whoever traces requests: look-ups that go beyond the local tier, and calls to a
//! backend. No key, no value, no text of an error. Disabled, a span costs the look at a flag.

use rucache_core::observer::CacheOperation;
use rucache_core::{Error, Operation};
use tracing::Span;
use tracing::field::Empty;

use crate::{CacheError, Found, Hit, LoadError, Outcome, ServedFrom};

/// A look-up of `keys` entries of `service` that the local tier does not answer alone.
pub(crate) fn look_up(operation: CacheOperation, service: &str, keys: usize) -> Span {
    tracing::debug_span!(
        target: "rucache::look_up",
        "look_up",
        operation = operation.as_str(),
        service,
        keys,
        outcome = Empty,
        tier = Empty,
        stale = Empty,
        coalesced = Empty,
    )
}

/// A call to the backend `name` about `keys` entries, as the OpenTelemetry conventions for database
/// clients name its parts; there is no text of a query.
pub(crate) fn backend_call(name: &str, operation: Operation, keys: usize) -> Span {
    let span = tracing::debug_span!(
        target: "rucache::backend",
        "backend_call",
        otel.kind = "client",
        otel.name = Empty,
        otel.status_code = Empty,
        db.system.name = name,
        db.operation.name = operation.as_str(),
        db.operation.batch.size = Empty,
        server.address = Empty,
        server.port = Empty,
        error.type = Empty,
    );
    if !span.is_disabled() {
        span.record("otel.name", format_args!("{} {name}", operation.as_str()));
        // By the conventions a batch has two at least.
        if keys > 1 {
            span.record("db.operation.batch.size", keys);
        }
    }
    span
}

/// Notes that a call failed.
pub(crate) fn failed(span: &Span, error: &Error) {
    span.record("otel.status_code", "ERROR").record("error.type", error.kind().as_str());
    let Some(node) = error.node() else { return };
    let parts = node.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    match parts {
        Some((host, port)) => {
            let port: u16 = port;
            span.record("server.address", host).record("server.port", port);
        }
        None => {
            span.record("server.address", node);
        }
    }
}

/// Notes how a look-up that may load ended.
pub(crate) fn loaded<T>(span: &Span, answer: &Result<Hit<T>, LoadError>) {
    match answer {
        Ok(hit) => answered(span, "hit", &hit.outcome),
        Err(LoadError::Negative(verdict)) => answered(span, "negative_hit", &verdict.outcome),
        Err(LoadError::Absent) => note(span, "miss"),
        Err(_) => note(span, "error"),
    }
}

/// Notes how a look-up without a load ended.
pub(crate) fn found<T>(span: &Span, found: &Result<Found<T>, CacheError>) {
    match found {
        Ok(Found::Value(hit)) => answered(span, "hit", &hit.outcome),
        Ok(Found::Negative(verdict)) => answered(span, "negative_hit", &verdict.outcome),
        Ok(Found::Nothing) => note(span, "miss"),
        Err(_) => note(span, "error"),
    }
}

/// What answered, where it is `hit` if the cache did.
fn answered(span: &Span, hit: &'static str, outcome: &Outcome) {
    span.record("coalesced", outcome.collapsed);
    match outcome.from {
        ServedFrom::Local => note(span.record("tier", "local"), hit),
        ServedFrom::Shared => note(span.record("tier", "shared"), hit),
        ServedFrom::Load => note(span.record("tier", "origin"), "miss"),
        ServedFrom::Stale(reason) => note(span.record("stale", reason.as_str()), "stale_hit"),
    }
}

fn note(span: &Span, outcome: &'static str) {
    span.record("outcome", outcome);
}
