//! One HTTP exchange: what is asked, what comes back, and the client that does it.

mod base_url;
mod client;
mod connector;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hyper::Method;
use serde_json::Value;

pub(crate) use base_url::BaseUrl;
pub(crate) use client::Client;

use crate::fault::Fault;
use crate::secret::Secret;

/// Longest body taken, in bytes: a collection of 100 records has about 100 KB.
pub(crate) const MAX_BODY: usize = 4 * 1024 * 1024;

/// Something that carries a request to a source and its answer back.
///
/// An error is a fault of the way, never of the answer.
#[async_trait]
pub(crate) trait Transport: Send + Sync {
    async fn send(&self, request: Request) -> Result<Response, Fault>;
}

/// What is asked. `Debug` shows neither token, number nor body.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Path and query after the base URL, from the first `/`.
    pub(crate) path: String,
    /// The token for the header `Authorization`.
    pub(crate) bearer: Option<Secret>,
    /// A JSON body.
    pub(crate) body: Option<Bytes>,
}

impl Request {
    pub(crate) fn get(path: String, token: &Secret) -> Self {
        Self { method: Method::GET, path, bearer: Some(token.clone()), body: None }
    }

    pub(crate) fn post(path: &str, body: &Value) -> Self {
        let body = Some(body.to_string().into());
        Self { method: Method::POST, path: path.to_owned(), bearer: None, body }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

/// What came back. `Debug` shows no body: it may be personal data, or repeat the token.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// How long the source asks to be left alone.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
}

impl Response {
    /// Whether the body is a page for people.
    pub(crate) fn is_html(&self) -> bool {
        self.body.trim_ascii_start().starts_with(b"<")
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("retry_after", &self.retry_after)
            .field("body", &format_args!("[{} bytes]", self.body.len()))
            .finish()
    }
}
