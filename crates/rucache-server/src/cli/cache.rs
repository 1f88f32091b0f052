//! The cache that a command works on: a running service, or the configured backend opened here.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rucache::LocalTier;
use serde_json::Value;
use tokio::runtime::Runtime;
use ureq::http::Method;

use super::exit::{Exit, Failure};
use super::remote::{Answer, Server};
use super::settings::Global;
use super::table::printable;
use crate::http::App;

/// What stands for itself in a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Whoever answers.
pub(super) enum Cache {
    /// A running service.
    There(Server),
    /// The configured backend, opened by this process.
    Here { runtime: Runtime, app: App, backend: String },
}

impl Cache {
    /// The service to ask, or the configured backend. A cache in the memory of this process would
    /// be empty and end with it: without a service, `what` makes no sense there.
    pub(super) fn open(global: &Global, what: &str) -> Result<Self, Failure> {
        let cache = Self::open_any(global)?;
        match &cache {
            Self::Here { backend, .. } if backend.starts_with("memory:") => {
                Err(Failure::new(format!(
                    "{what} works on nothing here: {backend} is the memory of this command alone, \
                     empty now and gone at its end; ask a running service with --server \
                     http://127.0.0.1:8080 or RUCACHE_SERVER, or name a backend that is a server \
                     with --backend redis://127.0.0.1:6379/1"
                )))
            }
            _ => Ok(cache),
        }
    }

    /// The service to ask, or the configured backend, whatever it is.
    pub(super) fn open_any(global: &Global) -> Result<Self, Failure> {
        if let Some(server) = global.server()? {
            return Ok(Self::There(server));
        }
        let mut config = global.load(None)?.into_config();
        // Who may run the command may read the configuration.
        config.token = None;
        config.cache.local = LocalTier::Off;
        let backend = config.cache.backend.to_string();
        let runtime = super::runtime()?;
        let app = runtime.block_on(async {
            let app = App::open(config).await.map_err(|error| Failure::from_error(&error))?;
            // A read of a server that is down would be a miss.
            app.cache().ping().await.map_err(|error| {
                let told = crate::plain::in_one_line(&error);
                Failure::with(Exit::Unreachable, format!("{backend} does not answer: {told}"))
            })?;
            Ok::<_, Failure>(app)
        })?;
        Ok(Self::Here { runtime, app, backend })
    }

    /// What is answered to a request for `target`, whatever it is.
    pub(super) fn ask(
        &self,
        method: Method,
        target: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let body = body.map(Value::to_string);
        match self {
            Self::There(server) => server.ask(method, target, body.as_deref()),
            Self::Here { runtime, app, .. } => runtime
                .block_on(app.ask(method, target, body))
                .map(|(status, body)| Answer { status, body })
                .map_err(|error| Failure::from_error(&error)),
        }
    }

    /// The JSON that is answered to a request for `target`; null where there is none to answer.
    pub(super) fn done(
        &self,
        method: Method,
        target: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let Answer { status, body } = self.ask(method, target, body)?;
        let json: Value = serde_json::from_str(&body).unwrap_or_default();
        match status {
            // What the backend has not confirmed is delivered by a process that lives on.
            202 if matches!(self, Self::Here { .. }) => Err(Failure::with(
                Exit::Unreachable,
                "the backend has not confirmed the change; try again",
            )),
            200..=299 if body.is_empty() || !json.is_null() => Ok(json),
            _ => Err(self.refused(status, &body)),
        }
    }

    /// Gives each line that is answered to a POST of `body` to `line`, as it comes.
    pub(super) fn lines(
        &self,
        target: &str,
        body: &Value,
        line: &mut dyn FnMut(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let body = body.to_string();
        match self {
            Self::There(server) => server.lines(target, &body, line),
            Self::Here { runtime, app, .. } => runtime.block_on(async {
                let failed = |error: axum::Error| Failure::from_error(&error);
                let (status, mut lines) = app.stream(target, body).await.map_err(failed)?;
                if status != 200 {
                    let told = lines.rest().await.map_err(failed)?;
                    return Err(self.refused(status, &told));
                }
                while let Some(next) = lines.next().await.map_err(failed)? {
                    line(&next)?;
                }
                Ok(())
            }),
        }
    }

    /// A problem document as a failure of this command.
    pub(super) fn refused(&self, status: u16, body: &str) -> Failure {
        refused(status, body, || match self {
            Self::There(server) => server.refused(status, body),
            Self::Here { .. } => Failure::new(format!("status {status} without a word")),
        })
    }
}

/// A problem document as a failure of a command; `otherwise` what is none.
pub(super) fn refused(status: u16, body: &str, otherwise: impl FnOnce() -> Failure) -> Failure {
    let problem: Value = serde_json::from_str(body).unwrap_or_default();
    let exit = match (problem["type"].as_str().unwrap_or_default(), status) {
        ("/problems/not-a-ruc", _) => Exit::Invalid,
        ("/problems/backend-unavailable" | "/problems/stopping", _) => Exit::Unreachable,
        ("/problems/unavailable" | "/problems/not-covered", _) => Exit::Unavailable,
        ("/problems/no-such-route", _) => Exit::Failed,
        (kind, 404) if !kind.is_empty() => Exit::NotFound,
        _ => Exit::Failed,
    };
    match problem["detail"].as_str() {
        Some(detail) => Failure::with(exit, printable(detail)),
        None => otherwise(),
    }
}

/// A path with a query, of which the values are percent-encoded.
pub(super) fn target(path: &str, query: &[(&str, Option<&str>)]) -> String {
    let mut target = path.to_owned();
    let given = query.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    for (at, (name, value)) in given.enumerate() {
        target.push(if at == 0 { '?' } else { '&' });
        target.push_str(&format!("{name}={}", encoded(value)));
    }
    target
}

/// A text as part of a path or query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_query_are_encoded_and_absent_ones_left_out() {
        let query = [("service", Some("migo")), ("ttl", None), ("key", Some("a b/ñ&+?"))];
        assert_eq!(
            target("/v1/entry", &query),
            "/v1/entry?service=migo&key=a%20b%2F%C3%B1%26%2B%3F"
        );
        assert_eq!(target("/v1/stats", &[("scope", None)]), "/v1/stats");
    }
}
