//! The server's own life: keep-alive, ports in use, panics, and a graceful end.

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::Request;
use rucache::ruc::{Answer, Taxpayer};
use tokio::net::TcpStream;

use super::service::{SUNAT, Service, Source};
use crate::config::ServerConfig;
use crate::http::access::Access;
use crate::http::call::Path;
use crate::http::route::{Route, Verb};
use crate::http::router::{self, Served};
use crate::http::{self, Door, limits};

fn look_up() -> String {
    format!("GET /v1/ruc/{SUNAT} HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn found() -> Source {
    Source::new(|ruc| Answer::found(Taxpayer::builder(ruc).build()))
}

#[tokio::test]
async fn connection_serves_one_request_after_the_other() {
    let service = Service::start().await;
    let mut client = service.connect().await;
    client.send(look_up().repeat(3)).await;
    for _ in 0..3 {
        assert_eq!(client.response().await.expect("an answer").status, 200);
    }
    // An error does not end it either.
    client.send("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.response().await.expect("an answer").problem(404, "no-such-route");
    client.send(look_up()).await;
    assert_eq!(client.response().await.expect("an answer").status, 200);
}

#[tokio::test]
async fn port_in_use_is_told_with_what_to_do() {
    let service = Service::start().await;
    let config = ServerConfig { listen: service.address, ..ServerConfig::default() };
    let told = http::bind(&config).await.expect_err("somebody listens there").to_string();
    assert!(told.contains(&service.address.to_string()) && told.contains("--listen"), "{told}");
    assert!(!told.contains('\n'), "{told}");
}

#[tokio::test]
async fn free_port_is_bound() {
    let config = ServerConfig {
        listen: "127.0.0.1:0".parse().expect("an address"),
        ..ServerConfig::default()
    };
    let doors = http::bind(&config).await.expect("a free port");
    let [(listener, Door::Only)] = &doors[..] else { panic!("one listener") };
    assert!(listener.local_addr().expect("an address").ip().is_loopback());
}

static PANICS: Route = Route {
    verb: Verb::Get,
    path: "/panics",
    access: Access::Users,
    about: "",
    query: &[],
    body: None,
    answers: &[],
    problems: &[],
    handler: |_, _| Box::pin(async { panic!("as scripted") }),
};

#[tokio::test]
async fn handler_that_panics_is_an_internal_problem() {
    let service = Service::start().await;
    let app = service.app.clone();
    let served = Served { route: &PANICS, verb: "", metrics: app.metrics().of(&PANICS) };
    let request = Request::get(PANICS.path).body(Body::empty()).expect("a request");
    let answer = router::answer(&app, &served, Ok(Path::default()), request).await;
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn request_under_way_is_answered_and_nobody_else_is_let_in() {
    let (source, gate) = found().gated();
    let service = Service::with(source).await;
    let (address, app) = (service.address, service.app.clone());
    let mut idle = service.connect().await;
    idle.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(idle.response().await.expect("an answer").status, 200);
    let mut busy = service.connect().await;
    busy.send(look_up()).await;
    gate.entered().await;

    let ended = service.stop();
    assert!(idle.response().await.is_none(), "an idle connection is closed");
    assert!(app.is_stopping());
    assert!(TcpStream::connect(address).await.is_err());
    assert!(!ended.is_finished());

    gate.open();
    let answer = busy.response().await.expect("an answer");
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    ended.await.expect("a graceful end");
}

#[tokio::test]
async fn request_whose_source_hangs_is_answered_before_the_end() {
    let (source, gate) = found().gated();
    let asked = source.asked();
    let service = Service::with(source).await;
    let mut stuck = service.connect().await;
    stuck.send(look_up()).await;
    gate.entered().await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    // From here on the clock jumps to whatever is waited for.
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    service.stop().await.expect("an end");
    assert!(began.elapsed() < limits::GRACE, "{:?}", began.elapsed());
    assert_eq!(stuck.response().await.expect("an answer").status, 503);
}

#[tokio::test]
async fn request_that_never_comes_whole_does_not_hold_up_the_end() {
    let service = Service::with(found()).await;
    let mut stuck = service.connect().await;
    stuck
        .send(
            "PUT /v1/cache/migo/key HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
             Content-Length: 9\r\nExpect: 100-continue\r\n\r\n",
        )
        .await;
    // The handler has begun once it asks for the body.
    assert_eq!(stuck.head().await.expect("a line").status, 100);
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    service.stop().await.expect("an end");
    assert!(began.elapsed() < limits::GRACE + limits::HEAD_READ, "{:?}", began.elapsed());
    assert!(stuck.response().await.is_none(), "it is cut off");
}
