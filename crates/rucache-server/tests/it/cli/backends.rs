//! The service and the doctor over real servers.

use std::time::Duration;

use rucache_testkit::{Memcached, MemcachedOptions, RedisOptions, RedisServer, wait_until};
use serde_json::Value;

use super::program::{Run, Service, rucache};

const SUNAT: &str = "/v1/ruc/20131312955";

fn doctor(url: &str) -> Run {
    // A call that a busy machine delays must not look like an outage.
    let url = if url.starts_with("memory") { url.to_owned() } else { format!("{url}?timeout=5s") };
    rucache(&["--backend", &url, "doctor"]).run()
}

/// The names of the steps that the doctor found well, and of those it did not.
fn steps(run: &Run) -> (Vec<String>, Vec<String>) {
    let name = |line: &str| line[8..28].trim().to_owned();
    let of = |sign: &str| {
        run.stdout.lines().filter(|line| line.trim_start().starts_with(sign)).map(name).collect()
    };
    (of("ok"), of("FAIL"))
}

#[track_caller]
fn is_well(url: &str, expected: &[&str]) {
    let run = doctor(url);
    let (well, ill) = steps(&run);
    assert_eq!((well, ill), (expected.iter().map(|&step| step.to_owned()).collect(), Vec::new()));
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

/// A service over `url`.
fn over(url: &str) -> Service {
    Service::of(rucache(&["--backend", url, "serve", "--listen", "127.0.0.1:0"]))
}

/// The answer to a GET: status, `Cache-Status`, body.
fn get(service: &Service, path: &str) -> (u16, String, Value) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.get(format!("{}{path}", service.url)).call().expect("an answer");
    let header = response.headers().get("cache-status");
    let cache_status = header.map_or("", |value| value.to_str().expect("text")).to_owned();
    let body = response.body_mut().read_to_string().expect("text");
    (response.status().as_u16(), cache_status, serde_json::from_str(&body).expect("JSON"))
}

#[test]
fn every_backend_is_well() {
    let steps = [
        "connect",
        "write, read, delete",
        "fill under a lease",
        "refuse a late fill",
        "markers",
        "maps",
        "cached values",
        "taxpayer records",
        "invalid numbers",
        "statistics",
        "state of the server",
    ];
    is_well("memory://", &steps);
    let pool = Memcached::start_pool(3, &MemcachedOptions::default());
    is_well(&Memcached::pool_url(&pool), &steps);
    let redis = RedisServer::start(RedisOptions::default());
    let mut steps = steps.to_vec();
    steps.insert(6, "push");
    is_well(&redis.url(), &steps);
}

#[test]
fn wrong_password_is_told_without_the_right_one_or_the_wrong_one() {
    let password = Some("s3cret".to_owned());
    let redis = RedisServer::start(RedisOptions { password, ..RedisOptions::default() });
    let run = doctor(&format!("redis://:wr0ng@{}", redis.address()));
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stdout.contains("check scheme, user and password"), "{}", run.stdout);
    assert!(run.stdout.contains("WRONGPASS") && !run.stdout.contains("circuit"), "{}", run.stdout);
    let told = format!("{}{}", run.stdout, run.stderr);
    assert!(!told.contains("s3cret") && !told.contains("wr0ng"), "{told}");
}

#[test]
fn server_that_is_down_is_told_in_one_line() {
    let redis = RedisServer::start(RedisOptions::default());
    redis.kill_9();
    let run = doctor(&redis.url());
    assert_eq!((run.code, run.stdout.lines().count()), (Some(3), 2), "{run:?}");
    let refused = format!("nobody answers at {}: Connection refused", redis.address());
    assert!(run.stdout.contains(&refused), "{}", run.stdout);
    assert!(run.stdout.contains("does the server run at this address"), "{}", run.stdout);
    assert!(!run.stdout.contains("circuit"), "{}", run.stdout);
}

#[test]
fn doctor_leaves_nothing_but_the_marker_of_its_service() {
    let redis = RedisServer::start(RedisOptions::default());
    for _ in 0..2 {
        assert_eq!(doctor(&redis.url()).code, Some(0));
        let names = redis.command(&["KEYS", "*doctor*"]);
        assert_eq!(names, "~s:rucache.doctor");
    }
}

#[test]
fn what_one_service_looked_up_another_one_has() {
    let redis = RedisServer::start(RedisOptions::default());
    let memcached = Memcached::start_pool(3, &MemcachedOptions::default());
    // A call that a busy machine delays must not look like an outage.
    let patient = |url: String| format!("{url}?timeout=5s");
    for url in [patient(redis.url()), patient(Memcached::pool_url(&memcached))] {
        let (one, two) = (over(&url), over(&url));
        let (status, cache_status, record) = get(&one, SUNAT);
        assert_eq!((status, cache_status.as_str()), (200, "rucache; fwd=miss; stored"), "{url}");
        let (status, cache_status, same) = get(&two, SUNAT);
        assert_eq!((status, same), (200, record), "{url}");
        assert!(cache_status.starts_with("rucache; hit; ttl=3"), "{url}: {cache_status}");
        ureq::delete(format!("{}{SUNAT}", two.url)).call().expect("deleted");
        assert_eq!(get(&one, &format!("{SUNAT}?cached=only")).0, 404, "{url}");
    }
}

#[test]
fn service_starts_without_its_server_answers_and_joins_it() {
    let redis = RedisServer::start(RedisOptions::default());
    redis.kill_9();
    let service = over(&redis.url());
    let (status, cache_status, _) = get(&service, SUNAT);
    assert_eq!((status, cache_status.as_str()), (200, "rucache; fwd=miss"));
    let health = |status: &str| get(&service, "/health").2["status"] == status;
    assert!(health("warning"));
    assert_eq!(get(&service, "/readyz").0, 200);
    // What the server cannot confirm is put off, and said to be.
    let entry = format!("{}/v1/cache/migo/a", service.url);
    let mut put = ureq::put(&entry).content_type("application/json").send("1").expect("an answer");
    let told = put.body_mut().read_to_string().expect("text");
    assert_eq!((put.status().as_u16(), told.as_str()), (202, r#"{"outcome":"deferred"}"#));
    assert_eq!(ureq::delete(&entry).call().expect("an answer").status(), 202);
    redis.restart();
    assert!(wait_until(Duration::from_secs(10), || health("healthy")), "it has not joined");
    // A copy of what was looked up meanwhile is good for two seconds.
    ureq::delete(format!("{}{SUNAT}", service.url)).call().expect("deleted");
    assert_eq!(get(&service, SUNAT).1, "rucache; fwd=miss; stored");
}
