//! `/health`, `/livez`, `/readyz`: for people, for whoever restarts, for whoever sends traffic.

use std::time::Duration;

use axum::http::StatusCode;
use rucache::core::Mono;
use serde::Serialize;
use tokio::sync::Mutex;

use super::app::App;
use super::call::Call;
use super::problem::{Kind, Problem};
use super::route::{Answer, Answered, Parameter, Route, Verb};
use super::{reply, verdict};

/// Media type of health reports, where a client asks for it.
const HEALTH: &str = "application/health+json";

/// For how long a probe answers for those who ask after it.
const PROBE_LIFE: Duration = Duration::from_secs(1);

/// Calls on the cache that a probe consists of: set, get, delete.
const PROBE_CALLS: f64 = 3.0;

pub(super) static ROUTES: [Route; 3] = [
    Route {
        verb: Verb::Get,
        path: "/health",
        about: "The state of the cache and its backend. What was probed within the last second is \
                not probed again.",
        query: &[Parameter::optional("probe", "`now`: set, get and delete an entry now.")],
        body: None,
        answers: &[
            Answer {
                status: 200,
                about: "The cache works.",
                content: &[(reply::JSON, "Health"), (HEALTH, "Health")],
            },
            Answer {
                status: 503,
                about: "The cache does not work; look-ups go to the source.",
                content: &[(reply::JSON, "Health"), (HEALTH, "Health")],
            },
        ],
        problems: &[],
        handler: |app, call| Box::pin(health(app, call)),
    },
    Route {
        verb: Verb::Get,
        path: "/livez",
        about: "Whether the process runs. Looks at nothing else.",
        query: &[],
        body: None,
        answers: &[Answer { status: 200, about: "It does.", content: &[(reply::JSON, "State")] }],
        problems: &[],
        handler: |_, _| Box::pin(async { reply::json(reply::JSON, &State { status: "alive" }) }),
    },
    Route {
        verb: Verb::Get,
        path: "/readyz",
        about: "Whether the service takes requests.",
        query: &[],
        body: None,
        answers: &[Answer { status: 200, about: "It does.", content: &[(reply::JSON, "State")] }],
        problems: &[Kind::Stopping],
        handler: |app, _| Box::pin(async move { ready(&app) }),
    },
];

#[derive(Serialize)]
struct State {
    status: &'static str,
}

/// The report, in the shape that monitoring of the reference system reads.
#[derive(Serialize)]
struct Health<'a> {
    timestamp: String,
    /// `healthy`, `unhealthy`.
    status: &'static str,
    backend: &'a str,
    connection: &'static str,
    /// Milliseconds.
    avg_response_time: f64,
    /// Seconds.
    uptime: u64,
    memory: Memory,
    checks: Checks,
}

#[derive(Serialize)]
struct Memory {
    used_bytes: u64,
    capacity_bytes: u64,
}

#[derive(Serialize)]
struct Checks {
    connection: &'static str,
    basic_operations: &'static str,
}

/// What the last probe found, so that whoever asks often costs little.
#[derive(Debug, Default)]
pub(super) struct Probes(Mutex<Option<Probed>>);

/// What a probe found, and when.
#[derive(Debug, Clone, Copy)]
struct Probed {
    at: Mono,
    works: bool,
    took: Duration,
}

impl Probes {
    /// The last probe if it is younger than `max_age`, else a new one; those who ask meanwhile wait
    /// for it.
    async fn probe(&self, app: &App, max_age: Duration) -> Probed {
        let mut last = self.0.lock().await;
        let now = app.runtime().now();
        if let Some(probed) = last.filter(|probed| now.since(probed.at) < max_age) {
            return probed;
        }
        let probe = app.cache().probe().await;
        let (works, took) =
            probe.map_or((false, Duration::ZERO), |probe| (probe.works, probe.took));
        *last.insert(Probed { at: now, works, took })
    }
}

async fn health(app: App, call: Call) -> Answered {
    let max_age = if call.flag("probe", "now")? { Duration::ZERO } else { PROBE_LIFE };
    let Probed { works, took, .. } = app.probes().probe(&app, max_age).await;
    let usage = app.cache().usage();
    let health = Health {
        timestamp: verdict::rfc3339(app.runtime().wall()),
        status: if works { "healthy" } else { "unhealthy" },
        backend: app.backend(),
        // The backend is this process's own memory: nothing stands between.
        connection: "OK",
        avg_response_time: millis(took.as_secs_f64() / PROBE_CALLS),
        uptime: reply::whole_secs(app.uptime()),
        memory: Memory { used_bytes: usage.bytes, capacity_bytes: usage.capacity_bytes },
        checks: Checks {
            connection: "✅ OK",
            basic_operations: if works { "✅ OK" } else { "❌ what was set is not read back" },
        },
    };
    let media_type = if call.accepts(HEALTH) { HEALTH } else { reply::JSON };
    let mut response = reply::json(media_type, &health)?;
    if !works {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

/// `secs` in milliseconds, to the nanosecond that clocks tell.
fn millis(secs: f64) -> f64 {
    (secs * 1e9).round() / 1e6
}

fn ready(app: &App) -> Answered {
    if app.is_stopping() {
        return Err(Problem::new(Kind::Stopping, "send requests elsewhere").retry_after(1));
    }
    reply::json(reply::JSON, &State { status: "ready" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ServerConfig;

    #[tokio::test]
    async fn probe_answers_until_it_is_too_old() {
        let cache = rucache::open_default().await.expect("a cache");
        let app = App::new(&ServerConfig::default(), cache);
        let first = app.probes().probe(&app, Duration::MAX).await;
        assert!(first.works);
        let same = app.probes().probe(&app, Duration::MAX).await;
        assert_eq!((same.at, same.took), (first.at, first.took));
        let next = app.probes().probe(&app, Duration::ZERO).await;
        assert!(next.at > first.at);
    }
}
