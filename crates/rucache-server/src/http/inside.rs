//! The service without a network: for commands that open the backend themselves.

use axum::body::Body;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Builder;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use super::access::Door;
use super::app::App;
use super::reply;
use super::router::router;

/// Longest answer that is read, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;

impl App {
    /// What the service answers to a request for `target`, a path with a query: status and body.
    pub(crate) async fn ask(
        &self,
        method: Method,
        target: &str,
        body: Option<String>,
    ) -> Result<(u16, String), axum::Error> {
        let request = Builder::new().method(method).uri(target);
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, reply::JSON).body(Body::from(body)),
            None => request.body(Body::empty()),
        };
        let service = TowerToHyperService::new(router(self, Door::Only));
        let response = match service.call(request.map_err(axum::Error::new)?).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), LONGEST).await?;
        Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
    }
}
