//! `/v1/cache/{service}/{key}` and `/v1/entry`: any JSON under any name.

use super::service::Service;

const GREETING: &str = "/v1/cache/migo/greeting";

fn ttl(cache_status: Option<&str>) -> u64 {
    let ttl = cache_status.and_then(|status| status.strip_prefix("rucache; hit; ttl="));
    ttl.and_then(|ttl| ttl.parse().ok()).expect("a hit")
}

#[tokio::test]
async fn value_comes_back_byte_for_byte() {
    let service = Service::start().await;
    for value in [
        r#"{ "b" : 1.10,  "a":[1e400, null, "\u00e1"] , "b": 2}"#,
        "null",
        "\"\"",
        "0",
        r#""ñ\n""#,
        "9007199254740993000000000000000000001",
    ] {
        assert_eq!(service.put(GREETING, value).await.status, 204);
        let hit = service.get(GREETING).await;
        assert_eq!((hit.status, &*hit.body), (200, value));
        assert_eq!(hit.header("content-type"), Some("application/json"));
        assert!(hit.header("age").is_some());
    }
}

#[tokio::test]
async fn value_lives_for_fifteen_minutes_or_as_long_as_it_is_told_to() {
    let service = Service::start().await;
    for (query, secs) in [("", 900), ("?ttl=60", 60), ("?ttl=2h", 7_200), ("?ttl=90000ms", 90)] {
        service.put(&format!("{GREETING}{query}"), "1").await;
        let ttl = ttl(service.get(GREETING).await.header("cache-status"));
        assert!((secs - 10..=secs).contains(&ttl), "{query}: {ttl}");
    }
}

#[tokio::test]
async fn odd_names_are_names_of_their_own() {
    let service = Service::start().await;
    // As a segment of a path, and as the value of a parameter.
    let names = [
        ("a%2Fb", "a/b"),
        ("a%252Fb", "a%252Fb"),
        ("%2e%2e", ".."),
        ("%2E", "."),
        ("a%20b", "a+b"),
        ("a+b", "a%2Bb"),
        ("a%3Fb%23c", "a?b%23c"),
        ("%C3%B1and%C3%BA%F0%9F%A6%99", "%C3%B1and%C3%BA%F0%9F%A6%99"),
        ("%00%0D%0A", "%00%0D%0A"),
        ("a:b", "a:b"),
        (":batchGet", ":batchGet"),
        ("{key}", "{key}"),
        ("*", "*"),
    ];
    for (number, (segment, _)) in names.iter().enumerate() {
        let stored = service.put(&format!("/v1/cache/migo/{segment}"), number.to_string()).await;
        assert_eq!(stored.status, 204, "{segment}");
    }
    for (number, (segment, value)) in names.iter().enumerate() {
        let by_path = service.get(&format!("/v1/cache/migo/{segment}")).await;
        assert_eq!(by_path.body, number.to_string(), "{segment}");
        let by_query = service.get(&format!("/v1/entry?service=migo&key={value}")).await;
        assert_eq!(by_query.body, number.to_string(), "{segment}");
    }
}

#[tokio::test]
async fn bare_dots_in_a_path_are_taken_as_they_are() {
    let service = Service::start().await;
    assert_eq!(service.put("/v1/cache/migo/..", "1").await.status, 204);
    assert_eq!(service.get("/v1/entry?service=migo&key=..").await.body, "1");
}

#[tokio::test]
async fn entry_by_query_is_put_read_and_deleted() {
    let service = Service::start().await;
    let long = "k".repeat(7_000);
    let target = format!("/v1/entry?service=migo&key={long}");
    service.get(&target).await.problem(404, "not-cached");
    assert_eq!(service.put(&format!("{target}&ttl=60"), "[1]").await.status, 204);
    let hit = service.get(&target).await;
    assert_eq!((&*hit.body, ttl(hit.header("cache-status")) <= 60), ("[1]", true));
    for _ in 0..2 {
        assert_eq!(service.ask("DELETE", &target).await.status, 204);
        service.get(&target).await.problem(404, "not-cached");
    }
}

#[tokio::test]
async fn services_do_not_share_names() {
    let service = Service::start().await;
    service.put("/v1/cache/users/a", "1").await;
    service.get("/v1/cache/usersabc/a").await.problem(404, "not-cached");
    service.get("/v1/cache/default/a").await.problem(404, "not-cached");
}

#[tokio::test]
async fn service_and_key_that_break_their_form_are_refused() {
    let service = Service::start().await;
    for target in [
        "/v1/cache/Migo/a",
        "/v1/cache/.migo/a",
        "/v1/cache/%20/a",
        "/v1/cache/mi:go/a",
        "/v1/cache/mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm/a",
        "/v1/entry?service=&key=a",
        "/v1/entry?service=migo&key=",
    ] {
        service.get(target).await.problem(400, "invalid-key");
    }
    for (target, parameter) in [("/v1/entry?service=migo", "key"), ("/v1/entry?key=a", "service")] {
        let problem = service.get(target).await.problem(400, "invalid-parameter");
        assert_eq!(problem["parameter"], parameter);
    }
}

#[tokio::test]
async fn value_over_the_limit_is_refused_and_the_old_one_is_gone() {
    let service = Service::start().await;
    service.put(GREETING, "1").await;
    let large = format!("\"{}\"", "v".repeat(1_000_000));
    service.put(GREETING, large).await.problem(413, "value-too-large");
    service.get(GREETING).await.problem(404, "not-cached");
}

#[tokio::test]
async fn deeply_nested_value_is_kept_as_it_is() {
    let service = Service::start().await;
    let deep = format!("{}{}", "[".repeat(400_000), "]".repeat(400_000));
    assert_eq!(service.put(GREETING, &deep).await.status, 204);
    assert_eq!(service.get(GREETING).await.body, deep);
    // Where a record is expected it is none, and brings nobody down.
    let name = "/v1/cache/migo/ruc_20131312955";
    assert_eq!(service.put(name, &deep).await.status, 204);
    assert_eq!(service.get("/v1/ruc/20131312955").await.json()["ruc"], "20131312955");
}
