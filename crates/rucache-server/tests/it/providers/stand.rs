//! A service whose source is a fake, and what it answers.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use rucache::ruc::Ruc;
use rucache_testkit::{ProviderFake, ProviderShape};
use serde_json::Value;

use crate::cli::program::{Program, Service, rucache};

/// The answer to a request.
#[derive(Debug, PartialEq)]
pub(super) struct Told {
    pub(super) status: u16,
    /// `Cache-Status`, or nothing.
    pub(super) cache: String,
    /// `Retry-After`.
    pub(super) retry_after: Option<u64>,
    /// `Rucache-Source`, or nothing.
    pub(super) source: String,
    pub(super) body: String,
}

impl Told {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// Asks one service, on connections that it keeps.
#[derive(Clone)]
pub(super) struct Asker {
    agent: ureq::Agent,
    url: String,
}

impl Asker {
    pub(super) fn of(service: &Service) -> Self {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { agent, url: service.url.clone() }
    }

    pub(super) fn get(&self, path: &str) -> Told {
        let ask = || self.agent.get(format!("{}{path}", self.url)).call();
        // A kept connection that the service has closed meanwhile is no answer: ask on another.
        let is_closed = |error: &ureq::Error| matches!(error, ureq::Error::Io(_));
        told(match ask() {
            Err(error) if is_closed(&error) => ask(),
            answer => answer,
        })
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Told {
        let request = self.agent.post(format!("{}{path}", self.url));
        told(request.header("Content-Type", "application/json").send(body.to_string()))
    }

    pub(super) fn lookup(&self, ruc: Ruc) -> Told {
        self.get(&format!("/v1/ruc/{ruc}"))
    }

    /// The value of a series of `/metrics`, 0 where it is not there.
    pub(super) fn metric(&self, series: &str) -> f64 {
        let text = self.get("/metrics").body;
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// How many calls to `provider` ended in `result`.
    pub(super) fn calls(&self, provider: &str, result: &str) -> f64 {
        self.metric(&format!(
            "rucache_provider_requests_total{{provider=\"{provider}\",result=\"{result}\"}}"
        ))
    }

    /// How many verdicts that a number does not exist were stored.
    pub(super) fn negatives(&self) -> usize {
        let text = self.get("/metrics").body;
        let written = |line: &&str| {
            line.starts_with("rucache_negative_writes_total{") && !line.ends_with(" 0")
        };
        text.lines().filter(written).count()
    }

    /// What `/health` says of the first source.
    pub(super) fn source(&self) -> Value {
        self.get("/health").json()["sources"][0].clone()
    }
}

fn told(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Told {
    let mut answer = answer.expect("an answer");
    let header = |name: &str| {
        let value = answer.headers().get(name);
        value.map(|value| value.to_str().expect("text").to_owned()).unwrap_or_default()
    };
    let (cache, source) = (header("cache-status"), header("rucache-source"));
    let retry_after = header("retry-after").parse().ok();
    let status = answer.status().as_u16();
    let body = answer.body_mut().read_to_string().expect("text");
    Told { status, cache, retry_after, source, body }
}

/// How long a busy machine may take for what comes about by itself.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Milliseconds since 1970.
pub(super) fn now_millis() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).expect("after 1970")
}

/// The `index`th of different numbers, which the sample of the register does not have.
pub(super) fn ruc(index: u64) -> Ruc {
    Ruc::from_first_ten(2_090_000_000 + index).expect("ten digits")
}

/// A service that is to ask `fake`, with time enough on a busy machine.
pub(super) fn over(fake: &ProviderFake, shape: ProviderShape, arguments: &[&str]) -> Program {
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    asking(rucache(&[arguments, &serve].concat()), fake, shape)
}

/// The same for any command.
pub(super) fn asking(program: Program, fake: &ProviderFake, shape: ProviderShape) -> Program {
    let name = match shape {
        ProviderShape::Decolecta => "DECOLECTA",
        ProviderShape::ApisNetPe => "APIS_NET_PE",
        ProviderShape::Apiperu => "APIPERU",
        _ => "MIGO",
    };
    program
        .env(&format!("RUCACHE_{name}_TOKEN"), ProviderFake::TOKEN)
        .env(&format!("RUCACHE_{name}_BASE_URL"), &fake.url())
        .env(&format!("RUCACHE_{name}_TIMEOUT"), "15s")
        .env(&format!("RUCACHE_{name}_DEADLINE"), "20s")
        .env("RUCACHE_TIMING_LOAD_DEADLINE", "25s")
        .env("RUCACHE_TIMING_HARD_TIMEOUT", "28s")
}

/// What `clients`, each on connections of its own, are told: client `n` asks what `wanted` gives
/// for it, one after the other.
pub(super) fn crowd(
    services: &[&Service],
    clients: usize,
    wanted: impl Fn(usize) -> Vec<Ruc> + Send + Sync,
) -> Vec<Told> {
    let start = Barrier::new(clients);
    thread::scope(|scope| {
        let (wanted, start) = (&wanted, &start);
        let ask = |client: usize| {
            let asker = Asker::of(services[client % services.len()]);
            let name = format!("client-{client}");
            let asking = move || {
                // All are there before the first one asks.
                start.wait();
                wanted(client).into_iter().map(|ruc| asker.lookup(ruc)).collect()
            };
            let builder = thread::Builder::new().name(name).stack_size(256 * 1024);
            builder.spawn_scoped(scope, asking).expect("a thread")
        };
        let asking: Vec<thread::ScopedJoinHandle<'_, Vec<Told>>> = (0..clients).map(ask).collect();
        asking.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    })
}
