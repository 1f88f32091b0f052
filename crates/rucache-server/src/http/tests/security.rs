//! Tokens, two listeners, and what a reload changes.

use super::service::{SUNAT, Service};
use crate::config::{Limits, ServerConfig};
use crate::http::access::Access;
use crate::http::route;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn with_token() -> ServerConfig {
    ServerConfig { token: Some(TOKEN.parse().expect("a token")), ..ServerConfig::default() }
}

fn target(path: &str) -> String {
    path.replace("{ruc}", SUNAT)
        .replace("{service}", "migo")
        .replace("{key}", "a")
        .replace("{number}", "x")
        .replace("{date}", "2026-01-28")
        .replace("{id}", "a")
}

/// The status of a bare request with `token`.
async fn status(service: &Service, method: &str, target: &str, token: Option<&str>) -> u16 {
    let shown =
        token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    service.raw(&format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{shown}\r\n")).await.status
}

#[tokio::test]
async fn every_route_but_the_open_ones_takes_the_token() {
    let service = Service::configured(with_token()).await;
    for route in route::routes() {
        let (method, target) = (route.verb.as_str().to_uppercase(), target(route.path));
        let without = status(&service, &method, &target, None).await;
        let open = matches!(route.access, Access::Everybody | Access::Metrics);
        assert_eq!(without != 401, open, "{method} {target}: {without}");
        let wrong = status(&service, &method, &target, Some(&TOKEN.replace('0', "1"))).await;
        assert_eq!(wrong, without, "{method} {target}");
        let with = status(&service, &method, &target, Some(TOKEN)).await;
        assert_ne!(with, 401, "{method} {target}");
    }
    let open: Vec<_> = route::routes()
        .filter(|route| matches!(route.access, Access::Everybody))
        .map(|route| route.path)
        .collect();
    assert_eq!(open, ["/livez", "/readyz", "/"]);
}

#[tokio::test]
async fn refusal_says_what_to_show_and_repeats_nothing() {
    let service = Service::configured(with_token()).await;
    let answer = service.get("/v1/cache/migo/a").await;
    answer.problem(401, "unauthorized");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    let request = "GET /health HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer secret\r\n\r\n";
    let answer = service.raw(request).await;
    answer.problem(401, "unauthorized");
    assert!(!answer.body.contains("secret") && !answer.body.contains(TOKEN), "{answer:?}");
}

#[tokio::test]
async fn metrics_are_closed_where_that_is_wished() {
    let config = ServerConfig { metrics_open: false, ..with_token() };
    let service = Service::configured(config).await;
    assert_eq!(status(&service, "GET", "/metrics", None).await, 401);
    assert_eq!(status(&service, "GET", "/metrics", Some(TOKEN)).await, 200);
}

#[tokio::test]
async fn administration_has_a_listener_of_its_own() {
    let admin = Some("127.0.0.1:0".parse().expect("an address"));
    let service =
        Service::configured(ServerConfig { admin_listen: admin, ..ServerConfig::default() }).await;
    service.put("/v1/cache/migo/a", "1").await;
    for route in route::routes() {
        let (method, target) = (route.verb.as_str().to_uppercase(), target(route.path));
        let answer = service.ask(&method, &target).await;
        let is_there = !(answer.status == 404 && answer.body.contains("no-such-route")
            || answer.status == 405);
        let is_ours = !matches!(route.access, Access::Metrics | Access::Administrators);
        assert_eq!(is_there, is_ours, "{method} {target}: {answer:?}");
    }
    let service = service.at_admin();
    assert_eq!(service.get("/livez").await.status, 200);
    assert_eq!(service.get("/metrics").await.status, 200);
    assert_eq!(service.get("/health").await.json()["status"], "healthy");
    service.get("/v1/cache/migo/a").await.problem(404, "no-such-route");
    assert_eq!(service.ask("DELETE", "/v1/cache?confirm=all").await.status, 200);
}

#[tokio::test]
async fn reload_takes_over_token_limits_rules_and_lives() {
    let service = Service::start().await;
    let mut config = with_token();
    config.limits = Limits { body: 10, ..Limits::default() };
    config.cache.default_ttl = rucache::Ttl::secs(60);
    config.cache.max_value_len = 7;
    assert_eq!(service.app.reload(Ok(config)), Ok(vec!["max_value_len"]));
    let head = format!("Authorization: Bearer {TOKEN}\r\n");
    service.put("/v1/cache/migo/a", "1").await.problem(401, "unauthorized");
    let answer = service.send("PUT", "/v1/cache/migo/a", &head, "\"0123456789\"").await;
    answer.problem(413, "body-too-large");
    assert_eq!(service.send("PUT", "/v1/cache/migo/a", &head, "1").await.status, 204);
    let request = format!("GET /v1/cache/migo/a HTTP/1.1\r\nHost: a\r\n{head}\r\n");
    let answer = service.raw(&request).await;
    answer.lives(60);
}

#[tokio::test]
async fn bad_configuration_is_kept_out_and_visible_until_a_good_one_comes() {
    let service = Service::configured(with_token()).await;
    let fault = "rucache.toml:3: there is no setting \"lisen\"".to_owned();
    assert_eq!(service.app.reload(Err(fault.clone())), Err(fault.clone()));
    let health = |service: &Service| {
        let head = format!("Host: a\r\nAuthorization: Bearer {TOKEN}\r\n");
        let request = format!("GET /health HTTP/1.1\r\n{head}\r\n");
        let address = service.address;
        async move {
            let mut client = super::client::Client::connect(address).await;
            client.send(request).await;
            client.response().await.expect("an answer").json()
        }
    };
    // The token of before still holds.
    service.get("/health").await.problem(401, "unauthorized");
    let report = health(&service).await;
    assert_eq!(report["status"], "warning");
    let shown = report["checks"]["configuration"].as_str().expect("a text");
    assert!(shown.ends_with(&fault), "{shown}");
    assert_eq!(service.app.reload(Ok(with_token())), Ok(Vec::new()));
    let report = health(&service).await;
    assert_eq!(
        (&report["status"], report["checks"].get("configuration")),
        (&"healthy".into(), None)
    );
}

#[tokio::test]
async fn reload_takes_over_the_lives_of_records_too() {
    let service = Service::start().await;
    service.get("/v1/ruc/20131312955").await;
    service.get("/v1/ruc/20131312955").await.lives(3_600);
    let mut config = ServerConfig::default();
    config.cache.ttls = serde_json::from_str(r#"{"ruc_*": 60}"#).expect("a table");
    config.cache.default_ttl = rucache::Ttl::secs(30);
    assert_eq!(service.app.reload(Ok(config)), Ok(Vec::new()));
    // What is cached keeps its life.
    service.get("/v1/ruc/20131312955").await.lives(3_600);
    service.ask("DELETE", "/v1/ruc/20131312955").await;
    service.get("/v1/ruc/20131312955").await;
    service.get("/v1/ruc/20131312955").await.lives(60);
    service.put("/v1/cache/shop/other", "1").await;
    service.get("/v1/cache/shop/other").await.lives(30);
    let timeouts = &service.get("/v1/stats").await.json()["timeouts"];
    assert_eq!((&timeouts["ruc_valid"], &timeouts["default"]), (&"1min".into(), &"30s".into()));
}

#[tokio::test]
async fn configured_lives_are_those_of_entries_that_say_nothing() {
    let mut config = ServerConfig::default();
    config.cache.ttls =
        serde_json::from_str(r#"{"estadisticas_*": 300, "ruc_*": 60}"#).expect("a table");
    let service = Service::configured(config).await;
    for (target, body, ttl) in [
        ("/v1/cache/shop/estadisticas_ventas", "1", 300),
        ("/v1/cache/shop/other", "1", 900),
        ("/v1/ruc/20131312955", "{}", 60),
    ] {
        assert_eq!(service.put(target, body).await.status, 204);
        service.get(target).await.lives(ttl);
    }
}
