//! Every metric: name, type, labels, buckets, help. `docs/metrics.md` is compared with this file.

/// A metric, as it stands in an exposition.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name: snake case, base units, `_total` at the end of a counter's.
    pub name: &'static str,
    /// What kind of number it is.
    pub kind: Kind,
    /// The names of its labels, in order.
    pub labels: &'static [&'static str],
    /// What it says, in a line.
    pub help: &'static str,
}

/// What kind of number a metric is.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// A number that only grows.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// Counts of observations up to each of some limits.
    Histogram(&'static [f64]),
}

impl Kind {
    /// The kind as Prometheus names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

impl Metric {
    const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Counter, labels, help }
    }

    const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Gauge, labels, help }
    }

    const fn histogram(
        name: &'static str,
        labels: &'static [&'static str],
        buckets: &'static [f64],
        help: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Histogram(buckets), labels, help }
    }
}

/// Limits for calls of the cache and of its backends, in seconds. The targets for reading (5 ms),
/// writing (10 ms) and clearing (100 ms) are among them, so that a share beyond them is exact.
const CALLS: &[f64] = &[
    0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1,
    0.25, 0.5, 1.0, 2.5,
];

/// Limits for loads, in seconds.
const LOADS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Limits for lengths of values, in bytes.
const LENGTHS: &[f64] =
    &[64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0];

macro_rules! table {
    ($(pub(crate) const $name:ident: Metric = $metric:expr;)*) => {
        $(pub(crate) const $name: Metric = $metric;)*

        /// Every metric, those of the process itself (`process_…`) apart.
        pub const METRICS: &[Metric] = &[$($name),*];
    };
}

table! {
    pub(crate) const REQUESTS: Metric = Metric::counter(
        "rucache_requests_total",
        &["cache", "service", "result"],
        "Reads by how they were answered",
    );
    pub(crate) const TIER_REQUESTS: Metric = Metric::counter(
        "rucache_tier_requests_total",
        &["cache", "tier", "result"],
        "Entries asked for at each tier by what it had",
    );
    pub(crate) const OPERATION_DURATION: Metric = Metric::histogram(
        "rucache_operation_duration_seconds",
        &["cache", "op", "reach"],
        CALLS,
        "Time of calls by how far they went; of those that the local tier answers one in 128",
    );
    pub(crate) const STALE_SERVED: Metric = Metric::counter(
        "rucache_stale_served_total",
        &["cache", "reason"],
        "Reads answered with a stale value by why",
    );
    pub(crate) const COALESCED: Metric = Metric::counter(
        "rucache_coalesced_waiters_total",
        &["cache"],
        "Reads that waited for a load that another one had started",
    );
    pub(crate) const LOADS_ENDED: Metric = Metric::counter(
        "rucache_loads_total",
        &["cache", "result"],
        "Loads by how they ended",
    );
    pub(crate) const LOAD_DURATION: Metric = Metric::histogram(
        "rucache_load_duration_seconds",
        &["cache"],
        LOADS,
        "Time of loads",
    );
    pub(crate) const LOADS_IN_FLIGHT: Metric = Metric::gauge(
        "rucache_loads_in_flight",
        &["cache"],
        "Loads that have begun and not ended",
    );
    pub(crate) const LOADS_OVERDUE: Metric = Metric::gauge(
        "rucache_loads_overdue",
        &["cache"],
        "Keys held by a load past its deadline",
    );
    pub(crate) const REFRESHES: Metric = Metric::counter(
        "rucache_refreshes_total",
        &["cache", "trigger", "result"],
        "Refreshes in the background by what started them and how they ended",
    );
    pub(crate) const STORES: Metric = Metric::counter(
        "rucache_stores_total",
        &["cache", "tier", "result"],
        "Values to be stored in each tier by what became of them",
    );
    pub(crate) const VALUE_BYTES: Metric = Metric::histogram(
        "rucache_value_bytes",
        &["cache"],
        LENGTHS,
        "Length of stored values as JSON",
    );
    pub(crate) const INVALIDATIONS: Metric = Metric::counter(
        "rucache_invalidations_total",
        &["cache", "scope", "origin"],
        "Invalidations by how much they cover and where they came from",
    );
    pub(crate) const OUTBOX: Metric = Metric::gauge(
        "rucache_outbox_entries",
        &["cache"],
        "Invalidations that wait for the shared tier",
    );
    pub(crate) const SUSPECT: Metric = Metric::gauge(
        "rucache_local_suspect",
        &["cache"],
        "1 while the local tier trusts its entries for two seconds only, because changes are not pushed",
    );
    pub(crate) const NEGATIVE_WRITES: Metric = Metric::counter(
        "rucache_negative_writes_total",
        &["cache", "reason"],
        "Stored verdicts that there is no value",
    );
    pub(crate) const NEGATIVE_ENTRIES: Metric = Metric::gauge(
        "rucache_negative_entries",
        &["cache", "reason"],
        "Verdicts in the negative registry",
    );
    pub(crate) const DECODE_FAILURES: Metric = Metric::counter(
        "rucache_decode_failures_total",
        &["cache", "reason"],
        "Entries of the shared tier that were not usable",
    );
    pub(crate) const ENTRIES: Metric = Metric::gauge(
        "rucache_entries",
        &["cache"],
        "Entries in the local tier, expired ones that are still held included",
    );
    pub(crate) const MEMORY: Metric = Metric::gauge(
        "rucache_memory_bytes",
        &["cache"],
        "Bytes charged to the local tier",
    );
    pub(crate) const CAPACITY: Metric = Metric::gauge(
        "rucache_capacity_bytes",
        &["cache"],
        "Bytes that the local tier may be charged",
    );
    pub(crate) const EVICTIONS: Metric = Metric::counter(
        "rucache_evictions_total",
        &["cache", "cause"],
        "Entries evicted from the local tier",
    );
    pub(crate) const REGISTER: Metric = Metric::gauge(
        "rucache_register_timestamp_seconds",
        &["cache"],
        "When the register of taxpayers in use was published",
    );
    pub(crate) const BACKEND_DURATION: Metric = Metric::histogram(
        "rucache_backend_operation_duration_seconds",
        &["backend", "op"],
        CALLS,
        "Time of calls to a backend",
    );
    pub(crate) const BACKEND_ERRORS: Metric = Metric::counter(
        "rucache_backend_errors_total",
        &["backend", "node", "kind"],
        "Calls to a backend that failed",
    );
    pub(crate) const BACKEND_FAST_FAILURES: Metric = Metric::counter(
        "rucache_backend_fast_failures_total",
        &["backend", "node"],
        "Calls to a backend that were skipped because of its open circuit",
    );
    pub(crate) const BACKEND_UP: Metric = Metric::gauge(
        "rucache_backend_up",
        &["backend", "node"],
        "1 while the circuit of a node is closed",
    );
    pub(crate) const BACKEND_CIRCUIT: Metric = Metric::gauge(
        "rucache_backend_circuit_state",
        &["backend", "node", "state"],
        "1 for the state that the circuit of a node is in",
    );
    pub(crate) const BACKEND_RECONNECTS: Metric = Metric::counter(
        "rucache_backend_reconnects_total",
        &["backend", "node"],
        "Times that the circuit of a node closed again",
    );
    pub(crate) const PUSH_CONNECTED: Metric = Metric::gauge(
        "rucache_push_connected",
        &["backend"],
        "1 while a backend tells of changes",
    );
    pub(crate) const PUSH_MESSAGES: Metric = Metric::counter(
        "rucache_push_messages_total",
        &["backend", "change"],
        "What a backend pushed",
    );
    pub(crate) const PROVIDER_REQUESTS: Metric = Metric::counter(
        "rucache_provider_requests_total",
        &["provider", "result"],
        "Calls to a metered source of records by what became of them",
    );
    pub(crate) const PROVIDER_REMAINING: Metric = Metric::gauge(
        "rucache_provider_quota_remaining",
        &["provider"],
        "Calls left of a source's budget of this month",
    );
    pub(crate) const PROVIDER_LIMIT: Metric = Metric::gauge(
        "rucache_provider_quota_limit",
        &["provider"],
        "Calls of a source's budget of a month",
    );
    pub(crate) const HTTP_REQUESTS: Metric = Metric::counter(
        "rucache_http_requests_total",
        &["route", "method", "status"],
        "Requests to the service by class of status",
    );
    pub(crate) const HTTP_DURATION: Metric = Metric::histogram(
        "rucache_http_request_duration_seconds",
        &["route", "method"],
        CALLS,
        "Time of requests to the service",
    );
    pub(crate) const BUILD: Metric = Metric::gauge(
        "rucache_build_info",
        &["version", "revision"],
        "1, with what is running as labels",
    );
}
