//! The service without a network: for commands that open the backend themselves.

use axum::body::{Body, BodyDataStream};
use axum::http::Method;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::request::Builder;
use bytes::BytesMut;
use futures_util::StreamExt;

use super::access::Door;
use super::app::App;
use super::batch::NDJSON;
use super::reply;
use super::router::Router;

impl App {
    /// What the service answers to a request for `target`, a path with a query: status and body.
    pub(crate) async fn ask(
        &self,
        method: Method,
        target: &str,
        body: Option<String>,
    ) -> Result<(u16, String), axum::Error> {
        let request = Builder::new().method(method).uri(target);
        let (status, mut lines) = self.send(request, body).await?;
        Ok((status, lines.rest().await?))
    }

    /// What it answers to a POST of `body` where lines are accepted: status and lines.
    pub(crate) async fn stream(
        &self,
        target: &str,
        body: String,
    ) -> Result<(u16, Lines), axum::Error> {
        let request = Builder::new().method(Method::POST).uri(target).header(ACCEPT, NDJSON);
        self.send(request, Some(body)).await
    }

    async fn send(
        &self,
        request: Builder,
        body: Option<String>,
    ) -> Result<(u16, Lines), axum::Error> {
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, reply::JSON).body(Body::from(body)),
            None => request.body(Body::empty()),
        };
        let request = request.map_err(axum::Error::new)?;
        let response = Router::new(self, Door::Only).answer(request).await;
        let status = response.status().as_u16();
        let chunks = response.into_body().into_data_stream();
        Ok((status, Lines { chunks, read: BytesMut::new() }))
    }
}

/// A body, line by line.
pub(crate) struct Lines {
    chunks: BodyDataStream,
    read: BytesMut,
}

impl Lines {
    /// The next line without its end; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<String>, axum::Error> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line = self.read.split_to(end + 1);
                return Ok(Some(String::from_utf8_lossy(&line[..end]).into_owned()));
            }
            match self.chunks.next().await {
                Some(chunk) => self.read.extend_from_slice(&chunk?),
                None if self.read.is_empty() => return Ok(None),
                None => self.read.extend_from_slice(b"\n"),
            }
        }
    }

    /// All that is left.
    pub(crate) async fn rest(&mut self) -> Result<String, axum::Error> {
        while let Some(chunk) = self.chunks.next().await {
            self.read.extend_from_slice(&chunk?);
        }
        Ok(String::from_utf8_lossy(&self.read).into_owned())
    }
}
