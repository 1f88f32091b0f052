//! `/v1/overview`: everything that the page shows, in one small document.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future;
use rucache::core::breaker::CircuitState;
use rucache::core::observer::{LoadResult, Reach, RequestResult, StaleReason, Tier, TierResult};
use rucache::core::{Count, Counts, Mono};
use rucache::engine::PushState;
use serde::Serialize;

use super::access::Access;
use super::app::App;
use super::route::{Answer, Route, Verb};
use super::watch::{self, Watch};
use super::{reply, verdict};

/// Most services that are told apart.
const SERVICES: usize = 12;

/// For how long the registry is not gone through again, at least; and times as long as it took.
const REGISTRY_LIFE: (Duration, u32) = (Duration::from_secs(5), 50);

/// How long whoever asks waits for the registry to be gone through.
const REGISTRY_PATIENCE: Duration = Duration::from_millis(2);

pub(super) static ROUTES: [Route; 1] = [Route {
    verb: Verb::Get,
    path: "/v1/overview",
    access: Access::Users,
    about: "What the page at `/` shows: counters since the start, and the state of the backend. \
            Its members may change with any version; `/metrics` is for programs.",
    query: &[],
    body: None,
    answers: &[Answer {
        status: 200,
        about: "The overview.",
        content: &[(reply::JSON, "Overview")],
    }],
    problems: &[],
    handler: |app, _| Box::pin(async move { reply::json(reply::JSON, &overview(&app).await) }),
}];

/// Numbers by their labels.
type Numbers = BTreeMap<&'static str, u64>;

#[derive(Serialize)]
struct Overview<'a> {
    timestamp: String,
    version: &'static str,
    /// Seconds.
    uptime: u64,
    /// `healthy`, `warning`, `unhealthy`, as `/health` says.
    status: &'static str,
    backend: &'a str,
    /// How long a call takes; null without an answer.
    response_ms: Option<f64>,
    requests: Numbers,
    tiers: Tiers,
    latency: Latency,
    loads: Loads,
    stale: Numbers,
    memory: Option<Memory>,
    nodes: Vec<Node>,
    push: &'static str,
    /// Invalidations that wait for the backend.
    outbox: usize,
    /// Verdicts of the service of records by the kind of their reason; null where the backend does
    /// not tell.
    registry: Option<BTreeMap<String, u64>>,
    /// Newest first.
    invalidations: Vec<Invalidated>,
    services: Vec<Service>,
}

/// What each tier had; null for one that there is not.
#[derive(Serialize)]
struct Tiers {
    local: Option<Numbers>,
    shared: Option<Numbers>,
}

/// Reads since the start by how long they took and how far they went.
#[derive(Serialize)]
struct Latency {
    /// Upper ends of the buckets in seconds; there is one bucket more.
    bounds: Vec<f64>,
    local: Vec<u64>,
    shared: Vec<u64>,
    origin: Vec<u64>,
}

#[derive(Serialize)]
struct Loads {
    in_flight: usize,
    overdue: usize,
    coalesced: u64,
    results: Numbers,
}

#[derive(Serialize)]
struct Memory {
    entries: u64,
    used_bytes: u64,
    capacity_bytes: u64,
    evictions: u64,
}

#[derive(Serialize)]
struct Node {
    node: String,
    state: &'static str,
    /// How long it has been so.
    seconds: u64,
}

#[derive(Serialize)]
struct Invalidated {
    service: String,
    scope: &'static str,
    count: u64,
    /// How long ago the last was.
    seconds: u64,
}

#[derive(Serialize)]
struct Service {
    name: String,
    hits: u64,
    misses: u64,
}

async fn overview(app: &App) -> Overview<'_> {
    let (cache, watch) = (app.cache(), app.metrics().watch());
    let (status, response) = app.condition().await;
    let registry = app.registry().read(app).await;
    let (stats, health, now) = (cache.stats(), cache.health(), app.runtime().now());
    let all: Counts = stats.iter().map(|(_, counts)| counts).sum();
    // What was told before the service had a clock was told at its start.
    let seconds = |since: Mono| reply::whole_secs(now.since(since).min(app.uptime()));
    Overview {
        timestamp: verdict::rfc3339(app.runtime().wall()),
        version: env!("CARGO_PKG_VERSION"),
        uptime: reply::whole_secs(app.uptime()),
        status,
        backend: app.backend(),
        response_ms: response.map(|took| took.as_secs_f64() * 1e3),
        requests: by_label(RequestResult::ALL, RequestResult::as_str, |which| {
            all.total(|count| request(count) == Some(which))
        }),
        tiers: tiers(app, &all),
        latency: latency(watch),
        loads: Loads {
            in_flight: health.loads,
            overdue: health.stuck_keys,
            coalesced: all[Count::Coalesced],
            results: by_label(LoadResult::ALL, LoadResult::as_str, |which| all[Count::Load(which)]),
        },
        stale: by_label(StaleReason::ALL, StaleReason::as_str, |which| all[Count::Stale(which)]),
        memory: cache.usage().map(|usage| Memory {
            entries: usage.entries,
            used_bytes: usage.bytes,
            capacity_bytes: usage.capacity_bytes,
            evictions: usage.evictions,
        }),
        nodes: nodes(watch, seconds),
        push: push(health.push),
        outbox: health.undelivered,
        registry,
        invalidations: invalidations(watch, seconds),
        services: services(&stats),
    }
}

fn by_label<T: Copy>(
    all: &'static [T],
    name: impl Fn(T) -> &'static str,
    number: impl Fn(T) -> u64,
) -> Numbers {
    all.iter().map(|which| (name(*which), number(*which))).collect()
}

/// How a read was answered, where a count is one of reads.
const fn request(count: Count) -> Option<RequestResult> {
    Some(match count {
        Count::Hit(_) => RequestResult::Hit,
        Count::Stale(_) => RequestResult::StaleHit,
        Count::NegativeHit => RequestResult::NegativeHit,
        Count::Miss => RequestResult::Miss,
        Count::Bypass => RequestResult::Bypass,
        Count::Error => RequestResult::Error,
        _ => return None,
    })
}

fn tiers(app: &App, all: &Counts) -> Tiers {
    let hit_or_miss = |hit, miss| BTreeMap::from([("hit", hit), ("miss", miss)]);
    let cache = app.cache();
    if cache.backend().is_none() {
        return Tiers { local: Some(hit_or_miss(all.hits(), all.misses())), shared: None };
    }
    let local = || hit_or_miss(all[Count::Hit(Tier::Local)], all[Count::LocalMiss]);
    let shared = |which| all[Count::SharedRead(which)];
    Tiers {
        local: cache.usage().map(|_| local()),
        shared: Some(by_label(TierResult::ALL, TierResult::as_str, shared)),
    }
}

fn latency(watch: &Watch) -> Latency {
    let durations = |reach| watch.durations(reach);
    Latency {
        bounds: watch::BOUNDS.iter().map(|micros| f64::from(*micros) / 1e6).collect(),
        local: durations(Reach::Local),
        shared: durations(Reach::Shared),
        origin: durations(Reach::Origin),
    }
}

fn nodes(watch: &Watch, seconds: impl Fn(Mono) -> u64) -> Vec<Node> {
    let name = |state| match state {
        CircuitState::Closed => "closed",
        CircuitState::Open => "open",
        _ => "half_open",
    };
    let node = |(node, circuit): (String, watch::Circuit)| Node {
        node,
        state: name(circuit.state),
        seconds: seconds(circuit.since),
    };
    watch.circuits().into_iter().map(node).collect()
}

fn invalidations(watch: &Watch, seconds: impl Fn(Mono) -> u64) -> Vec<Invalidated> {
    let told = |one: watch::Invalidation| Invalidated {
        scope: one.scope.as_str(),
        seconds: seconds(one.last),
        service: one.service,
        count: one.count,
    };
    watch.recent().into_iter().map(told).collect()
}

const fn push(state: PushState) -> &'static str {
    match state {
        PushState::Lost => "lost",
        PushState::Unproven => "unproven",
        PushState::Trusted => "trusted",
        _ => "none",
    }
}

/// The services that are read most.
fn services(stats: &[(rucache::ServiceName, Counts)]) -> Vec<Service> {
    let service = |(name, counts): &(rucache::ServiceName, Counts)| Service {
        name: name.to_string(),
        hits: counts.hits(),
        misses: counts.misses(),
    };
    let mut services: Vec<_> = stats.iter().map(service).collect();
    services.retain(|service| service.hits + service.misses > 0);
    services.sort_by_key(|service| std::cmp::Reverse(service.hits + service.misses));
    services.truncate(SERVICES);
    services
}

/// What the registry held when it was last gone through, which costs more than counters.
#[derive(Debug, Default)]
pub(super) struct Registry {
    known: Mutex<Known>,
    /// Who goes through it.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    until: Mono,
    reasons: Option<BTreeMap<String, u64>>,
}

impl Registry {
    /// How many verdicts stand, by the kind of their reason; none where the backend does not tell.
    ///
    /// Going through a large one takes long: whoever asks meanwhile gets what was known before.
    pub(super) async fn read(&self, app: &App) -> Option<BTreeMap<String, u64>> {
        if !self.is_known(app) {
            let walker = app.clone();
            let walk = tokio::spawn(async move { walker.registry().walk(&walker).await });
            drop(future::select(walk, app.runtime().sleep(REGISTRY_PATIENCE)).await);
        }
        self.known().reasons.clone()
    }

    async fn walk(&self, app: &App) {
        let _turn = self.turn.lock().await;
        // Another one may have gone through it meanwhile.
        if self.is_known(app) {
            return;
        }
        let began = app.runtime().now();
        let counts = app.rucs(None).invalid_breakdown().await;
        let reasons = counts.ok().map(|counts| counts.breakdown_by_reason);
        let ended = app.runtime().now();
        let (least, times) = REGISTRY_LIFE;
        let until = ended.after(least.max(ended.since(began) * times));
        *self.known() = Known { until, reasons };
    }

    fn is_known(&self, app: &App) -> bool {
        app.runtime().now() < self.known().until
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
