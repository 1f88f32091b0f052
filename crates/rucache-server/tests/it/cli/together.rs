//! Several services at once, each a process of its own, on one server: what all do is done once, and
//! nothing of it is lost.

use std::collections::BTreeMap;
use std::thread;

use rucache_testkit::{Memcached, MemcachedOptions, RedisOptions, RedisServer};
use serde_json::Value;

use super::program::{Service, rucache};

/// Processes, or clients of the one that keeps its entries to itself.
const PROCESSES: usize = 4;

/// Connections of each process that marks come in by.
const CONNECTIONS: usize = 8;

const MARKS: usize = 1_000;

/// Different numbers of every other mark; the others are of ten, again and again.
const AGAIN: usize = 10;

fn services(backend: &str, count: usize) -> Vec<Service> {
    let arguments = ["--backend", backend, "serve", "--listen", "127.0.0.1:0"];
    (0..count).map(|_| Service::of(rucache(&arguments))).collect()
}

/// The number of mark `n`.
fn number(n: usize) -> String {
    match n % 2 {
        0 => format!("N{n}"),
        _ => format!("M{}", n / 2 % AGAIN),
    }
}

/// Marks at all of `urls` at once, and what the registry then says at each.
fn marks_are_all_there(urls: &[String], backend: &str) {
    thread::scope(|scope| {
        for turn in 0..PROCESSES * CONNECTIONS {
            let url = &urls[turn % urls.len()];
            scope.spawn(move || {
                let agent = ureq::Agent::new_with_defaults();
                for n in (turn..MARKS).step_by(PROCESSES * CONNECTIONS) {
                    let target = format!("{url}/v1/invalid-rucs/{}", number(n));
                    let request = agent.put(target).content_type("application/json");
                    let answer = request.send(r#"{"reason":"NO_EXISTE_SUNAT"}"#);
                    assert_eq!(answer.expect("an answer").status(), 200, "{backend}");
                }
            });
        }
    });
    for url in urls {
        let listed = listed(url);
        assert_eq!(listed.len(), MARKS / 2 + AGAIN, "{backend}");
        let again = u64::try_from(MARKS / 2 / AGAIN).expect("a count");
        assert!((0..AGAIN).all(|m| listed[&format!("M{m}")] == again), "{backend}");
        assert_eq!(listed.values().sum::<u64>(), 1_000, "{backend}");
        assert_eq!(get(url, "/v1/stats")["invalid_rucs"]["total_count"], listed.len(), "{backend}");
    }
}

/// The attempts of every number in the registry.
fn listed(url: &str) -> BTreeMap<String, u64> {
    let (mut listed, mut next) = (BTreeMap::new(), String::new());
    loop {
        let page = get(url, &format!("/v1/invalid-rucs?limit=200{next}"));
        for record in page["items"].as_array().expect("a list") {
            let ruc = record["ruc"].as_str().expect("a text").to_owned();
            listed.insert(ruc, record["attempts"].as_u64().expect("a count"));
        }
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return listed,
        }
    }
}

fn get(url: &str, target: &str) -> Value {
    let mut answer = ureq::get(format!("{url}{target}")).call().expect("an answer");
    let text = answer.body_mut().read_to_string().expect("text");
    serde_json::from_str(&text).expect("JSON")
}

fn urls(services: &[Service]) -> Vec<String> {
    services.iter().map(|service| service.url.clone()).collect()
}

#[test]
fn thousand_marks_of_four_processes_are_all_there_and_their_attempts_exact_on_redis() {
    let redis = RedisServer::start(RedisOptions::default());
    let services = services(&format!("{}?timeout=10s", redis.url()), PROCESSES);
    marks_are_all_there(&urls(&services), "redis");
}

#[test]
fn thousand_marks_of_four_processes_are_all_there_and_their_attempts_exact_on_memcached() {
    let pool = Memcached::start_pool(3, &MemcachedOptions::default());
    let backend = format!("{}?timeout=10s", Memcached::pool_url(&pool));
    let services = services(&backend, PROCESSES);
    marks_are_all_there(&urls(&services), "memcached");
}

#[test]
fn thousand_marks_of_four_clients_are_all_there_and_their_attempts_exact_in_memory() {
    let services = services("memory://", 1);
    marks_are_all_there(&urls(&services), "memory");
}
