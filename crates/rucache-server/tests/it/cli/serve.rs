//! `rucache serve`, from its start to its end.

use std::io::{Read, Write};
use std::net::TcpStream;

use rustix::process::Signal;

use super::program::{Service, rucache};

#[test]
fn start_message_says_what_is_served_and_where() {
    let service = Service::start();
    let lines: Vec<_> = service.greeting.lines().collect();
    assert_eq!(
        lines,
        [
            &*format!("rucache {}", env!("CARGO_PKG_VERSION")),
            "  backend       memory://",
            "  source        bundled sample of the register; other numbers are not covered, set \
             source.register to know them",
            &*format!("  listening on  {}", service.url),
        ]
    );
}

#[test]
fn port_in_use_is_one_line() {
    let service = Service::start();
    let address = service.address();
    rucache(&["serve", "--listen", address]).run().fails(
        1,
        &format!(
            "cannot listen on {address}: another program uses this port; stop it, or choose \
             another with --listen 127.0.0.1:PORT or RUCACHE_LISTEN"
        ),
    );
}

#[test]
fn address_for_everybody_is_refused() {
    rucache(&["serve", "--listen", "0.0.0.0:8080"]).run().fails(
        1,
        "--listen: listen = \"0.0.0.0:8080\": only loopback addresses are served without \
         authentication; put a reverse proxy in front; expected a loopback address and port such \
         as 127.0.0.1:8080",
    );
}

#[test]
fn log_level_that_is_none_is_refused() {
    let run = rucache(&["serve", "--listen", "127.0.0.1:0"]).env("RUST_LOG", "rucache=loud").run();
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.starts_with("rucache: RUST_LOG = \"rucache=loud\": "), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1);
}

#[test]
fn either_signal_stops_the_service_with_zero() {
    for signal in [Signal::TERM, Signal::INT] {
        let service = Service::start();
        service.signal(signal);
        let (code, log) = service.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("stopping") && log.ends_with("stopped\n"), "{log}");
    }
}

/// A request whose body the service waits for.
fn request_under_way(service: &Service) -> TcpStream {
    let mut stream = TcpStream::connect(service.address()).expect("it listens");
    let head = "PUT /v1/cache/default/x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Content-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).expect("it reads");
    let expected = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).expect("it answers");
    assert_eq!(go_on, *expected);
    stream
}

#[test]
fn request_under_way_is_finished_before_the_end() {
    let mut service = Service::start();
    let mut stream = request_under_way(&service);
    service.signal(Signal::TERM);
    service.await_line("stopping");
    stream.write_all(b"42").expect("it still reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 204 No Content\r\n"), "{answer}");
    assert_eq!(service.end().0, Some(0));
}

#[test]
fn second_signal_ends_at_once() {
    let mut service = Service::start();
    let stream = request_under_way(&service);
    service.signal(Signal::TERM);
    service.await_line("stopping");
    service.signal(Signal::INT);
    assert_eq!(service.end().0, Some(130));
    drop(stream);
}

#[test]
fn no_number_of_a_person_is_logged() {
    let program = rucache(&["serve", "--listen", "127.0.0.1:0"]).env("RUST_LOG", "trace");
    let service = Service::of(program);
    let number = "10000000016";
    let run = rucache(&["lookup", "--server", &service.url, number]).run();
    assert!(run.stdout.contains(number), "{}", run.stdout);
    service.signal(Signal::TERM);
    let (code, log) = service.end();
    assert_eq!(code, Some(0));
    assert!(!log.contains(number), "{log}");
}
