//! The load: connections that are kept alive, each with one request under way.
//!
//! It reads as little of an answer as shows where it ends, so that it takes less of a processor for a
//! request than any server does.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::yield_now;

use crate::server::{self, RECORDS, Server};

/// Longest answer.
const ANSWER: usize = 4 * 1024;

/// Whoever asks one server.
pub(crate) struct Load {
    runtime: Runtime,
    connections: Vec<Connection>,
}

struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    requests: Vec<String>,
    /// How many it has sent.
    sent: usize,
    answer: Box<[u8; ANSWER]>,
}

impl Load {
    /// `connections` to `server`.
    pub(crate) fn on(server: &Server, connections: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let all = (0..connections).map(|at| Connection::to(server.address, at));
        let connections = runtime.block_on(join_all(all));
        Self { runtime, connections }
    }

    /// Asserts that what is asked for is answered by the local tier.
    pub(crate) fn expect_hits(&mut self) {
        self.connect_anew();
        let Self { runtime, connections } = self;
        for _ in 0..RECORDS {
            let head = runtime.block_on(connections[0].ask());
            assert!(head.contains("cache-status: rucache; hit; "), "{head}");
        }
    }

    /// A server does not wait for ever for the next request, and others had their turns meanwhile.
    fn connect_anew(&mut self) {
        let anew = join_all(self.connections.iter_mut().map(async |connection| {
            connection.stream = connect(connection.address).await;
        }));
        self.runtime.block_on(anew);
    }

    /// Requests a second when `requests` are asked for as fast as they are answered.
    #[expect(clippy::cast_precision_loss, reason = "requests of a round fit a double")]
    pub(crate) fn rate(&mut self, requests: usize) -> f64 {
        self.connect_anew();
        let each = requests / self.connections.len();
        // Never asleep: to wake it up would cost the server that is slower more than the other one.
        let awake = self.runtime.spawn(async {
            loop {
                yield_now().await;
            }
        });
        let began = now();
        self.runtime.block_on(join_all(self.connections.iter_mut().map(async |connection| {
            for _ in 0..each {
                connection.ask().await;
            }
        })));
        awake.abort();
        (each * self.connections.len()) as f64 / began.elapsed().as_secs_f64()
    }

    /// How long each request took when `rate` a second were due for `seconds`. One that had to wait
    /// for its turn took as much longer.
    #[expect(clippy::cast_precision_loss, reason = "connections fit a double")]
    pub(crate) fn at(&mut self, rate: f64, seconds: f64) -> Latencies {
        self.connect_anew();
        let every = Duration::from_secs_f64(self.connections.len() as f64 / rate);
        let (began, until) = (now(), Duration::from_secs_f64(seconds));
        let first = |at: usize| began + Duration::from_secs_f64(at as f64 / rate);
        let connections = self.connections.iter_mut().enumerate();
        let asked = join_all(connections.map(async |(at, connection)| {
            let (mut due, mut took) = (first(at), Vec::new());
            while due.duration_since(began) < until {
                // Timers go off up to a millisecond late.
                while now() < due {
                    yield_now().await;
                }
                connection.ask().await;
                took.push(due.elapsed());
                due += every;
            }
            took
        }));
        Latencies(self.runtime.block_on(asked).concat())
    }
}

impl Connection {
    /// The connection number `at`, which begins at another record than the others.
    async fn to(address: SocketAddr, at: usize) -> Self {
        let stream = connect(address).await;
        let request = |record| {
            let path = server::path(record);
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\n\r\n")
        };
        let requests = (0..RECORDS).map(request).collect();
        Self { address, stream, requests, sent: at * 31, answer: Box::new([0; ANSWER]) }
    }

    /// Sends the next request and reads its answer, of which it gives the head.
    async fn ask(&mut self) -> &str {
        let request = &self.requests[self.sent % self.requests.len()];
        self.sent += 1;
        self.stream.write_all(request.as_bytes()).await.expect("a server that reads");
        let mut read = 0;
        loop {
            let more = self.stream.read(&mut self.answer[read..]).await.expect("an answer");
            assert!(more > 0, "the server hung up");
            read += more;
            if let Some(end) = head_end(&self.answer[..read]) {
                let head = std::str::from_utf8(&self.answer[..end]).expect("text");
                assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
                if read == end + content_len(head) {
                    return std::str::from_utf8(&self.answer[..end]).expect("text");
                }
            }
        }
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.expect("a server that listens");
    stream.set_nodelay(true).expect("a connection");
    stream
}

fn head_end(answer: &[u8]) -> Option<usize> {
    answer.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn content_len(head: &str) -> usize {
    let (_, rest) = head.split_once("content-length: ").expect("a length");
    rest.split('\r').next().and_then(|len| len.parse().ok()).expect("a number")
}

/// How long requests took.
#[derive(Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Microseconds that so many of a thousand took at most.
    pub(crate) fn percentiles<const N: usize>(&self, of: [usize; N]) -> [u128; N] {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1).expect("requests");
        of.map(|thousandths| sorted[last * thousandths / 1_000].as_micros())
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> Instant {
    Instant::now()
}
