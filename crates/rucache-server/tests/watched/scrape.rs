//! A real Prometheus scrapes the service under load: it answers with what the load implies.

use rucache_testkit::{
    Memcached, MemcachedOptions, Prometheus, RedisOptions, RedisServer, wait_until,
};
use serde_json::json;

use crate::service::{KNOWN, PATIENCE, Service};

const RULES: [&str; 2] = [
    include_str!("../../../../docs/prometheus/recording.yml"),
    include_str!("../../../../docs/prometheus/alerts.yml"),
];

/// Entries that are stored, rounds of reads of them all, and names that nobody stored.
const ENTRIES: usize = 40;
const ROUNDS: usize = 6;
const ABSENT: usize = 60;

/// The entries, and a record of each number.
const STORED: f64 = 42.0;

/// Six rounds over 40 entries and 60 reads of nothing: 240 hits of 300 reads, which is 0.8; and
/// of two numbers each a load and nine hits.
fn check(backend: &str) {
    let service = Service::start(backend, &[]);
    let prometheus = Prometheus::start(service.address(), &RULES);
    let answers = |expression: &str, expected: f64| {
        let mut last = None;
        let came = wait_until(PATIENCE, || {
            last = prometheus.value(expression);
            last.is_some_and(|value| (value - expected).abs() < 1e-9)
        });
        assert!(came, "{backend}: {expression} is {last:?}, not {expected}");
    };
    answers("sum(up)", 1.0);
    for entry in 0..ENTRIES {
        assert_eq!(service.put(&format!("/v1/cache/shop/item_{entry}"), &json!([entry])), 204);
    }
    for _ in 0..ROUNDS {
        for entry in 0..ENTRIES {
            let (status, body) = service.get(&format!("/v1/cache/shop/item_{entry}"));
            assert_eq!((status, body), (200, format!("[{entry}]")));
        }
    }
    for entry in 0..ABSENT {
        assert_eq!(service.get(&format!("/v1/cache/shop/nothing_{entry}")).0, 404);
    }
    for _ in 0..10 {
        for number in KNOWN {
            assert_eq!(service.get(&format!("/v1/ruc/{number}")).0, 200);
        }
    }
    let shop =
        |result| format!("sum(rucache_requests_total{{service=\"shop\",result=\"{result}\"}})");
    answers(&shop("hit"), 240.0);
    answers(&shop("miss"), 60.0);
    answers(&shop("error"), 0.0);
    answers(
        "sum(rucache_requests_total{service=\"shop\",result=~\"hit|stale_hit|negative_hit\"}) \
         / sum(rucache_requests_total{service=\"shop\"})",
        0.8,
    );
    answers("sum(rucache_requests_total{service=\"migo\",result=\"hit\"})", 18.0);
    answers("sum(rucache_loads_total{result=\"success\"})", 2.0);
    answers("sum(rucache_loads_total)", 2.0);
    answers("sum(rucache_load_duration_seconds_count)", 2.0);
    answers("sum(rucache_loads_in_flight)", 0.0);
    answers(
        "sum(rucache_http_requests_total{route=\"/v1/ruc/{ruc}\",method=\"GET\",status=\"2xx\"})",
        20.0,
    );
    answers("count(ALERTS{alertstate=\"firing\"}) or vector(0)", 0.0);
    if backend.starts_with("memory") {
        answers("sum(rucache_stores_total{tier=\"local\",result=\"stored\"})", STORED);
        answers("sum(rucache_entries)", STORED);
    } else {
        answers("sum(rucache_stores_total{tier=\"shared\",result=\"stored\"})", STORED);
        answers("sum(rucache_backend_errors_total) or vector(0)", 0.0);
    }
}

/// With patience: a machine that is busy compiling must not pass for a server that is down.
fn patient(url: &str) -> String {
    format!("{url}?timeout=2s")
}

#[test]
fn memory_under_load_answers_with_what_the_load_implies() {
    check("memory://");
}

#[test]
fn redis_under_load_answers_with_what_the_load_implies() {
    check(&patient(&RedisServer::start(RedisOptions::default()).url()));
}

#[test]
fn memcached_under_load_answers_with_what_the_load_implies() {
    check(&patient(&Memcached::start(MemcachedOptions::default()).url()));
}
