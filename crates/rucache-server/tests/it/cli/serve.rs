//! `rucache serve`, from its start to its end.

use std::io::{Read, Write};
use std::net::TcpStream;

use rustix::process::Signal;

use super::program::{Service, file, rucache};

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
             source.register or RUCACHE_MIGO_TOKEN to know them",
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
fn address_for_everybody_takes_a_token() {
    rucache(&["serve", "--listen", "0.0.0.0:8080"]).run().fails(
        1,
        "listen = 0.0.0.0:8080 is reached from beyond this machine, and there is no token; set \
         token_file (RUCACHE_TOKEN_FILE) to a file with a secret of at least 32 bytes, or listen \
         on 127.0.0.1",
    );
    let token = "0123456789abcdef0123456789abcdef";
    let program = rucache(&["serve", "--listen", "0.0.0.0:0"]).env("RUCACHE_TOKEN", token);
    let service = Service::of(program);
    let url = service.url.replace("0.0.0.0", "127.0.0.1");
    let refused = rucache(&["--server", &url, "set", "migo", "a", "1"]).run();
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("Authorization: Bearer TOKEN"), "{}", refused.stderr);
    let run =
        rucache(&["--server", &url, "set", "migo", "a", "1"]).env("RUCACHE_TOKEN", token).run();
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "stored\n"), "{run:?}");
}

#[test]
fn configuration_is_read_anew_at_a_signal_and_a_bad_one_kept_out() {
    let path = file("reload.toml", "default_ttl = 60\n");
    let name = path.display().to_string();
    let mut service =
        Service::of(rucache(&["--config", &name, "serve", "--listen", "127.0.0.1:0"]));
    std::fs::write(&path, "default_ttl = 120\nmax_value_len = 5\n").expect("written");
    service.signal(Signal::HUP);
    service.await_line("these take a restart");
    std::fs::write(&path, "default_tll = 120\n").expect("written");
    service.signal(Signal::HUP);
    service.await_line("the configuration is kept as it was");
    let health = rucache(&["--server", &service.url, "health", "--json"]).run();
    let checks = &health.json()["checks"]["configuration"];
    assert!(
        checks.as_str().is_some_and(|text| text.contains("did you mean \"default_ttl\"?")),
        "{checks}"
    );
    assert_eq!(health.code, Some(1));
    std::fs::write(&path, "default_ttl = 60\n").expect("written");
    service.signal(Signal::HUP);
    service.await_line("configuration read anew");
    assert_eq!(rucache(&["--server", &service.url, "health"]).run().code, Some(0));
}

#[test]
fn cache_events_go_to_their_file_without_numbers_of_persons() {
    let log = file("events.log", "");
    let service = Service::of(
        rucache(&["serve", "--listen", "127.0.0.1:0"])
            .env("RUCACHE_LOG_CACHE_EVENTS", "info")
            .env("RUCACHE_LOG_FILE", &log.display().to_string()),
    );
    let ask = |arguments: &[&str]| {
        rucache(&[&["--server", &service.url], arguments].concat()).run();
    };
    ask(&["set", "migo", "saludo", "\"hola\"", "--ttl", "60"]);
    ask(&["get", "migo", "saludo"]);
    ask(&["get", "migo", "ruc_10000000016"]);
    ask(&["set", "migo", "ruc_10000000016", "{}"]);
    ask(&["delete", "migo", "saludo"]);
    // A person's number that is one, and the sample has no record of.
    let person = "10000000014";
    for _ in 0..2 {
        ask(&["lookup", "20131312955", person]);
    }
    ask(&["invalid", "add", person, "TEST"]);
    ask(&["lookup", person]);
    ask(&["invalid", "remove", person]);
    service.signal(Signal::TERM);
    let (_, rest) = service.end();
    let lines = std::fs::read_to_string(&log).expect("a log");
    for line in [
        "Cache SET: migo:saludo size=6 type=\"string\" ttl=1min",
        "Cache HIT: migo:saludo size=6 type=\"string\"",
        "Cache MISS: migo:ruc_10*********",
        "Cache DELETE: migo:saludo",
        "Cache MISS: migo:ruc_20*********",
        "Cache SET: migo:ruc_20********* size=",
        "Cache HIT: migo:ruc_20********* size=",
        "Cache SET: migo:ruc_10********* type=\"verdict\"",
        "Cache HIT: migo:ruc_10********* type=\"verdict\"",
        "Cache DELETE: migo:ruc_10*********",
    ] {
        assert!(lines.contains(line), "{line} in {lines}");
    }
    assert!(!lines.contains("1000000001") && !rest.contains("Cache "), "{rest}");
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
