//! `/health`, `/livez`, `/readyz`: for people, for whoever restarts, for whoever sends traffic.

use std::time::Duration;

use axum::http::StatusCode;
use rucache::core::{Info, Mono};
use serde::Serialize;
use tokio::sync::Mutex;

use super::access::Access;
use super::app::App;
use super::call::Call;
use super::problem::{Kind, Problem};
use super::route::{Answer, Answered, Parameter, Route, Verb};
use super::sources::SourceState;
use super::{reply, verdict};
use crate::plain;

/// Media type of health reports, where a client asks for it.
const HEALTH: &str = "application/health+json";

/// For how long a probe answers for those who ask after it.
const PROBE_LIFE: Duration = Duration::from_secs(1);

/// Calls on the cache that a full probe consists of: set, get, delete.
const PROBE_CALLS: u32 = 3;

pub(super) static ROUTES: [Route; 3] = [
    Route {
        verb: Verb::Get,
        path: "/health",
        access: Access::UsersAndAdministrators,
        about: "The state of the cache and its backend. What was asked within the last second is \
                not asked again. `basic_operations` is what the last full probe found: the one at \
                the start, unless one was asked for since.",
        query: &[Parameter::optional("probe", "`now`: set, get and delete an entry now.")],
        body: None,
        answers: &[
            Answer {
                status: 200,
                about: "The cache works, or its backend does not and look-ups go to the source; \
                        or it works, and a new configuration was refused, or a source is left \
                        alone for a while.",
                content: &[(reply::JSON, "Health"), (HEALTH, "Health")],
            },
            Answer {
                status: 503,
                about: "The backend answers and does not keep what it is given.",
                content: &[(reply::JSON, "Health"), (HEALTH, "Health")],
            },
        ],
        problems: &[],
        handler: |app, call| Box::pin(health(app, call)),
    },
    Route {
        verb: Verb::Get,
        path: "/livez",
        access: Access::Everybody,
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
        access: Access::Everybody,
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
    /// `healthy`, `warning`, `unhealthy`.
    status: &'static str,
    backend: &'a str,
    connection: String,
    /// Milliseconds.
    avg_response_time: f64,
    /// Seconds.
    uptime: u64,
    memory: Memory,
    checks: Checks,
    /// When the register that is asked was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    register: Option<String>,
    /// The metered sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<SourceState>,
}

/// Bytes; null where the backend does not say.
#[derive(Serialize)]
struct Memory {
    used_bytes: Option<u64>,
    capacity_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Checks {
    connection: String,
    basic_operations: &'static str,
    invalid_rucs: String,
    /// Whether the metered sources are asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    sources: Option<String>,
    /// That the newest configuration is not in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<String>,
}

/// What the last probes found, so that whoever asks often costs little.
#[derive(Debug, Default)]
pub(super) struct Probes(Mutex<Option<Probed>>);

/// What was found out about the cache, and when.
#[derive(Debug, Clone)]
struct Probed {
    at: Mono,
    /// How long one call takes; or why there is no answer.
    ping: Result<Duration, String>,
    /// Whether what is set is read back, by the last full probe that was answered.
    keeps: bool,
}

impl Probes {
    /// What was last found if it is younger than `max_age`, else what is found now; those who ask
    /// meanwhile wait for it.
    async fn look(&self, app: &App, max_age: Duration) -> Probed {
        let mut last = self.0.lock().await;
        let now = app.runtime().now();
        let keeps = match &*last {
            Some(probed) if now.since(probed.at) < max_age => return probed.clone(),
            Some(probed) => probed.keeps,
            None => true,
        };
        let ping = app.cache().ping().await.map_err(|error| plain::of_cache(&error));
        last.insert(Probed { at: now, ping, keeps }).clone()
    }

    /// A full probe: set, get and delete.
    async fn probe(&self, app: &App) -> Probed {
        let mut last = self.0.lock().await;
        let at = app.runtime().now();
        let probe = app.cache().probe().await;
        let before = last.as_ref().is_none_or(|probed| probed.keeps);
        let keeps = probe.as_ref().map_or(before, |probe| probe.works);
        let ping =
            probe.map(|probe| probe.took / PROBE_CALLS).map_err(|error| plain::of_cache(&error));
        last.insert(Probed { at, ping, keeps }).clone()
    }
}

impl App {
    /// Tries the cache out and says what was found.
    pub(super) async fn verify(&self) {
        let Probed { ping, keeps, .. } = self.probes().probe(self).await;
        match ping {
            Ok(took) if keeps => tracing::info!(backend = self.backend(), ?took, "cache works"),
            Ok(_) => {
                tracing::error!(backend = self.backend(), "cache does not keep what it is given");
            }
            Err(error) => tracing::warn!(
                backend = self.backend(),
                error,
                "cache does not answer; look-ups go to the source until it does"
            ),
        }
    }

    /// The status that `/health` tells, and how long a call takes, as of the last second.
    pub(super) async fn condition(&self) -> (&'static str, Option<Duration>) {
        let probed = self.probes().look(self, PROBE_LIFE).await;
        (probed.status(self.trouble().as_ref()), probed.ping.ok())
    }

    async fn memory(&self) -> Memory {
        if let Some(usage) = self.cache().usage() {
            let capacity_bytes = Some(usage.capacity_bytes);
            return Memory { used_bytes: Some(usage.bytes), capacity_bytes };
        }
        let info = match self.cache().backend() {
            Some(backend) => backend.info().await.unwrap_or_default(),
            None => Info::default(),
        };
        Memory { used_bytes: info.used_bytes, capacity_bytes: info.capacity_bytes }
    }
}

impl Probed {
    /// `healthy`, `warning` or `unhealthy`, given why the service does less than it could.
    const fn status(&self, fault: Option<&String>) -> &'static str {
        match (&self.ping, self.keeps, fault) {
            (Ok(_), true, None) => "healthy",
            (Ok(_), false, _) => "unhealthy",
            // Look-ups go to the source, the old configuration holds, or a source is left alone.
            (Err(_), _, _) | (Ok(_), true, Some(_)) => "warning",
        }
    }
}

impl App {
    /// How many numbers are invalid, in all services with records, as people read it.
    async fn invalid_rucs(&self) -> String {
        let mut sum = 0;
        for service in &self.cache().lookups().options().services {
            match self.rucs(Some(service)).invalid_count().await {
                Ok(count) => sum += count,
                Err(_) => return "❌ the registry cannot be reached".to_owned(),
            }
        }
        format!("✅ {sum} RUCs")
    }
}

async fn health(app: App, call: Call) -> Answered {
    let probed = match call.flag("probe", "now")? {
        true => app.probes().probe(&app).await,
        false => app.probes().look(&app, PROBE_LIFE).await,
    };
    let fault = app.live().fault.clone();
    let status = probed.status(app.trouble().as_ref());
    let Probed { ping, keeps, .. } = probed;
    let (connection, check) = match &ping {
        Ok(_) => ("OK".to_owned(), "✅ OK".to_owned()),
        Err(error) => (error.clone(), format!("❌ {error}")),
    };
    let health = Health {
        timestamp: verdict::rfc3339(app.runtime().wall()),
        status,
        backend: app.backend(),
        connection,
        avg_response_time: millis(ping.unwrap_or_default().as_secs_f64()),
        uptime: reply::whole_secs(app.uptime()),
        memory: app.memory().await,
        checks: Checks {
            connection: check,
            basic_operations: if keeps { "✅ OK" } else { "❌ what was set is not read back" },
            invalid_rucs: app.invalid_rucs().await,
            sources: app.sources_check(),
            configuration: fault.map(|fault| format!("❌ kept as it was: {fault}")),
        },
        register: app.cache().register_published().map(verdict::rfc3339),
        sources: app.sources(),
    };
    let media_type = if call.accepts(HEALTH) { HEALTH } else { reply::JSON };
    let mut response = reply::json(media_type, &health)?;
    if status == "unhealthy" {
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
        let app = App::open(ServerConfig::default()).await.expect("a cache");
        let first = app.probes().look(&app, Duration::MAX).await;
        assert_eq!((first.ping.as_ref(), first.keeps), (Ok(&Duration::ZERO), true));
        let same = app.probes().look(&app, Duration::MAX).await;
        assert_eq!(same.at, first.at);
        let next = app.probes().look(&app, Duration::ZERO).await;
        assert!(next.at > first.at);
        let full = app.probes().probe(&app).await;
        assert!(full.keeps && full.ping.is_ok_and(|took| !took.is_zero()));
    }
}
