//! A service that is stopped under load: whoever got through gets an answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::program::Service;

const CLIENTS: usize = 32;

/// Answers before the service is told to stop.
const WARM: usize = 2_000;

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// A whole answer, and whether it was the connection's last.
    Answered { last: bool },
    /// No answer at all.
    Lost(String),
}

/// One request on a connection that may have had others.
fn ask(stream: &mut BufReader<TcpStream>) -> Fate {
    let request = "GET /v1/ruc/20131312955 HTTP/1.1\r\nHost: a\r\n\r\n";
    if let Err(error) = stream.get_mut().write_all(request.as_bytes()) {
        return Fate::Lost(format!("not sent: {error}"));
    }
    answer(stream).unwrap_or_else(|error| Fate::Lost(error.to_string()))
}

fn answer(stream: &mut BufReader<TcpStream>) -> std::io::Result<Fate> {
    let (mut last, mut len) = (false, 0);
    let mut line = String::new();
    for number in 0.. {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(Fate::Lost(format!("hung up after {number} lines")));
        }
        let line = line.trim_end().to_ascii_lowercase();
        assert!(number > 0 || line == "http/1.1 200 ok", "{line}");
        match line.split_once(": ") {
            Some(("connection", "close")) => last = true,
            Some(("content-length", digits)) => len = digits.parse().expect("a length"),
            _ => {}
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; len];
    stream.read_exact(&mut body)?;
    assert!(body.starts_with(br#"{"ruc":"20131312955""#));
    Ok(Fate::Answered { last })
}

fn connect(service: &Service) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(service.address()).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    BufReader::new(stream)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a process ends in real time")]
fn every_request_is_answered_when_the_service_is_stopped_under_load() {
    let mut service = Service::start();
    let answered = AtomicUsize::new(0);
    let mut began = None;
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let mut stream = connect(&service);
            let answered = &answered;
            // Until the service says that it takes no more.
            scope.spawn(move || {
                loop {
                    match ask(&mut stream) {
                        Fate::Answered { last } => {
                            answered.fetch_add(1, Ordering::Relaxed);
                            if last {
                                return;
                            }
                        }
                        Fate::Lost(how) => panic!("a request was lost: {how}"),
                    }
                }
            });
        }
        while answered.load(Ordering::Relaxed) < WARM {
            thread::yield_now();
        }
        service.signal(Signal::TERM);
        began = Some(Instant::now());
        service.await_line("stopping");
        // Who comes now is told at once that others should be sent elsewhere, and still served.
        let mut late = connect(&service);
        assert_eq!(ask(&mut late), Fate::Answered { last: true });
    });
    let (code, log) = service.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.ends_with("stopped\n") && !log.contains("cut off"), "{log}");
    assert!(began.is_some_and(|began| began.elapsed() < Duration::from_secs(10)));
}
