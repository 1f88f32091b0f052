//! Errors as clients get them: problem details (RFC 9457), one table of their types.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rucache::CacheError;
use rucache::core::{ErrorKind, InvalidKey};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

/// Media type of problem details.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong, by what a client can do about it. The names are public API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    NotARuc,
    RucNotFound,
    NotCovered,
    NotCached,
    NotMarked,
    NoSuchBatch,
    NoSuchRate,
    Superseded,
    Unavailable,
    BackendUnavailable,
    NotSupported,
    Unauthorized,
    InvalidRecord,
    InvalidKey,
    InvalidParameter,
    InvalidBody,
    InvalidRequest,
    InvalidBatch,
    BatchTooLarge,
    BodyTooLarge,
    ValueTooLarge,
    UnsupportedMediaType,
    UriTooLong,
    BodyTimeout,
    NoSuchRoute,
    MethodNotAllowed,
    Stopping,
    TimedOut,
    Internal,
}

/// One row of the table.
pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) status: StatusCode,
    pub(super) title: &'static str,
}

const fn spec(name: &'static str, status: StatusCode, title: &'static str) -> Spec {
    Spec { name, status, title }
}

impl Kind {
    /// Every kind, in the order of the documentation.
    pub(super) const ALL: [Self; 29] = [
        Self::NotARuc,
        Self::RucNotFound,
        Self::NotCovered,
        Self::NotCached,
        Self::NotMarked,
        Self::NoSuchBatch,
        Self::NoSuchRate,
        Self::Superseded,
        Self::Unavailable,
        Self::BackendUnavailable,
        Self::NotSupported,
        Self::Unauthorized,
        Self::InvalidRecord,
        Self::InvalidKey,
        Self::InvalidParameter,
        Self::InvalidBody,
        Self::InvalidRequest,
        Self::InvalidBatch,
        Self::BatchTooLarge,
        Self::BodyTooLarge,
        Self::ValueTooLarge,
        Self::UnsupportedMediaType,
        Self::UriTooLong,
        Self::BodyTimeout,
        Self::NoSuchRoute,
        Self::MethodNotAllowed,
        Self::Stopping,
        Self::TimedOut,
        Self::Internal,
    ];

    /// Its row.
    #[rustfmt::skip]
    pub(super) const fn spec(self) -> Spec {
        use StatusCode as S;
        match self {
            Self::NotARuc => spec("not-a-ruc", S::UNPROCESSABLE_ENTITY, "The text is not a RUC"),
            Self::RucNotFound => spec("ruc-not-found", S::NOT_FOUND, "The register has no such taxpayer"),
            Self::NotCovered => spec("not-covered", S::NOT_FOUND, "The configured source cannot know this number"),
            Self::NotCached => spec("not-cached", S::NOT_FOUND, "Nothing is cached under this name"),
            Self::NotMarked => spec("not-marked", S::NOT_FOUND, "Nobody has marked this number as invalid"),
            Self::NoSuchBatch => spec("no-such-batch", S::NOT_FOUND, "There is no record of this batch, or not any more"),
            Self::NoSuchRate => spec("no-such-rate", S::NOT_FOUND, "There is no exchange rate of this day"),
            Self::Superseded => spec("superseded", S::CONFLICT, "Something newer happened since the lease was given; nothing was stored"),
            Self::BackendUnavailable => spec("backend-unavailable", S::SERVICE_UNAVAILABLE, "The cache's backend does not answer"),
            Self::NotSupported => spec("not-supported", S::NOT_IMPLEMENTED, "The cache's backend cannot do this"),
            Self::Unauthorized => spec("unauthorized", S::UNAUTHORIZED, "The request shows no token, or a wrong one"),
            Self::Unavailable => spec("unavailable", S::SERVICE_UNAVAILABLE, "The source could not answer; nothing is known of the number"),
            Self::InvalidRecord => spec("invalid-record", S::UNPROCESSABLE_ENTITY, "The body is not a record of this taxpayer"),
            Self::InvalidKey => spec("invalid-key", S::BAD_REQUEST, "The service or the key breaks its form"),
            Self::InvalidParameter => spec("invalid-parameter", S::BAD_REQUEST, "A parameter is unknown, missing or malformed"),
            Self::InvalidBody => spec("invalid-body", S::BAD_REQUEST, "The body is not JSON"),
            Self::InvalidRequest => spec("invalid-request", S::UNPROCESSABLE_ENTITY, "The body is JSON and not what the route takes"),
            Self::InvalidBatch => spec("invalid-batch", S::UNPROCESSABLE_ENTITY, "The body is not a batch"),
            Self::BatchTooLarge => spec("batch-too-large", S::PAYLOAD_TOO_LARGE, "The request holds too many numbers, keys or events"),
            Self::BodyTooLarge => spec("body-too-large", S::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::ValueTooLarge => spec("value-too-large", S::PAYLOAD_TOO_LARGE, "The value is over the cache's limit"),
            Self::UnsupportedMediaType => spec("unsupported-media-type", S::UNSUPPORTED_MEDIA_TYPE, "The body must be sent as application/json"),
            Self::UriTooLong => spec("uri-too-long", S::URI_TOO_LONG, "Path and query are too long"),
            Self::BodyTimeout => spec("body-timeout", S::REQUEST_TIMEOUT, "The body did not come in time"),
            Self::NoSuchRoute => spec("no-such-route", S::NOT_FOUND, "There is no such route"),
            Self::MethodNotAllowed => spec("method-not-allowed", S::METHOD_NOT_ALLOWED, "The route does not take this method"),
            Self::Stopping => spec("stopping", S::SERVICE_UNAVAILABLE, "The service is stopping"),
            Self::TimedOut => spec("timed-out", S::SERVICE_UNAVAILABLE, "The request took too long"),
            Self::Internal => spec("internal", S::INTERNAL_SERVER_ERROR, "The service failed"),
        }
    }

    /// Its `type`: a URI reference that never changes.
    pub(super) fn uri(self) -> String {
        format!("/problems/{}", self.spec().name)
    }
}

/// An error on its way to the client.
#[derive(Debug)]
pub(super) struct Problem {
    kind: Kind,
    detail: String,
    members: Map<String, Value>,
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem of `kind`; `detail` says what is wrong here and what to do.
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), members: Map::new(), retry_after: None }
    }

    /// The query parameter `name`, and what is wrong with it.
    pub(super) fn parameter(name: &str, reason: impl std::fmt::Display) -> Self {
        Self::new(Kind::InvalidParameter, format!("parameter {name:?}: {reason}"))
            .with("parameter", name)
    }

    /// The same, with a member of its own type.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The same, worth trying again after `secs` seconds.
    pub(super) fn retry_after(mut self, secs: u64) -> Self {
        self.retry_after = Some(secs);
        self.with("retry_after", secs)
    }
}

impl From<InvalidKey> for Problem {
    fn from(error: InvalidKey) -> Self {
        Self::new(Kind::InvalidKey, error.to_string())
    }
}

impl From<CacheError> for Problem {
    fn from(error: CacheError) -> Self {
        match error {
            CacheError::Key(error) => error.into(),
            CacheError::TooLarge { .. } => Self::new(
                Kind::ValueTooLarge,
                format!("{error}; what was stored under this name before is gone, as outdated"),
            ),
            CacheError::Tags(error) => Self::parameter("tags", error),
            CacheError::Backend(error) => match error.kind() {
                ErrorKind::Unsupported => {
                    let detail = "this backend cannot do that; another one may, see the manual";
                    Self::new(Kind::NotSupported, detail)
                }
                ErrorKind::Invalid => Self::new(Kind::InvalidParameter, error.to_string()),
                _ => Self::new(Kind::BackendUnavailable, error.to_string()).retry_after(1),
            },
            // Nothing else comes from reading and writing; its text names no key.
            error => Self::new(Kind::Internal, error.to_string()),
        }
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Spec { status, title, .. } = self.kind.spec();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &self.kind.uri())?;
        map.serialize_entry("title", title)?;
        map.serialize_entry("status", &status.as_u16())?;
        map.serialize_entry("detail", &self.detail)?;
        for (name, value) in &self.members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // A map of texts and JSON values always has a JSON form.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.kind.spec().status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if self.kind == Kind::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(secs) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}
