//! A real Prometheus that scrapes one target, evaluates rules and answers queries.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::directory::Directory;
use crate::port::Port;
use crate::process::{Process, Program, StartFailure, start_until_free};

const PROMETHEUS: Program = Program { binary: "prometheus", install: "apt-get install prometheus" };

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A `prometheus` on a free loopback port, ended when dropped. It scrapes, and looks at its rules,
/// four times a second.
#[derive(Debug)]
pub struct Prometheus {
    process: Process,
    port: Port,
}

/// A value of an answer with its labels, the name of the metric among them.
pub type Sample = (BTreeMap<String, String>, f64);

impl Prometheus {
    /// Starts one that scrapes `/metrics` at `target`, `127.0.0.1:8080`, and follows the rule files
    /// that hold `rules`.
    ///
    /// # Panics
    ///
    /// When it does not start, as with rules that are none. Where `prometheus` is missing, the
    /// message says how to install it.
    #[must_use]
    pub fn start(target: &str, rules: &[&str]) -> Self {
        start_until_free(|| Self::start_at(Port::reserve(), target, rules))
    }

    fn start_at(port: Port, target: &str, rules: &[&str]) -> Result<Self, StartFailure> {
        let directory = Directory::create()?;
        let mut config = format!(
            "global: {{scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 250ms}}\n\
             scrape_configs:\n  - job_name: rucache\n    static_configs: [{{targets: [\"{target}\"]}}]\n\
             rule_files: [\"rules-*.yml\"]\n"
        );
        config.push('\n');
        let file = directory.write("prometheus.yml", &config)?;
        for (number, rules) in rules.iter().enumerate() {
            directory.write(&format!("rules-{number}.yml"), rules)?;
        }
        let data = directory.path().join("data");
        let arguments = [
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", data.display()),
            format!("--web.listen-address={}", port.address()),
            "--log.level=warn".to_owned(),
        ];
        let address = port.address();
        let ready = |_| get(address, "/-/ready").is_ok_and(|(status, _)| status == 200);
        let process = Process::start(PROMETHEUS, arguments, directory, ready)?;
        Ok(Self { process, port })
    }

    /// What `expression` amounts to now: a vector.
    ///
    /// # Panics
    ///
    /// When Prometheus does not answer, refuses the expression, or answers with something else.
    #[must_use]
    pub fn query(&self, expression: &str) -> Vec<Sample> {
        let mut target = "/api/v1/query?query=".to_owned();
        for byte in expression.bytes() {
            let _ = write!(target, "%{byte:02X}");
        }
        let (status, body) = get(self.port.address(), &target)
            .unwrap_or_else(|error| panic!("prometheus: {error}; its log: {}", self.process.log()));
        assert_eq!(status, 200, "{expression}: {body}");
        samples(&body).unwrap_or_else(|| panic!("{expression}: not a vector: {body}"))
    }

    /// The one value of `expression`; none where there is none.
    ///
    /// # Panics
    ///
    /// As [`query`](Self::query), and when there are several.
    #[must_use]
    pub fn value(&self, expression: &str) -> Option<f64> {
        let samples = self.query(expression);
        assert!(samples.len() <= 1, "{expression}: {samples:?}");
        samples.first().map(|(_, value)| *value)
    }
}

fn samples(body: &str) -> Option<Vec<Sample>> {
    let answer: Value = serde_json::from_str(body).ok()?;
    let data = answer.get("data")?;
    if data.get("resultType")? != "vector" {
        return None;
    }
    let sample = |one: &Value| {
        let labels = one.get("metric")?.as_object()?;
        let labels =
            labels.iter().map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Some((labels.collect::<Option<_>>()?, one.get("value")?.get(1)?.as_str()?.parse().ok()?))
    };
    data.get("result")?.as_array()?.iter().map(sample).collect()
}

/// Status and body of the answer to a request of its own.
fn get(address: SocketAddr, target: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // 1.0: the body ends with the connection.
    write!(stream, "GET {target} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("an answer without a status"))?;
    Ok((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_is_read_as_samples() {
        let body = r#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"__name__":"up","job":"rucache"},"value":[1700000000.1,"1"]}]}}"#;
        let samples = samples(body).unwrap();
        assert_eq!(samples.len(), 1);
        assert_eq!((samples[0].0["job"].as_str(), samples[0].1), ("rucache", 1.0));
    }
}
