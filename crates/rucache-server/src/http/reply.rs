//! Responses: JSON bodies, and how the cache came by them (`Cache-Status` of RFC 9211, `Age`).

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use rucache::engine::{Outcome, ServedFrom, Written};
use serde::Serialize;

use super::problem::{Kind, Problem};
use super::route::{Answer, Answered};

/// Media type of ordinary answers.
pub(super) const JSON: &str = "application/json";

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// 200 with `value` as `media_type`.
pub(super) fn json<T: Serialize>(media_type: &'static str, value: &T) -> Answered {
    let body = serde_json::to_vec(value)
        .map_err(|_| Problem::new(Kind::Internal, "the answer cannot be written as JSON"))?;
    Ok(ok(media_type, body))
}

/// 200 with `body` as `media_type`.
pub(super) fn ok(media_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// 204.
pub(super) fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// What a change answers when it was carried out.
pub(super) const DEFERRED: Answer = Answer {
    status: 202,
    about: "Done here; the backend has not confirmed it, and will be told.",
    content: &[(JSON, "Outcome")],
};

/// 204 for a change that was carried out, 202 for one that the backend has not confirmed.
pub(super) fn written(written: Written) -> Answered {
    match written {
        Written::Done => Ok(no_content()),
        Written::Deferred => {
            let mut response = json(JSON, &Done { outcome: "deferred" })?;
            *response.status_mut() = StatusCode::ACCEPTED;
            Ok(response)
        }
    }
}

/// What became of a change.
#[derive(Serialize)]
struct Done {
    outcome: &'static str,
}

/// `done` or `deferred`.
pub(super) const fn outcome(written: Written) -> &'static str {
    match written {
        Written::Done => "done",
        Written::Deferred => "deferred",
    }
}

/// 200 with JSON that came as `outcome` says.
pub(super) fn cached(body: impl Into<Bytes>, outcome: &Outcome) -> Answered {
    let mut response = ok(JSON, body.into());
    let headers = response.headers_mut();
    headers.insert(header::AGE, HeaderValue::from(whole_secs(outcome.age)));
    let status = HeaderValue::try_from(cache_status(outcome))
        .map_err(|_| Problem::new(Kind::Internal, "the answer's headers cannot be written"))?;
    headers.insert(CACHE_STATUS, status);
    Ok(response)
}

/// The value of `Cache-Status`, without the key: it may be personal data.
fn cache_status(outcome: &Outcome) -> String {
    match outcome.from {
        // RFC 9211: a negative TTL is how long it has been stale, never zero.
        ServedFrom::Stale(reason) => {
            let stale_for = outcome.stale_for.as_millis().div_ceil(1000).max(1);
            format!("rucache; hit; ttl=-{stale_for}; detail=stale_{}", reason.as_str())
        }
        // RFC 9211 keeps `uri-miss` for caches that tell it from a miss by `Vary`.
        ServedFrom::Load => {
            let stored = if outcome.stored { "; stored" } else { "" };
            let collapsed = if outcome.collapsed { "; collapsed" } else { "" };
            format!("rucache; fwd=miss{stored}{collapsed}")
        }
        _ => format!("rucache; hit; ttl={}", whole_secs(outcome.ttl)),
    }
}

/// Whole seconds, rounded down as RFC 9111 asks of ages and lifetimes.
pub(super) fn whole_secs(span: Duration) -> u64 {
    u64::try_from(span.as_millis() / 1000).unwrap_or(u64::MAX)
}
