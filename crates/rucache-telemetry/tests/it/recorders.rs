//! Recorders of a program's own, and what stands in them.

use std::time::Duration;

use rucache_core::observer::LoadResult;
use rucache_core::{CacheEvent, Observer as _};
use rucache_telemetry::{CacheMetrics, Exporter, installed};

use crate::scrape::Scrape;

const LOAD: CacheEvent<'_> = CacheEvent::LoadEnded {
    service: "migo",
    result: LoadResult::Success,
    took: Duration::from_millis(1),
};

const LOADS: &str = r#"rucache_load_duration_seconds_count{cache="own"}"#;

#[test]
fn a_recorder_that_the_program_installed_is_used() {
    let exporter = Exporter::new();
    let metrics = metrics::with_local_recorder(&exporter.recorder(), || {
        CacheMetrics::new(installed(), "own")
    });
    metrics.record(&LOAD);
    assert_eq!(Scrape::of(&exporter).value(LOADS), 1.0);
}

#[test]
fn without_an_installed_recorder_nothing_happens() {
    let metrics = CacheMetrics::new(installed(), "own");
    metrics.record(&LOAD);
}

#[test]
fn caches_of_one_recorder_are_told_apart() {
    let exporter = Exporter::new();
    let own = CacheMetrics::new(exporter.recorder(), "own");
    let other = CacheMetrics::new(exporter.recorder(), "other");
    own.record(&LOAD);
    own.record(&LOAD);
    other.record(&LOAD);
    let scrape = Scrape::of(&exporter);
    assert_eq!(scrape.value(LOADS), 2.0);
    assert_eq!(scrape.value(&LOADS.replace("own", "other")), 1.0);
}

#[test]
fn upkeep_keeps_what_was_observed() {
    let exporter = Exporter::new();
    let metrics = CacheMetrics::new(exporter.recorder(), "own");
    for _ in 0..3 {
        metrics.record(&LOAD);
        exporter.upkeep();
    }
    assert_eq!(Scrape::of(&exporter).value(LOADS), 3.0);
}

#[test]
fn the_process_and_the_build_are_shown() {
    let exporter = Exporter::new();
    exporter.show_build("1.2.3", "0123abc");
    let scrape = Scrape::of(&exporter);
    let build = r#"rucache_build_info{version="1.2.3",revision="0123abc"}"#;
    assert_eq!(scrape.value(build), 1.0);
    if cfg!(target_os = "linux") {
        assert!(scrape.value("process_resident_memory_bytes") > 1_000_000.0);
        assert!(scrape.value("process_open_fds") >= 3.0);
        assert!(scrape.value("process_open_fds") < scrape.value("process_max_fds"));
        assert!(scrape.value("process_start_time_seconds") > 1_700_000_000.0);
        assert!(scrape.value("process_threads") >= 1.0);
    }
}
