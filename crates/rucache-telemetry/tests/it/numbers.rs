//! Counters and events as numbers.

use std::time::Duration;

use rucache_core::breaker::CircuitState;
use rucache_core::envelope::DecodeFailure;
use rucache_core::observer::{
    CacheOperation, LoadResult, Origin, PushChange, Reach, RefreshResult, RefreshTrigger, Scope,
    StaleReason, StoreResult, Tier, TierResult,
};
use rucache_core::{
    CacheEvent, Count, Counters, Counts, ErrorKind, Observer as _, Operation, ServiceName,
    Timestamp, Usage,
};
use rucache_telemetry::{CacheMetrics, Exporter, Reading, RouteMetrics};

use crate::every_event::provider;
use crate::scrape::Scrape;

fn counts(counts: &[(Count, u64)]) -> Counts {
    let counters = Counters::default();
    counts.iter().for_each(|(count, number)| counters.add(*count, *number));
    counters.read()
}

/// What a scrape shows after `reading`.
fn published(reading: &Reading) -> Scrape {
    let exporter = Exporter::new();
    CacheMetrics::new(exporter.recorder(), "c").publish(reading);
    Scrape::of(&exporter)
}

/// What a scrape shows after `events`.
fn observed(events: &[CacheEvent<'_>]) -> Scrape {
    let exporter = Exporter::new();
    let metrics = CacheMetrics::new(exporter.recorder(), "c");
    events.iter().for_each(|event| metrics.record(event));
    Scrape::of(&exporter)
}

fn check(scrape: &Scrape, expected: &[(&str, f64)]) {
    for (series, value) in expected {
        assert_eq!(scrape.value(series), *value, "{series}");
    }
}

#[test]
fn counters_of_a_service_become_its_requests() {
    let mut reading = Reading::default();
    let migo = counts(&[
        (Count::Hit(Tier::Local), 5),
        (Count::Hit(Tier::Shared), 2),
        (Count::Stale(StaleReason::LoadError), 3),
        (Count::NegativeHit, 4),
        (Count::Miss, 6),
        (Count::Bypass, 7),
        (Count::Error, 8),
    ]);
    let other = counts(&[(Count::Hit(Tier::Local), 1)]);
    reading.services =
        vec![(ServiceName::from_static("migo"), migo), (ServiceName::from_static("tc"), other)];
    check(
        &published(&reading),
        &[
            (r#"rucache_requests_total{cache="c",service="migo",result="hit"}"#, 7.0),
            (r#"rucache_requests_total{cache="c",service="migo",result="stale_hit"}"#, 3.0),
            (r#"rucache_requests_total{cache="c",service="migo",result="negative_hit"}"#, 4.0),
            (r#"rucache_requests_total{cache="c",service="migo",result="miss"}"#, 6.0),
            (r#"rucache_requests_total{cache="c",service="migo",result="bypass"}"#, 7.0),
            (r#"rucache_requests_total{cache="c",service="migo",result="error"}"#, 8.0),
            (r#"rucache_requests_total{cache="c",service="tc",result="hit"}"#, 1.0),
            (r#"rucache_requests_total{cache="c",service="tc",result="miss"}"#, 0.0),
            (r#"rucache_tier_requests_total{cache="c",tier="local",result="hit"}"#, 6.0),
            (r#"rucache_stale_served_total{cache="c",reason="load_error"}"#, 3.0),
        ],
    );
}

#[test]
fn counters_of_all_services_add_up_for_the_cache() {
    let one = counts(&[
        (Count::LocalMiss, 1),
        (Count::SharedRead(TierResult::Timeout), 2),
        (Count::Coalesced, 3),
        (Count::LoadStarted, 9),
        (Count::Load(LoadResult::Success), 4),
        (Count::Load(LoadResult::Panic), 1),
        (Count::Store(Tier::Shared, StoreResult::Superseded), 5),
        (Count::Refresh(RefreshTrigger::Early, RefreshResult::Shared), 6),
        (Count::Invalidation(Scope::Namespace, Origin::Push), 7),
    ]);
    let mut reading = Reading::default();
    reading.services =
        vec![(ServiceName::from_static("a"), one.clone()), (ServiceName::from_static("b"), one)];
    check(
        &published(&reading),
        &[
            (r#"rucache_tier_requests_total{cache="c",tier="local",result="miss"}"#, 2.0),
            (r#"rucache_tier_requests_total{cache="c",tier="shared",result="timeout"}"#, 4.0),
            (r#"rucache_coalesced_waiters_total{cache="c"}"#, 6.0),
            (r#"rucache_loads_total{cache="c",result="success"}"#, 8.0),
            (r#"rucache_loads_total{cache="c",result="panic"}"#, 2.0),
            (r#"rucache_loads_in_flight{cache="c"}"#, 8.0),
            (r#"rucache_stores_total{cache="c",tier="shared",result="superseded"}"#, 10.0),
            (r#"rucache_refreshes_total{cache="c",trigger="early",result="shared"}"#, 12.0),
            (r#"rucache_invalidations_total{cache="c",scope="namespace",origin="push"}"#, 14.0),
        ],
    );
}

#[test]
fn services_beyond_the_bound_are_added_up_and_keep_their_place() {
    let exporter = Exporter::new();
    let metrics = CacheMetrics::new(exporter.recorder(), "c");
    let reading = |misses: u32| {
        let mut reading = Reading::default();
        let name = |number: u32| format!("s{number}").parse().expect("a name");
        let counts = counts(&[(Count::Miss, u64::from(misses))]);
        reading.services = (0..100).map(|number| (name(number), counts.clone())).collect();
        reading
    };
    let series =
        |name| format!(r#"rucache_requests_total{{cache="c",service="{name}",result="miss"}}"#);
    for misses in [1_u32, 3] {
        metrics.publish(&reading(misses));
        let scrape = Scrape::of(&exporter);
        assert_eq!(scrape.value(&series("s63")), f64::from(misses));
        assert_eq!(scrape.value(&series("other")), 36.0 * f64::from(misses));
        assert!(!scrape.samples.contains_key(&series("s64")));
    }
}

#[test]
fn counters_never_go_back() {
    let exporter = Exporter::new();
    let metrics = CacheMetrics::new(exporter.recorder(), "c");
    for hits in [5, 3] {
        let mut reading = Reading::default();
        let counts = counts(&[(Count::Hit(Tier::Local), hits)]);
        reading.services = vec![(ServiceName::from_static("a"), counts)];
        metrics.publish(&reading);
    }
    let series = r#"rucache_requests_total{cache="c",service="a",result="hit"}"#;
    assert_eq!(Scrape::of(&exporter).value(series), 5.0);
}

#[test]
fn levels_are_shown_and_what_is_left_out_keeps_its_value() {
    let exporter = Exporter::new();
    let metrics = CacheMetrics::new(exporter.recorder(), "c");
    let mut reading = Reading::default();
    reading.usage = Some(Usage::new(10, 20, 30, 40));
    reading.suspect = Some(true);
    reading.outbox = Some(5);
    reading.overdue_loads = Some(6);
    reading.negatives = vec![("ERROR_API".to_owned(), 1 << 53)];
    reading.register = Some(Timestamp::from_millis(1_769_558_400_999));
    metrics.publish(&reading);
    metrics.publish(&Reading::default());
    check(
        &Scrape::of(&exporter),
        &[
            (r#"rucache_entries{cache="c"}"#, 10.0),
            (r#"rucache_memory_bytes{cache="c"}"#, 20.0),
            (r#"rucache_capacity_bytes{cache="c"}"#, 30.0),
            (r#"rucache_evictions_total{cache="c",cause="size"}"#, 40.0),
            (r#"rucache_local_suspect{cache="c"}"#, 1.0),
            (r#"rucache_outbox_entries{cache="c"}"#, 5.0),
            (r#"rucache_loads_overdue{cache="c"}"#, 6.0),
            (r#"rucache_negative_entries{cache="c",reason="ERROR_API"}"#, 9_007_199_254_740_992.0),
            (r#"rucache_register_timestamp_seconds{cache="c"}"#, 1_769_558_400.0),
        ],
    );
}

#[test]
fn reasons_beyond_the_bound_are_added_up() {
    let mut reading = Reading::default();
    reading.negatives = (0..20).map(|number| (format!("R{number}"), 5)).collect();
    check(
        &published(&reading),
        &[
            (r#"rucache_negative_entries{cache="c",reason="R15"}"#, 5.0),
            (r#"rucache_negative_entries{cache="c",reason="other"}"#, 20.0),
        ],
    );
}

#[test]
fn reasons_that_somebody_typed_are_other() {
    let service = "migo";
    let typed =
        ["20131312955", "of 20131312955", "número", "a b", "x-1234", "", &"long".repeat(11)];
    let stored = |reason| CacheEvent::NegativeStored { service, reason };
    let scrape = observed(&typed.map(stored));
    let series =
        |reason| format!(r#"rucache_negative_writes_total{{cache="c",reason="{reason}"}}"#);
    assert_eq!(scrape.beginning("rucache_negative_writes_total{"), [series("other")]);
    check(&scrape, &[(&series("other"), 7.0)]);
    let kinds = ["404_NOT_FOUND", "not-found", "withdrawn"];
    let scrape = observed(&kinds.map(stored));
    check(&scrape, &kinds.map(series).each_ref().map(|series| (series.as_str(), 1.0)));
}

#[test]
fn what_concerns_everything_counts_once_however_many_services_there_are() {
    let all = Count::Invalidation(Scope::All, Origin::Local);
    let mut reading = Reading::default();
    let service = |name, cleared| (ServiceName::from_static(name), counts(&[(all, cleared)]));
    reading.services = vec![service("a", 3), service("b", 3), service("new", 1)];
    let series = r#"rucache_invalidations_total{cache="c",scope="all",origin="local"}"#;
    check(&published(&reading), &[(series, 3.0)]);
}

#[test]
fn durations_and_lengths_fall_into_their_buckets() {
    let (operation, reach) = (CacheOperation::Set, Reach::Shared);
    let millis = Duration::from_millis;
    let scrape = observed(&[
        CacheEvent::CacheCall { operation, reach, took: millis(5) },
        CacheEvent::CacheCall { operation, reach, took: millis(6) },
        // Nothing is loaded by a set: there is no such series.
        CacheEvent::CacheCall { operation, reach: Reach::Origin, took: millis(6) },
        CacheEvent::LoadEnded { service: "a", result: LoadResult::Timeout, took: millis(9_000) },
        CacheEvent::LoadEnded { service: "a", result: LoadResult::Overloaded, took: millis(0) },
        CacheEvent::Store { service: "a", result: StoreResult::Stored, value_len: 500 },
        CacheEvent::Store { service: "a", result: StoreResult::TooLarge, value_len: 2_000_000 },
        CacheEvent::BackendCall {
            backend: "redis",
            operation: Operation::Lease,
            error: Some(ErrorKind::Timeout),
            took: millis(50),
        },
    ]);
    let duration = "rucache_operation_duration_seconds";
    assert_eq!(scrape.beginning(&format!("{duration}_count")).len(), 20);
    check(
        &scrape,
        &[
            (&format!(r#"{duration}_bucket{{cache="c",op="set",reach="shared",le="0.005"}}"#), 1.0),
            (&format!(r#"{duration}_bucket{{cache="c",op="set",reach="shared",le="0.01"}}"#), 2.0),
            (&format!(r#"{duration}_sum{{cache="c",op="set",reach="shared"}}"#), 0.011),
            (r#"rucache_load_duration_seconds_bucket{cache="c",le="5"}"#, 0.0),
            (r#"rucache_load_duration_seconds_bucket{cache="c",le="10"}"#, 1.0),
            (r#"rucache_load_duration_seconds_count{cache="c"}"#, 1.0),
            (r#"rucache_value_bytes_bucket{cache="c",le="256"}"#, 0.0),
            (r#"rucache_value_bytes_bucket{cache="c",le="1024"}"#, 1.0),
            (r#"rucache_value_bytes_count{cache="c"}"#, 1.0),
            (
                r#"rucache_backend_operation_duration_seconds_bucket{backend="redis",op="lease",le="0.05"}"#,
                1.0,
            ),
            (r#"rucache_backend_operation_duration_seconds_count{backend="redis",op="get"}"#, 0.0),
        ],
    );
}

#[test]
fn a_node_that_goes_and_comes_back_moves_these_series() {
    let exporter = Exporter::new();
    let metrics = CacheMetrics::new(exporter.recorder(), "c");
    let (backend, node) = ("redis", "n1");
    let states = [CircuitState::Closed, CircuitState::Open, CircuitState::HalfOpen];
    let mut shown = Vec::new();
    for state in [states[0], states[1], states[2], states[1], states[2], states[0], states[0]] {
        metrics.record(&CacheEvent::Circuit { backend, node, state });
        let scrape = Scrape::of(&exporter);
        let label = r#"{backend="redis",node="n1"}"#;
        let up = scrape.value(&format!("rucache_backend_up{label}"));
        let reconnects = scrape.value(&format!("rucache_backend_reconnects_total{label}"));
        for other in states {
            let series = format!(
                r#"rucache_backend_circuit_state{{backend="redis",node="n1",state="{}"}}"#,
                other.as_str()
            );
            assert_eq!(scrape.value(&series), f64::from(u8::from(other == state)), "{series}");
        }
        shown.push((up, reconnects));
    }
    let (up, down) = ((1.0, 0.0), (0.0, 0.0));
    assert_eq!(shown, [up, down, down, down, down, (1.0, 1.0), (1.0, 1.0)]);
}

#[test]
fn failures_are_counted_by_node_and_kind_and_skipped_calls_apart() {
    let backend = "memcached";
    let failed = |node, kind| CacheEvent::BackendFailed { backend, node, kind };
    let scrape = observed(&[
        failed(Some("n1"), ErrorKind::Timeout),
        failed(Some("n1"), ErrorKind::CircuitOpen),
        failed(Some("n1"), ErrorKind::CircuitOpen),
        failed(None, ErrorKind::Protocol),
    ]);
    let errors = "rucache_backend_errors_total";
    check(
        &scrape,
        &[
            (&format!(r#"{errors}{{backend="memcached",node="n1",kind="timeout"}}"#), 1.0),
            (&format!(r#"{errors}{{backend="memcached",node="n1",kind="full"}}"#), 0.0),
            (&format!(r#"{errors}{{backend="memcached",node="all",kind="protocol"}}"#), 1.0),
            (r#"rucache_backend_fast_failures_total{backend="memcached",node="n1"}"#, 2.0),
            (r#"rucache_backend_up{backend="memcached",node="n1"}"#, 1.0),
        ],
    );
    assert!(scrape.samples.keys().all(|series| !series.contains("circuit_open")));
}

#[test]
fn push_and_verdicts_are_counted() {
    let (backend, service) = ("redis", "migo");
    let scrape = observed(&[
        CacheEvent::Pushed { backend, change: PushChange::Restored },
        CacheEvent::Pushed { backend, change: PushChange::Entries },
        CacheEvent::Pushed { backend, change: PushChange::Lost },
        CacheEvent::NegativeStored { service, reason: "NO_EXISTE_SUNAT" },
        CacheEvent::DecodeFailed { service, reason: DecodeFailure::KeyMismatch },
    ]);
    check(
        &scrape,
        &[
            (r#"rucache_push_connected{backend="redis"}"#, 0.0),
            (r#"rucache_push_messages_total{backend="redis",change="entries"}"#, 1.0),
            (r#"rucache_push_messages_total{backend="redis",change="lost"}"#, 1.0),
            (r#"rucache_negative_writes_total{cache="c",reason="NO_EXISTE_SUNAT"}"#, 1.0),
            (r#"rucache_decode_failures_total{cache="c",reason="key_mismatch"}"#, 1.0),
            (r#"rucache_decode_failures_total{cache="c",reason="magic"}"#, 0.0),
        ],
    );
}

#[test]
fn sources_are_shown_as_they_were_read_last() {
    let exporter = Exporter::new();
    let metrics = CacheMetrics::new(exporter.recorder(), "c");
    let publish = |answered, remaining| {
        let mut reading = Reading::default();
        reading.providers = vec![
            provider("migo", &[("answered", answered), ("failed", 0)], Some((remaining, 1_000))),
            provider("apiperu", &[("answered", 1)], None),
        ];
        metrics.publish(&reading);
        Scrape::of(&exporter)
    };
    publish(1, 999);
    let scrape = publish(7, 993);
    check(
        &scrape,
        &[
            (r#"rucache_provider_requests_total{provider="migo",result="answered"}"#, 7.0),
            (r#"rucache_provider_requests_total{provider="migo",result="failed"}"#, 0.0),
            (r#"rucache_provider_requests_total{provider="apiperu",result="answered"}"#, 1.0),
        ],
    );
    // Only of a source with a budget.
    let quotas = [
        (r#"rucache_provider_quota_limit{provider="migo"}"#, 1_000.0),
        (r#"rucache_provider_quota_remaining{provider="migo"}"#, 993.0),
    ];
    check(&scrape, &quotas);
    assert_eq!(scrape.beginning("rucache_provider_quota"), quotas.map(|(series, _)| series));
}

#[test]
fn requests_to_a_route_are_counted_by_class_of_status() {
    let exporter = Exporter::new();
    let route = RouteMetrics::new(exporter.recorder(), "GET", "/v1/ruc/{ruc}");
    for status in [100, 200, 204, 304, 404, 422, 503, 700, 0] {
        route.record(status, Duration::from_millis(1));
    }
    let scrape = Scrape::of(&exporter);
    for (class, requests) in [("1xx", 2.0), ("2xx", 2.0), ("3xx", 1.0), ("4xx", 2.0), ("5xx", 2.0)]
    {
        let labels = format!(r#"{{route="/v1/ruc/{{ruc}}",method="GET",status="{class}"}}"#);
        assert_eq!(scrape.value(&format!("rucache_http_requests_total{labels}")), requests);
    }
    let count =
        r#"rucache_http_request_duration_seconds_count{route="/v1/ruc/{ruc}",method="GET"}"#;
    assert_eq!(scrape.value(count), 9.0);
}
