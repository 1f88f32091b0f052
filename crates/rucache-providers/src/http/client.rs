//! The HTTP client: kept-alive connections, no redirects, bounded bodies.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::rt::TokioTimer;
use rucache_core::{Runtime, Timestamp};

use super::connector::{Connector, trust};
use super::{BaseUrl, MAX_BODY, Request, Response, Transport};
use crate::config::SourceConfig;
use crate::error::ConfigError;
use crate::fault::Fault;

/// How long a connection may stay unused.
const IDLE: Duration = Duration::from_secs(30);
/// Longest time that `Retry-After` is taken for, whatever it says.
const MOST_PATIENCE: Duration = Duration::from_secs(86_400);
const AGENT: HeaderValue = HeaderValue::from_static(concat!("rucache/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A client of one source. Redirects are not followed: they would take the token elsewhere.
pub(crate) struct Client {
    base: BaseUrl,
    pool: Pool<Connector, Full<Bytes>>,
    runtime: Arc<dyn Runtime>,
}

impl Client {
    pub(crate) fn new(
        config: &SourceConfig,
        runtime: Arc<dyn Runtime>,
    ) -> Result<Self, ConfigError> {
        let base = BaseUrl::parse(config.base_url(), config.name())?;
        let tls = match base.is_encrypted() {
            true => Some(trust(config.name(), config.ca.as_deref())?),
            false => None,
        };
        let connector =
            Connector { tls, timeout: config.connect_timeout, runtime: runtime.clone() };
        let pool = Pool::builder(Tasks(runtime.clone()))
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(config.connections)
            .build(connector);
        Ok(Self { base, pool, runtime })
    }

    fn prepare(&self, request: Request) -> Option<hyper::Request<Full<Bytes>>> {
        let mut built = hyper::Request::builder()
            .method(request.method)
            .uri(self.base.join(&request.path).ok()?)
            .header(ACCEPT, JSON)
            .header(USER_AGENT, AGENT);
        if request.body.is_some() {
            built = built.header(CONTENT_TYPE, JSON);
        }
        if let Some(token) = request.bearer {
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose())).ok()?;
            value.set_sensitive(true);
            built = built.header(AUTHORIZATION, value);
        }
        built.body(Full::new(request.body.unwrap_or_default())).ok()
    }

    fn retry_after(&self, response: &hyper::Response<Incoming>) -> Option<Duration> {
        let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
        patience(value, self.runtime.wall())
    }
}

#[async_trait]
impl Transport for Client {
    async fn send(&self, request: Request) -> Result<Response, Fault> {
        // Numbers and tokens are checked before they come here: this is never refused.
        let request = self.prepare(request).ok_or(Fault::Refused)?;
        let response = self.pool.request(request).await;
        let response = response
            .map_err(|error| if error.is_connect() { Fault::Connect } else { Fault::Broken })?;
        let (status, retry_after) = (response.status().as_u16(), self.retry_after(&response));
        Ok(Response { status, retry_after, body: read(response.into_body()).await? })
    }
}

async fn read(mut body: Incoming) -> Result<Bytes, Fault> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Fault::Broken)?;
        if let Some(data) = frame.data_ref() {
            if read.len() + data.len() > MAX_BODY {
                return Err(Fault::Shape);
            }
            read.extend_from_slice(data);
        }
    }
    Ok(read.freeze())
}

/// The time that a header `Retry-After` asks for: seconds, or a date.
fn patience(value: &str, now: Timestamp) -> Option<Duration> {
    let span = match value.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = httpdate::parse_http_date(value.trim()).ok()?;
            let since_epoch = date.duration_since(std::time::UNIX_EPOCH).ok()?;
            since_epoch.saturating_sub(Duration::from_millis(now.as_millis()))
        }
    };
    Some(span.min(MOST_PATIENCE))
}

/// Tasks of the client, run where all others run.
#[derive(Clone)]
struct Tasks(Arc<dyn Runtime>);

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.spawn(Box::pin(task));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        // 2026-01-28T15:00:00Z
        let now = Timestamp::from_millis(1_769_612_400_000);
        let seconds = |value| patience(value, now).map(|span| span.as_millis() / 1_000);
        assert_eq!(seconds("30"), Some(30));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds("Wed, 28 Jan 2026 15:01:30 GMT"), Some(90));
        assert_eq!(seconds("Wed, 28 Jan 2026 14:00:00 GMT"), Some(0));
        assert_eq!(seconds("99999999999"), Some(86_400));
        assert_eq!(seconds("soon"), None);
        assert_eq!(seconds("-5"), None);
    }
}
