//! `/metrics`: what the cache and the routes count, for Prometheus.

use std::sync::Arc;
use std::time::Duration;

use rucache::core::Observer;
use rucache::engine::PushState;
use rucache::ruc::ReasonKind;
use rucache::telemetry::{CacheMetrics, Exporter, Reading, RouteMetrics};

use super::access::Access;
use super::app::App;
use super::problem::{Kind, Problem};
use super::reply;
use super::route::{Answer, Answered, Route, Verb};
use super::watch::Watch;

/// How often observed durations are sorted into their buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// What the cache is called in the labels.
const CACHE: &str = "rucache";

pub(super) static ROUTES: [Route; 1] = [Route {
    verb: Verb::Get,
    path: "/metrics",
    access: Access::Metrics,
    about: "Metrics in Prometheus' text format.",
    query: &[],
    body: None,
    answers: &[Answer {
        status: 200,
        about: "Every metric of the service.",
        content: &[(Exporter::CONTENT_TYPE, "Text")],
    }],
    problems: &[],
    handler: |app, _| Box::pin(async move { render(&app).await }),
}];

/// The metrics of the service, installed for nobody else.
#[derive(Debug)]
pub(crate) struct Metrics {
    exporter: Exporter,
    cache: Arc<CacheMetrics>,
    watch: Arc<Watch>,
}

impl Default for Metrics {
    fn default() -> Self {
        let exporter = Exporter::new();
        exporter.show_build(
            env!("CARGO_PKG_VERSION"),
            option_env!("RUCACHE_REVISION").unwrap_or("unknown"),
        );
        let cache = Arc::new(CacheMetrics::new(exporter.recorder(), CACHE));
        // Every kind of reason is there from the start, at zero.
        let mut reading = Reading::default();
        reading.negatives = by_kind(|_| 0);
        cache.publish(&reading);
        let watch = Arc::new(Watch::over(cache.clone()));
        Self { exporter, cache, watch }
    }
}

impl Metrics {
    /// What the cache tells what happens.
    pub(super) fn observer(&self) -> Arc<dyn Observer> {
        self.watch.clone()
    }

    /// What the page shows beside counters.
    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The metrics of one route.
    pub(super) fn of(&self, route: &Route) -> RouteMetrics {
        let method = route.verb.as_str().to_uppercase();
        RouteMetrics::new(self.exporter.recorder(), &method, route.path)
    }
}

impl App {
    /// Keeps the metrics small between scrapes; never ends.
    pub(super) async fn keep_metrics(&self) {
        loop {
            self.runtime().sleep(UPKEEP).await;
            // There are many where much is asked; look-ups shall not wait for it.
            let app = self.clone();
            let upkeep = move || app.metrics().exporter.upkeep();
            drop(tokio::task::spawn_blocking(upkeep).await);
        }
    }
}

async fn render(app: &App) -> Answered {
    let cache = app.cache();
    let health = cache.health();
    let mut reading = Reading::default();
    reading.services = cache.stats();
    reading.usage = cache.usage();
    reading.suspect = Some(matches!(health.push, PushState::Lost | PushState::Unproven));
    reading.outbox = u64::try_from(health.undelivered).ok();
    reading.overdue_loads = u64::try_from(health.stuck_keys).ok();
    reading.register = cache.register_published();
    reading.providers = app.source_readings();
    // Without an answer they stay as they were.
    if let Some(reasons) = app.registry().read(app).await {
        reading.negatives = by_kind(|kind| reasons.get(kind).copied().unwrap_or(0));
    }
    app.metrics().cache.publish(&reading);
    // Writing thousands of lines takes milliseconds, which look-ups shall not wait for.
    let app = app.clone();
    let rendered = tokio::task::spawn_blocking(move || app.metrics().exporter.render()).await;
    let text =
        rendered.map_err(|_| Problem::new(Kind::Internal, "the metrics were not written"))?;
    Ok(reply::ok(Exporter::CONTENT_TYPE, text))
}

/// Numbers by the kind of a reason.
fn by_kind(number: impl Fn(&str) -> u64) -> Vec<(String, u64)> {
    let kinds = ReasonKind::ALL.iter().map(|kind| kind.as_str());
    kinds.map(|kind| (kind.to_owned(), number(kind))).collect()
}
