//! `GET /v1/ruc/{ruc}`: the four outcomes, and how the cache came by them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rucache::Policy;
use rucache::core::{Key, MapLocal, TestRuntime, Ttl};
use rucache::engine::{Accept, Cache};
use rucache::ruc::{Answer, Cause, Taxpayer, Unavailable};

use super::service::{SUNAT, Service, Source, UNKNOWN};
use crate::http::reply;

fn ttl(cache_status: &str) -> u64 {
    let ttl = cache_status.strip_prefix("rucache; hit; ttl=").expect("a hit");
    ttl.parse().expect("seconds")
}

#[tokio::test]
async fn record_is_a_miss_and_then_a_hit() {
    let service = Service::start().await;
    let target = format!("/v1/ruc/{SUNAT}");
    let miss = service.get(&target).await;
    assert_eq!((miss.status, miss.header("content-type")), (200, Some("application/json")));
    assert_eq!(miss.header("cache-status"), Some("rucache; fwd=miss; stored"));
    assert_eq!(miss.header("age"), Some("0"));
    assert_eq!(miss.json()["ruc"], SUNAT);
    assert_eq!(miss.json()["estado_del_contribuyente"], "ACTIVO");

    let hit = service.get(&target).await;
    assert_eq!(hit.status, 200);
    let ttl = ttl(hit.header("cache-status").expect("a status"));
    assert!((3_500..=3_600).contains(&ttl), "{ttl}");
    assert!(hit.header("age").is_some());
    assert_eq!(hit.body, miss.body);
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let service = Service::start().await;
    let mut client = service.connect().await;
    client.send(format!("HEAD /v1/ruc/{SUNAT} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    let head = client.head().await.expect("an answer");
    assert_eq!(head.header("cache-status"), Some("rucache; fwd=miss; stored"));
    assert_ne!(head.header("content-length"), Some("0"));
    client.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.response().await.expect("an answer").json()["status"], "alive");
}

#[tokio::test]
async fn wrong_check_digit_is_told_with_the_one_that_fits() {
    let problem = Service::start().await.get("/v1/ruc/20131312956").await.problem(422, "not-a-ruc");
    assert_eq!(problem["rule"], "check_digit");
    assert_eq!(problem["expected"], 5);
    assert_eq!(problem["ruc"], "20131312956");
}

#[tokio::test]
async fn text_that_is_no_ruc_is_told_by_its_rule() {
    let service = Service::start().await;
    for (text, rule) in
        [("abc", "length"), ("2013131295x", "digits"), ("99131312955", "prefix"), ("%20", "length")]
    {
        let problem = service.get(&format!("/v1/ruc/{text}")).await.problem(422, "not-a-ruc");
        assert_eq!(problem["rule"], rule, "{text}");
        assert!(problem.get("expected").is_none(), "{text}");
    }
}

#[tokio::test]
async fn number_outside_the_sample_is_not_covered_and_nothing_is_stored() {
    let service = Service::start().await;
    let target = format!("/v1/ruc/{UNKNOWN}");
    for _ in 0..2 {
        let problem = service.get(&target).await.problem(404, "not-covered");
        assert_eq!((&problem["ruc"], &problem["source"]), (&UNKNOWN.into(), &"sample".into()));
        let detail = problem["detail"].as_str().expect("a text");
        for setting in ["source.register", "RUCACHE_SOURCE_REGISTER", "source.coverage"] {
            assert!(detail.contains(setting), "{detail}");
        }
    }
    let key = Key::parse(&format!("migo:ruc_{UNKNOWN}")).expect("a key");
    let stored = service.cache.peek::<serde_json::Value>(&key, Accept::Stale).expect("a key");
    assert!(stored.is_none());
    service.get(&format!("{target}?cached=only")).await.problem(404, "not-cached");
}

#[tokio::test]
async fn absence_that_the_source_is_sure_of_is_not_found() {
    let service = Service::with(Source::new(|_| Answer::NotFound)).await;
    let problem = service.get(&format!("/v1/ruc/{UNKNOWN}")).await.problem(404, "ruc-not-found");
    assert_eq!(problem["ruc"], UNKNOWN);
    assert_eq!(problem["reason"], "NO_EXISTE_SUNAT");
    assert_eq!(problem["attempts"], 1);
    let timestamp = problem["timestamp"].as_str().expect("a text");
    assert!(
        timestamp.ends_with('Z') && timestamp.parse::<jiff::Timestamp>().is_ok(),
        "{timestamp}"
    );
}

#[tokio::test]
async fn source_that_fails_is_unavailable_and_says_when_to_ask_again() {
    let fails = |_| {
        let unavailable = Unavailable::new(Cause::RateLimited);
        Answer::Unavailable(unavailable.retry_after(Duration::from_millis(6_001)))
    };
    let service = Service::with(Source::new(fails)).await;
    let response = service.get(&format!("/v1/ruc/{SUNAT}")).await;
    let problem = response.problem(503, "unavailable");
    assert_eq!((&problem["retry_after"], &problem["cause"]), (&7.into(), &"rate_limited".into()));
    assert_eq!(response.header("retry-after"), Some("7"));
}

#[tokio::test]
async fn source_that_panics_harms_one_answer_only() {
    let panics = |ruc: rucache::ruc::Ruc| match ruc.is_personal() {
        true => panic!("as scripted"),
        false => Answer::found(Taxpayer::builder(ruc).build()),
    };
    let service = Service::with(Source::new(panics)).await;
    service.get("/v1/ruc/10000000006").await.problem(503, "unavailable");
    assert_eq!(service.get(&format!("/v1/ruc/{SUNAT}")).await.status, 200);
}

#[tokio::test]
async fn those_who_ask_together_share_one_call() {
    let found = |ruc| Answer::found(Taxpayer::builder(ruc).build());
    let (source, gate) = Source::new(found).gated();
    let asked = source.asked();
    let service = Service::with(source).await;
    let target = format!("/v1/ruc/{SUNAT}");
    let open = async {
        gate.entered().await;
        gate.open();
    };
    let ask = || service.get(&target);
    let (a, b, c, ()) = tokio::join!(ask(), ask(), ask(), open);
    assert_eq!([a.status, b.status, c.status], [200; 3]);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// A cache on a clock that stands still, and the headers of what it answers.
fn headers(outcome: &rucache::engine::Outcome) -> [String; 2] {
    let response = reply::cached("1", outcome).expect("an answer");
    ["cache-status", "age"]
        .map(|name| response.headers()[name].to_str().expect("a text").to_owned())
}

fn still() -> (TestRuntime, Cache) {
    let runtime = TestRuntime::new(1);
    let cache = Cache::builder(Arc::new(MapLocal::default())).runtime(Arc::new(runtime.clone()));
    (runtime, cache.build().expect("a cache"))
}

#[test]
fn answer_that_another_caller_was_waiting_for_is_collapsed() {
    let (runtime, cache) = still();
    let load = || async { Ok::<_, String>(rucache::Loaded::from(1_u32)) };
    let read = || cache.read_or_load("a", Ttl::SHORT, load);
    let (first, second) = runtime.block_on(async { tokio::join!(read(), read()) });
    let first = headers(&first.expect("a value").outcome);
    let second = headers(&second.expect("a value").outcome);
    assert_eq!(first, ["rucache; fwd=miss; stored", "0"]);
    assert_eq!(second, ["rucache; fwd=miss; stored; collapsed", "0"]);
}

#[test]
fn stale_value_is_a_hit_that_says_why() {
    let (runtime, cache) = still();
    let policy = Policy::exact(Ttl::secs(10)).with_stale(Ttl::secs(100));
    let stale = runtime.block_on(async {
        cache.set("a", &1_u32, policy).await.expect("stored");
        runtime.advance(Duration::from_secs(30));
        let fails = || async { Err::<rucache::Loaded<u32>, _>("as scripted") };
        cache.read_or_load("a", policy, fails).await.expect("a stale value")
    });
    assert_eq!(headers(&stale.outcome), ["rucache; hit; ttl=-20; detail=stale_load_error", "30"]);
}
