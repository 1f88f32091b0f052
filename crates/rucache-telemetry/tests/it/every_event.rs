//! One of every event and every number that a cache can tell.

use std::time::Duration;

use rucache_core::breaker::CircuitState;
use rucache_core::envelope::DecodeFailure;
use rucache_core::observer::{CacheOperation, LoadResult, PushChange, Reach, StoreResult};
use rucache_core::{
    CacheEvent, Count, Counters, ErrorKind, Observer as _, Operation, ServiceName, Timestamp, Usage,
};
use rucache_telemetry::{CacheMetrics, Exporter, ProviderReading, Quota, Reading, RouteMetrics};

const TOOK: Duration = Duration::from_millis(3);

/// An exporter that has seen everything, of a cache with every count at one.
pub(crate) fn exporter() -> Exporter {
    let exporter = Exporter::new();
    exporter.show_build("0.1.0", "0123abc");
    let metrics = CacheMetrics::new(exporter.recorder(), "rucache");
    events().iter().for_each(|event| metrics.record(event));
    metrics.publish(&reading());
    let route = RouteMetrics::new(exporter.recorder(), "GET", "/v1/ruc/{ruc}");
    route.record(200, TOOK);
    exporter
}

fn events() -> Vec<CacheEvent<'static>> {
    let (service, backend) = ("migo", "redis");
    vec![
        CacheEvent::CacheCall {
            operation: CacheOperation::GetOrLoad,
            reach: Reach::Shared,
            took: TOOK,
        },
        CacheEvent::LoadEnded { service, result: LoadResult::Success, took: TOOK },
        CacheEvent::Store { service, result: StoreResult::Stored, value_len: 500 },
        CacheEvent::NegativeStored { service, reason: "NO_EXISTE_SUNAT" },
        CacheEvent::DecodeFailed { service, reason: DecodeFailure::Checksum },
        CacheEvent::BackendCall { backend, operation: Operation::Get, error: None, took: TOOK },
        CacheEvent::BackendFailed {
            backend,
            node: Some("10.0.0.1:6379"),
            kind: ErrorKind::Timeout,
        },
        CacheEvent::Circuit { backend, node: "10.0.0.1:6379", state: CircuitState::Open },
        CacheEvent::Pushed { backend, change: PushChange::Entries },
    ]
}

fn reading() -> Reading {
    let counters = Counters::default();
    Count::all().for_each(|count| counters.add(count, 1));
    let mut reading = Reading::default();
    reading.services = vec![(ServiceName::from_static("migo"), counters.read())];
    reading.usage = Some(Usage::new(1_000, 500_000, 67_108_864, 7));
    reading.suspect = Some(false);
    reading.outbox = Some(0);
    reading.overdue_loads = Some(0);
    reading.negatives = vec![("NO_EXISTE_SUNAT".to_owned(), 5)];
    reading.register = Some(Timestamp::from_millis(1_769_558_400_000));
    reading.providers = vec![provider("migo", &[("answered", 60)], Some((940, 1_000)))];
    reading
}

/// The reading of a source with `quota` left of its budget.
pub(crate) fn provider(
    name: &str,
    calls: &[(&'static str, u64)],
    quota: Option<(u64, u64)>,
) -> ProviderReading {
    let mut provider = ProviderReading::default();
    provider.name = name.to_owned();
    provider.calls = calls.to_vec();
    provider.quota = quota.map(|(remaining, limit)| Quota { remaining, limit });
    provider
}
