//! Redis killed under load: exactly the metrics that tell of it move, the alert fires, and all of it
//! returns.

use std::collections::BTreeSet;

use rucache_testkit::{Prometheus, RedisOptions, RedisServer, wait_until};

use crate::service::{PATIENCE, Service};

const ALERTS: &str = include_str!("../../../../docs/prometheus/alerts.yml");

/// What moves while Redis is down and at no other time.
const OF_THE_OUTAGE: [&str; 7] = [
    "rucache_backend_circuit_state",
    "rucache_backend_fast_failures_total",
    "rucache_backend_up",
    "rucache_local_suspect",
    "rucache_push_connected",
    "rucache_stores_total shared error",
    "rucache_tier_requests_total shared skipped",
];

/// What moves then if a call was under way: how it fails depends on where it was.
const OF_A_BROKEN_CALL: [&str; 3] = [
    "rucache_backend_errors_total",
    "rucache_tier_requests_total shared error",
    "rucache_tier_requests_total shared timeout",
];

/// The families, told apart by tier and result, that move between two scrapes.
fn moved(before: &[(String, f64)], after: &[(String, f64)]) -> BTreeSet<String> {
    let moves = |(series, value): &&(String, f64)| {
        before.iter().find(|(known, _)| known == series).is_none_or(|(_, known)| known != value)
    };
    let families = after.iter().filter(moves).map(|(series, _)| family(series));
    // The process's own files, memory and threads are nobody's fault.
    families.filter(|family| !family.starts_with("process_")).collect()
}

fn family(series: &str) -> String {
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let label = |wanted: &str| {
        let labels = labels.trim_end_matches('}').split(',');
        let mut pairs = labels.filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value.trim_matches('"').to_owned())
    };
    let parts = ["tier", "result"].map(label);
    parts.into_iter().flatten().fold(name.to_owned(), |family, part| format!("{family} {part}"))
}

/// The alert as it is shipped, with a patience of a second in the place of a minute.
fn impatient() -> String {
    let (before, rest) = ALERTS.split_once("alert: RucacheBackendDown").expect("the alert");
    let (rule, after) = rest.split_once("for: 1m").expect("its patience");
    assert!(!rule.contains("alert:"), "another alert's patience");
    format!("{before}alert: RucacheBackendDown{rule}for: 1s{after}")
}

#[test]
fn killed_redis_moves_its_metrics_and_fires_its_alert_until_it_returns() {
    let redis = RedisServer::start(RedisOptions::default());
    // With patience: a machine that is busy compiling must not pass for a Redis that is down.
    let service = Service::start(&format!("{}?timeout=2s", redis.url()), &[]);
    let prometheus = Prometheus::start(service.address(), &[&impatient()]);
    let firing = "ALERTS{alertname=\"RucacheBackendDown\",alertstate=\"firing\"}";
    let comes_to = |expression: &str, expected: Option<f64>| {
        let came = wait_until(PATIENCE, || prometheus.value(expression) == expected);
        let last = prometheus.value(expression);
        assert!(came, "{expression} is {last:?}, not {expected:?}; log:\n{}", service.log());
    };
    comes_to("min(rucache_backend_up)", Some(1.0));
    comes_to("min(rucache_push_connected)", Some(1.0));
    let load = service.load(&["/v1/ruc/20131312955", "/v1/cache/shop/x"]);
    let answered = |count: u64| {
        let until = load.answers() + count;
        assert!(wait_until(PATIENCE, || load.answers() >= until), "the load stands still");
    };
    answered(200);
    let calm = service.scrape();
    answered(200);
    // A load belongs to what is usual.
    assert_eq!(service.delete("/v1/ruc/20131312955"), 204);
    answered(200);
    let busy = service.scrape();
    let usual = moved(&calm, &busy);

    redis.kill_9();
    comes_to("min(rucache_backend_up)", Some(0.0));
    comes_to("sum(rucache_backend_circuit_state{state=\"closed\"})", Some(0.0));
    comes_to(&format!("count({firing})"), Some(1.0));
    answered(200);
    let down = service.scrape();
    let moved_now = moved(&busy, &down);
    let of_the_outage = moved_now.difference(&usual).map(String::as_str);
    let of_the_outage: BTreeSet<&str> =
        of_the_outage.filter(|family| !OF_A_BROKEN_CALL.contains(family)).collect();
    assert_eq!(of_the_outage, BTreeSet::from(OF_THE_OUTAGE));

    redis.restart();
    comes_to("min(rucache_backend_up)", Some(1.0));
    comes_to("sum(rucache_backend_circuit_state{state=\"closed\"})", Some(1.0));
    // One return, however often the node was tried before.
    comes_to("sum(rucache_backend_reconnects_total)", Some(1.0));
    comes_to("min(rucache_push_connected)", Some(1.0));
    comes_to("max(rucache_local_suspect)", Some(0.0));
    comes_to(firing, None);
    answered(100);
    let (before, after) = (service.scrape(), {
        answered(400);
        service.scrape()
    });
    let back: BTreeSet<String> = moved(&before, &after).difference(&usual).cloned().collect();
    assert_eq!(back, BTreeSet::new(), "what moved in the outage rests again");
    drop(load);
}

#[test]
fn backend_that_was_never_there_is_down_from_the_start() {
    let redis = RedisServer::start(RedisOptions::default());
    redis.kill_9();
    let service = Service::start(&redis.url(), &[]);
    let value = |series: &str| {
        let scrape = service.scrape();
        scrape.iter().find(|(known, _)| known.starts_with(series)).map(|(_, value)| *value)
    };
    assert!(wait_until(PATIENCE, || value("rucache_backend_up{") == Some(0.0)));
    assert_eq!(value("rucache_backend_reconnects_total{"), Some(0.0));
    redis.restart();
    assert!(wait_until(PATIENCE, || value("rucache_backend_up{") == Some(1.0)));
}

#[test]
fn families_are_told_apart_by_tier_and_result() {
    let series = "rucache_tier_requests_total{cache=\"c\",tier=\"shared\",result=\"skipped\"}";
    assert_eq!(family(series), "rucache_tier_requests_total shared skipped");
    assert_eq!(family("rucache_entries"), "rucache_entries");
}
