//! Clients that take their time, on a clock that jumps to whatever is waited for.

use std::io;

use rucache::ruc::{Answer, Taxpayer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::service::{SUNAT, Service, Source};
use crate::http::patience::Patient;

#[tokio::test]
async fn head_that_does_not_come_ends_the_connection() {
    let service = Service::start().await;
    let mut client = service.connect().await;
    client.send("GET /livez HTTP/1.1\r\nHo").await;
    tokio::time::pause();
    assert!(client.response().await.is_none_or(|answer| answer.status == 408));
    assert!(client.response().await.is_none());
}

#[tokio::test]
async fn connection_on_which_nothing_is_asked_ends() {
    let service = Service::start().await;
    let mut client = service.connect().await;
    tokio::time::pause();
    assert!(client.response().await.is_none());
}

#[tokio::test]
async fn body_that_does_not_come_is_a_timeout() {
    let service = Service::start().await;
    let mut client = service.connect().await;
    client
        .send(
            "PUT /v1/cache/migo/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
             Content-Length: 10\r\n\r\n[1,",
        )
        .await;
    tokio::time::pause();
    client.response().await.expect("an answer").problem(408, "body-timeout");
}

#[tokio::test]
async fn source_that_does_not_answer_is_unavailable_in_time() {
    let found = Source::new(|ruc| Answer::found(Taxpayer::builder(ruc).build()));
    let (source, gate) = found.gated();
    let service = Service::with(source).await;
    let mut client = service.connect().await;
    client.send(format!("GET /v1/ruc/{SUNAT} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    gate.entered().await;
    tokio::time::pause();
    let problem = client.response().await.expect("an answer").problem(503, "unavailable");
    assert_eq!(problem["cause"], "timeout");
}

#[tokio::test]
async fn answer_that_is_not_read_is_given_up() {
    let service = Service::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (reader, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (_reader, (stream, _)) = (reader.expect("connected"), accepted.expect("accepted"));
    let mut stream = Patient::new(stream, service.cache.runtime().clone());
    tokio::time::pause();
    let error = loop {
        if let Err(error) = stream.write(&[0; 64 * 1024]).await {
            break error;
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}
