//! Leases over HTTP on real servers, between two services.

use std::time::Duration;

use rucache_testkit::{Memcached, MemcachedOptions, RedisOptions, RedisServer};
use serde_json::Value;

use super::program::{Service, rucache};

const REPORT: &str = "/v1/cache/migo/report";

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

/// Status and body of a GET.
fn get(service: &Service, target: &str) -> (u16, Value) {
    let mut answer = agent().get(format!("{}{target}", service.url)).call().expect("an answer");
    let body = answer.body_mut().read_to_string().expect("text");
    (answer.status().as_u16(), serde_json::from_str(&body).expect("JSON"))
}

fn put(service: &Service, target: &str, body: &str) -> u16 {
    let request = agent().put(format!("{}{target}", service.url));
    let answer = request.header("Content-Type", "application/json").send(body);
    answer.expect("an answer").status().as_u16()
}

fn lease(service: &Service, wait: u64) -> (u16, Value) {
    get(service, &format!("{REPORT}?lease=30&wait={wait}"))
}

#[track_caller]
fn granted(service: &Service) -> String {
    let (status, body) = lease(service, 0);
    assert_eq!(status, 404, "{body}");
    body["lease"].as_str().expect("a lease").to_owned()
}

#[test]
fn one_client_of_two_services_loads_and_a_delete_supersedes_it() {
    let redis = RedisServer::start(RedisOptions::default());
    let memcached = Memcached::start_pool(3, &MemcachedOptions::default());
    let patient = |url: String| format!("{url}?timeout=5s");
    for url in [patient(redis.url()), patient(Memcached::pool_url(&memcached))] {
        let over =
            || Service::of(rucache(&["--backend", &url, "serve", "--listen", "127.0.0.1:0"]));
        let (one, two) = (over(), over());
        let token = granted(&one);
        let (status, refused) = lease(&two, 0);
        assert_eq!((status, refused.get("lease")), (404, None), "{url}");
        let filled = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| lease(&two, 20_000));
            assert_eq!(put(&one, &format!("{REPORT}?ttl=60&lease={token}"), "[1]"), 204, "{url}");
            waiting.join().expect("an answer")
        });
        assert_eq!(filled, (200, serde_json::json!([1])), "{url}");

        for (service, target) in [(&two, REPORT), (&two, "/v1/cache/migo"), (&one, REPORT)] {
            let gone = agent().delete(format!("{}{REPORT}", one.url)).call().expect("an answer");
            assert_eq!(gone.status(), 204);
            let token = granted(&one);
            let changed = agent().delete(format!("{}{target}", service.url)).call();
            assert!(changed.expect("an answer").status().is_success());
            let late = put(&one, &format!("{REPORT}?lease={token}"), "2");
            assert_eq!(late, 409, "{url}: {target}");
            assert_ne!(get(&two, REPORT), (200, Value::from(2)), "{url}: {target}");
        }
        // A lease given by one service is good at the other.
        let _ = agent().delete(format!("{}{REPORT}", one.url)).call();
        let token = granted(&one);
        assert_eq!(put(&two, &format!("{REPORT}?tags=a&lease={token}"), "3"), 204, "{url}");
        let seen = rucache_testkit::wait_until(Duration::from_secs(5), || {
            get(&one, REPORT) == (200, Value::from(3))
        });
        assert!(seen, "{url}");
    }
}

#[test]
fn names_are_listed_where_the_server_can() {
    let redis = RedisServer::start(RedisOptions::default());
    let url = format!("{}?timeout=5s", redis.url());
    let service = Service::of(rucache(&["--backend", &url, "serve", "--listen", "127.0.0.1:0"]));
    for number in 0..25 {
        put(&service, &format!("/v1/cache/migo/name{number}"), "1");
    }
    put(&service, "/v1/cache/other/name", "1");
    let (mut names, mut cursor) = (std::collections::BTreeSet::new(), String::new());
    loop {
        let (status, page) = get(&service, &format!("/v1/cache/migo?limit=10{cursor}"));
        assert_eq!(status, 200, "{page}");
        names.extend(page["keys"].as_array().expect("a list").iter().map(Value::to_string));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names.len(), 25);
    agent().delete(format!("{}/v1/cache/migo", service.url)).call().expect("an answer");
    let (_, page) = get(&service, "/v1/cache/migo");
    assert_eq!(page["keys"], serde_json::json!([]), "what is cleared is not listed");
    let memcached = Memcached::start_pool(1, &MemcachedOptions::default());
    let url = Memcached::pool_url(&memcached);
    let service = Service::of(rucache(&["--backend", &url, "serve", "--listen", "127.0.0.1:0"]));
    assert_eq!(get(&service, "/v1/cache/migo").0, 501);
}
