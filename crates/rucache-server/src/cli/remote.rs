//! A running service, asked over HTTP.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::str::FromStr;
use std::time::Duration;

use rucache::ruc::Ruc;
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::{Method, Request, Response, Uri};
use ureq::{Agent, Body};

use super::answer::{Answered, Verdict};
use super::exit::{Exit, Failure};
use super::table::printable;
use crate::config::Token;
use crate::plain;

/// Numbers in one request; the service takes ten times as many.
const BATCH: usize = 1_000;

/// Longest answer that is read, in bytes: far more than a batch of records.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Media type of one JSON value a line.
pub(super) const NDJSON: &str = "application/x-ndjson";

/// Longer than the service gives a batch by default.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a service answers.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Where a service runs, and what it is shown.
#[derive(Debug, Clone)]
pub(super) struct Server {
    url: String,
    token: Option<Token>,
}

impl FromStr for Server {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let uri: Option<Uri> = url.parse().ok();
        match uri.filter(|uri| uri.host().is_some()).as_ref().and_then(Uri::scheme_str) {
            Some("http") => Ok(Self { url: url.trim_end_matches('/').to_owned(), token: None }),
            Some("https") => Err("https is not spoken; expected a URL such as \
                                  http://127.0.0.1:8080"
                .to_owned()),
            _ => Err("expected a URL such as http://127.0.0.1:8080".to_owned()),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&rucache::without_password(&self.url))
    }
}

/// What a service answers to a batch.
#[derive(Deserialize)]
struct Batch {
    results: Vec<Answered>,
}

impl Server {
    /// The service at an address of this machine.
    pub(super) fn at(address: std::net::SocketAddr) -> Self {
        Self { url: format!("http://{address}"), token: None }
    }

    /// The same, shown `token`.
    pub(super) fn with_token(self, token: Option<Token>) -> Self {
        Self { token, ..self }
    }

    /// What the service answers to a request for `target`, a path with a query.
    pub(super) fn ask(
        &self,
        method: Method,
        target: &str,
        body: Option<&str>,
    ) -> Result<Answer, Failure> {
        let mut request = Request::builder().method(method).uri(format!("{}{target}", self.url));
        if let Some(token) = &self.token {
            request = request.header("Authorization", token.header());
        }
        let agent = agent(Some(PATIENCE));
        let wrong = |error: ureq::http::Error| Failure::new(format!("cannot ask {self}: {error}"));
        let answer = match body {
            Some(body) => {
                let request = request.header("Content-Type", "application/json").body(body);
                agent.run(request.map_err(wrong)?)
            }
            None => agent.run(request.body(()).map_err(wrong)?),
        };
        let (status, body) = self.read(answer)?;
        Ok(Answer { status, body })
    }

    /// Gives each line that the service answers to `line`, as it comes.
    pub(super) fn lines(
        &self,
        target: &str,
        body: &str,
        line: &mut dyn FnMut(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut request = Request::post(format!("{}{target}", self.url))
            .header("Content-Type", "application/json")
            .header("Accept", NDJSON);
        if let Some(token) = &self.token {
            request = request.header("Authorization", token.header());
        }
        let wrong = |error: ureq::http::Error| Failure::new(format!("cannot ask {self}: {error}"));
        // As long as it takes: what is streamed may be long work.
        let answer = agent(None).run(request.body(body).map_err(wrong)?);
        let mut answer = answer.map_err(|error| self.silent(&error))?;
        let status = answer.status().as_u16();
        if status != 200 {
            let body = answer.body_mut().read_to_string().map_err(|error| self.silent(&error))?;
            return Err(super::cache::refused(status, &body, || self.refused(status, &body)));
        }
        for read in BufReader::new(answer.body_mut().as_reader()).lines() {
            line(&read.map_err(|error| self.silent(&ureq::Error::Io(error)))?)?;
        }
        Ok(())
    }

    /// What the service knows of each of `rucs`, in their order.
    pub(super) fn lookup(&self, rucs: &[Ruc]) -> Result<Vec<Verdict>, Failure> {
        let mut verdicts = Vec::with_capacity(rucs.len());
        for batch in rucs.chunks(BATCH) {
            let asked = json!({ "rucs": batch }).to_string();
            let Answer { status, body } = self.ask(Method::POST, "/v1/ruc:batch", Some(&asked))?;
            let answered = match serde_json::from_str(&body) {
                Ok(Batch { results }) if status == 200 => results,
                _ => return Err(self.refused(status, &body)),
            };
            if !answered.iter().map(|answered| &answered.ruc).eq(batch) {
                return Err(Failure::new(format!("{self} answered other numbers than asked for")));
            }
            verdicts.extend(answered.into_iter().map(|answered| answered.verdict));
        }
        Ok(verdicts)
    }

    /// The service's report of its health, read and as it came.
    pub(super) fn health(&self) -> Result<(Value, String), Failure> {
        let Answer { status, body } = self.ask(Method::GET, "/health", None)?;
        match serde_json::from_str::<Value>(&body) {
            Ok(report) if report["status"].is_string() => Ok((report, body)),
            _ => Err(self.refused(status, &body)),
        }
    }

    /// Status and text of an answer.
    fn read(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<(u16, String), Failure> {
        answer
            .and_then(|mut answer| {
                let status = answer.status().as_u16();
                let body = answer.body_mut().with_config().limit(LONGEST).read_to_string()?;
                Ok((status, body))
            })
            .map_err(|error| self.silent(&error))
    }

    /// That the service did not answer.
    fn silent(&self, error: &ureq::Error) -> Failure {
        let cause = match error {
            ureq::Error::Io(cause) => plain::in_one_line(cause),
            _ => plain::in_one_line(error),
        };
        let text = format!("no answer from {self}: {cause}; is `rucache serve` running?");
        Failure::with(Exit::Unreachable, text)
    }

    /// A failure that the service tells as a problem document, or an answer that is none of ours.
    pub(super) fn refused(&self, status: u16, body: &str) -> Failure {
        let problem: Value = serde_json::from_str(body).unwrap_or_default();
        let told: Vec<_> =
            ["title", "detail"].into_iter().filter_map(|part| problem[part].as_str()).collect();
        let told = match told[..] {
            [] => "this is no answer of rucache; check the URL".to_owned(),
            _ => printable(&told.join(": ")),
        };
        Failure::new(format!("{self} answered with status {status}: {told}"))
    }
}

fn agent(patience: Option<Duration>) -> Agent {
    Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(5)))
        .timeout_global(patience)
        .http_status_as_error(false)
        // The service is asked itself, whatever stands in the environment for the world outside.
        .proxy(None)
        .build()
        .new_agent()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_urls_name_a_service() {
        let server: Server = "http://127.0.0.1:8080/".parse().expect("a URL");
        assert_eq!(server.to_string(), "http://127.0.0.1:8080");
        for url in ["localhost:8080", "", "http://", "ftp://host", "/path", "http//x"] {
            let refused = url.parse::<Server>().expect_err(url);
            assert_eq!(refused, "expected a URL such as http://127.0.0.1:8080");
        }
        assert!("https://host".parse::<Server>().expect_err("no TLS").starts_with("https"));
    }

    #[test]
    fn password_of_a_server_is_not_shown() {
        let server: Server = "http://ana:secret@host:1".parse().expect("a URL");
        assert_eq!(server.to_string(), "http://ana:***@host:1");
    }
}
