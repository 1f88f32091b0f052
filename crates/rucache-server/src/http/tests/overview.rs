//! `/v1/overview` and the page at `/`.

use super::service::{SUNAT, Service};
use crate::config::ServerConfig;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn overview_counts_what_was_asked() {
    let service = Service::start().await;
    for _ in 0..3 {
        service.get(&format!("/v1/ruc/{SUNAT}")).await;
    }
    service.get("/v1/cache/shop/nothing").await;
    service.ask("DELETE", "/v1/cache/shop").await;
    let verdict = r#"{"reason":"NO_EXISTE_SUNAT"}"#;
    service.put("/v1/invalid-rucs/20999999990", verdict).await;
    let answer = service.get("/v1/overview").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let view = answer.json();
    assert_eq!((&view["status"], &view["backend"]), (&"healthy".into(), &"local_memory".into()));
    assert_eq!(view["loads"]["results"]["success"], 1);
    assert_eq!(view["registry"]["NO_EXISTE_SUNAT"], 1);
    assert!(view["tiers"]["shared"].is_null() && view["tiers"]["local"]["hit"].as_u64() >= Some(2));
    let of = |name: &str| {
        let services = view["services"].as_array().expect("services");
        let found = services.iter().find(|service| service["name"] == name);
        found.map(|service| (service["hits"].as_u64(), service["misses"].as_u64()))
    };
    assert_eq!(of("migo"), Some((Some(2), Some(1))));
    assert_eq!(of("shop"), Some((Some(0), Some(1))));
    let cleared = view["invalidations"].as_array().expect("invalidations").iter();
    let mut cleared = cleared.filter(|one| one["service"] == "shop");
    assert_eq!(cleared.next().expect("one")["scope"], "namespace");
    assert!(!answer.body.contains(SUNAT), "{}", answer.body);
}

#[tokio::test]
async fn page_is_for_everybody_and_its_numbers_are_not() {
    let token = Some(TOKEN.parse().expect("a token"));
    let service = Service::configured(ServerConfig { token, ..ServerConfig::default() }).await;
    let page = service.get("/").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(service.get("/v1/overview").await.status, 401);
}
