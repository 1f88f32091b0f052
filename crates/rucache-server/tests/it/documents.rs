//! What the reference documents do, as one list of calls, through Rust and through HTTP, on every
//! backend: the answers are the same everywhere.

mod http;
mod rust;

use rucache_testkit::{Memcached, MemcachedOptions, RedisOptions, RedisServer};
use serde_json::Value;

const SCENARIO: &str = include_str!("documents/scenario.txt");

/// Whoever carries the calls out.
trait Driver {
    /// What the operation `name` with `arguments` gives.
    fn call(&self, name: &str, arguments: &[Value]) -> Value;
}

/// Runs the scenario; `backend` is the name that answers are to tell.
fn run(driver: &impl Driver, backend: &str) {
    let mut calls = 0;
    for (number, line) in SCENARIO.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (call, expected) = line.split_once(" => ").expect("a call and what it gives");
        let call: Vec<Value> = serde_json::from_str(call).expect("a list");
        let expected = expected.replace("$backend", backend);
        let expected: Value = serde_json::from_str(&expected).expect("JSON");
        let (name, arguments) = call.split_first().expect("an operation");
        let given = driver.call(name.as_str().expect("a name"), arguments);
        assert_eq!(given, expected, "{backend}, line {}: {line}", number + 1);
        calls += 1;
    }
    assert!(calls > 90, "{calls}");
}

/// Runs `test` on the URL of each backend and the name that it goes by.
fn on_each(test: impl Fn(&str, &str)) {
    test("memory://", "local_memory");
    let redis = RedisServer::start(RedisOptions::default());
    test(&format!("{}?timeout=10s", redis.url()), "redis");
    let pool = Memcached::start_pool(3, &MemcachedOptions::default());
    test(&format!("{}?timeout=10s", Memcached::pool_url(&pool)), "memcached");
}

#[test]
fn every_operation_of_the_documents_gives_the_same_through_rust() {
    on_each(|url, name| run(&rust::Library::open(url), name));
}

#[test]
fn every_operation_of_the_documents_gives_the_same_through_http() {
    on_each(|url, name| run(&http::Remote::start(url), name));
}

/// The members of `of` that are called `names`, as far as it has them.
fn only(of: &Value, names: &[&str]) -> Value {
    let kept = names.iter().filter_map(|name| Some(((*name).to_owned(), of.get(name)?.clone())));
    Value::Object(kept.collect())
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
