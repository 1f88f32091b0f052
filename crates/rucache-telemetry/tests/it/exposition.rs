//! Names, types, labels and the number of series.

use std::time::Duration;

use rucache_core::breaker::CircuitState;
use rucache_core::observer::PushChange;
use rucache_core::{CacheEvent, Counts, ErrorKind, Observer as _, Operation, ServiceName};
use rucache_telemetry::table::{Kind, METRICS};
use rucache_telemetry::{CacheMetrics, Exporter, Reading, RouteMetrics};

use crate::every_event;
use crate::scrape::{Scrape, labels};

#[test]
fn the_table_is_what_a_scrape_shows() {
    let scrape = Scrape::of(&every_event::exporter());
    for metric in METRICS {
        assert_eq!(scrape.types.get(metric.name).map(String::as_str), Some(metric.kind.as_str()));
        assert_eq!(scrape.helps.get(metric.name).map(String::as_str), Some(metric.help));
        let suffix = if matches!(metric.kind, Kind::Histogram(_)) { "_count" } else { "" };
        let name = format!("{}{suffix}", metric.name);
        let series = scrape.beginning(&format!("{name}{{"));
        assert!(!series.is_empty(), "{name}");
        for one in series {
            assert_eq!(labels(one), (name.as_str(), metric.labels.to_vec()));
        }
    }
    let shown = scrape.types.keys().filter(|name| name.starts_with("rucache_"));
    assert_eq!(shown.count(), METRICS.len());
}

#[test]
fn every_histogram_has_its_buckets() {
    let scrape = Scrape::of(&every_event::exporter());
    for metric in METRICS {
        let Kind::Histogram(limits) = metric.kind else { continue };
        let count = scrape.beginning(&format!("{}_count{{", metric.name)).len();
        let buckets = scrape.beginning(&format!("{}_bucket{{", metric.name));
        assert_eq!(buckets.len(), count * (limits.len() + 1), "{}", metric.name);
        for limit in limits {
            let limit = format!("le=\"{limit}\"");
            let with = buckets.iter().filter(|series| series.contains(&limit)).count();
            assert_eq!(with, count, "{} {limit}", metric.name);
        }
    }
}

#[test]
fn names_follow_the_conventions() {
    for metric in METRICS {
        let name = metric.name;
        assert!(name.starts_with("rucache_"), "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        assert_eq!(name.ends_with("_total"), metric.kind == Kind::Counter, "{name}");
        assert!(!metric.help.is_empty() && !metric.help.ends_with('.'), "{name}");
        let same = METRICS.iter().filter(|other| other.name == name).count();
        assert_eq!(same, 1, "{name}");
    }
}

/// Names and labels are what alerts and dashboards of others stand on: a change of this list is a
/// change for them.
#[test]
fn a_cache_that_nobody_has_used_shows_these_series_at_zero() {
    let exporter = Exporter::new();
    let _metrics = CacheMetrics::new(exporter.recorder(), "c");
    let scrape = Scrape::of(&exporter);
    let all: Vec<&str> = scrape
        .samples
        .keys()
        .map(String::as_str)
        .filter(|series| !series.starts_with("process_") && !series.contains("_bucket{"))
        .collect();
    let expected = include_str!("unused.txt");
    assert_eq!(all.join("\n").trim(), expected.trim());
    for (series, value) in &scrape.samples {
        assert!(*value == 0.0 || series.starts_with("process_"), "{series} is {value}");
    }
}

#[test]
fn series_stay_under_3000_when_every_bound_is_reached() {
    let exporter = Exporter::new();
    exporter.show_build("0.1.0", "0123abc");
    let metrics = CacheMetrics::new(exporter.recorder(), "rucache");
    let took = Duration::from_millis(1);
    for number in 0..200 {
        let backend = ["redis", "memcached", "memory"][number % 3];
        let node = format!("10.0.0.{number}:6379");
        let name = format!("name-{number}");
        let operation = Operation::Get;
        for event in [
            CacheEvent::BackendCall { backend, operation, error: None, took },
            CacheEvent::BackendFailed { backend, node: Some(&node), kind: ErrorKind::Timeout },
            CacheEvent::BackendFailed { backend, node: None, kind: ErrorKind::Timeout },
            CacheEvent::Circuit { backend, node: &node, state: CircuitState::Open },
            CacheEvent::Pushed { backend, change: PushChange::Markers },
            CacheEvent::NegativeStored { service: "migo", reason: &name },
        ] {
            metrics.record(&event);
        }
    }
    let mut reading = Reading::default();
    for number in 0..200 {
        let name: ServiceName = format!("service-{number}").parse().expect("a name");
        reading.services.push((name, Counts::default()));
        reading.negatives.push((format!("reason-{number}"), 1));
        let calls = ["answered", "not_found", "timeout", "failed", "withheld"].map(|it| (it, 1));
        let name = format!("source-{number}");
        reading.providers.push(every_event::provider(&name, &calls, Some((1, 2))));
    }
    metrics.publish(&reading);
    // As many routes as the service has, and some to grow.
    for number in 0..30 {
        let route = format!("/v1/route-{number}");
        RouteMetrics::new(exporter.recorder(), "GET", &route).record(200, took);
    }
    let scrape = Scrape::of(&exporter);
    let series = scrape.samples.len();
    assert!(series < 3_000, "{series} series");
    assert_eq!(scrape.beginning("rucache_requests_total{").len(), 65 * 6);
    assert_eq!(scrape.beginning("rucache_provider_quota_limit{").len(), 9);
    assert_eq!(scrape.beginning("rucache_backend_up{backend=\"redis\"").len(), 17);
    assert_eq!(scrape.beginning("rucache_backend_up{backend=\"other\"").len(), 17);
    assert_eq!(scrape.beginning("rucache_backend_up{").len(), 34);
}
