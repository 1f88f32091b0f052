//! A look-up API on loopback, in the shape of the real ones, with faults.

mod http;
mod shape;

use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until};

pub use shape::ProviderShape;

use crate::background::Background;
use crate::port::Port;
use crate::process::{StartFailure, start_until_free};
use http::{Asked, Reply};

/// A fake of a look-up API; it ends when it is dropped.
///
/// Every number exists but those of [`remove`](Self::remove), and has an invented record. Tests
/// see what it was asked in [`calls`](Self::calls).
#[derive(Debug)]
pub struct ProviderFake {
    shared: Arc<Shared>,
    _background: Background,
    port: Port,
}

/// What is wrong with the answers of a [`ProviderFake`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderFault {
    /// This status, with the body that the API gives with it, and `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// Status and body, whatever they say.
    Body(u16, String),
    /// A page with status 200, as for a token that is not known.
    Html,
    /// The right answer, of which the last third is missing.
    Truncated,
    /// The connection ends in the middle of the answer.
    Cut,
    /// No answer.
    Hang,
    /// The first item is another number's.
    WrongItem,
    /// So many items are missing at the end of a collection.
    MissingItems(usize),
    /// Status 422 for every question that holds this number.
    Poison(String),
}

/// One question that a [`ProviderFake`] was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderCall {
    /// The path, without the query.
    pub path: String,
    /// The numbers in the question, in their order.
    pub numbers: Vec<String>,
    /// The status of the answer; 0 where there was none.
    pub status: u16,
}

#[derive(Debug)]
struct Shared {
    shape: ProviderShape,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    latency: Duration,
    steady: Option<ProviderFault>,
    once: VecDeque<ProviderFault>,
    removed: HashSet<String>,
    unpublished: HashSet<String>,
    latest: Option<String>,
    calls: Vec<ProviderCall>,
}

impl ProviderFake {
    /// The token that it takes.
    pub const TOKEN: &str = "fake-token-for-tests-only";

    /// A fake of `shape` on a loopback port of its own, without faults.
    ///
    /// # Panics
    ///
    /// When there is no port for it.
    #[must_use]
    pub fn start(shape: ProviderShape) -> Self {
        let shared = Arc::new(Shared { shape, state: Mutex::default() });
        start_until_free(|| {
            let port = Port::reserve();
            let (ready, is_ready) = sync_channel(1);
            let (address, serving) = (port.address(), shared.clone());
            let background =
                Background::start("provider-fake", move || serve(address, serving, ready));
            is_ready.recv().map_err(|_| StartFailure::AddressInUse)?;
            Ok(Self { shared: shared.clone(), _background: background, port })
        })
    }

    /// Its base URL: `http://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.port.address())
    }

    /// From now on every answer takes `span`.
    pub fn set_latency(&self, span: Duration) {
        self.shared.state().latency = span;
    }

    /// From now on every answer has `fault`, or none.
    pub fn set_fault(&self, fault: Option<ProviderFault>) {
        self.shared.state().steady = fault;
    }

    /// The next answers have these faults, one each; then those that are set.
    pub fn next_faults(&self, faults: impl IntoIterator<Item = ProviderFault>) {
        self.shared.state().once.extend(faults);
    }

    /// From now on this number does not exist.
    pub fn remove(&self, number: &str) {
        self.shared.state().removed.insert(number.to_owned());
    }

    /// From now on this number exists again.
    pub fn restore(&self, number: &str) {
        self.shared.state().removed.remove(number);
    }

    /// From now on this day, as `2026-01-28`, has no exchange rate.
    pub fn remove_rate(&self, day: &str) {
        self.shared.state().unpublished.insert(day.to_owned());
    }

    /// From now on this day has its exchange rate again.
    pub fn publish_rate(&self, day: &str) {
        self.shared.state().unpublished.remove(day);
    }

    /// From now on this day, as `2026-01-28`, is the last one with an exchange rate.
    pub fn set_latest_rate(&self, day: &str) {
        self.shared.state().latest = Some(day.to_owned());
    }

    /// What it was asked so far, in order of arrival.
    #[must_use]
    pub fn calls(&self) -> Vec<ProviderCall> {
        self.shared.state().calls.clone()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to a question, and how long it takes.
    fn answer(&self, asked: &Asked) -> (Reply, Duration) {
        let mut state = self.state();
        let fault = state.once.pop_front().or_else(|| state.steady.clone());
        let reply = match fault {
            Some(fault) => self.faulty(&state, asked, fault),
            None => self.sound(&state, asked),
        };
        let (path, numbers) = (asked.path().to_owned(), asked.numbers());
        state.calls.push(ProviderCall { path, numbers, status: reply.status() });
        (reply, state.latency)
    }

    fn sound(&self, state: &State, asked: &Asked) -> Reply {
        let latest = state.latest.as_deref();
        let (status, body) = self.shape.answer(asked, &state.removed, &state.unpublished, latest);
        Reply::whole(status, body)
    }

    fn faulty(&self, state: &State, asked: &Asked, fault: ProviderFault) -> Reply {
        match fault {
            ProviderFault::Status(status, retry_after) => {
                Reply::whole(status, self.shape.refusal(status)).retry_after(retry_after)
            }
            ProviderFault::Body(status, body) => Reply::whole(status, body),
            ProviderFault::Html => Reply::whole(200, shape::PAGE.to_owned()),
            ProviderFault::Truncated => self.sound(state, asked).shortened(),
            ProviderFault::Cut => self.sound(state, asked).cut(),
            ProviderFault::Hang => Reply::Silence,
            ProviderFault::WrongItem => {
                let asked = asked.with_another_number();
                self.sound(state, &asked)
            }
            ProviderFault::MissingItems(count) => self.sound(state, &asked.without_last(count)),
            ProviderFault::Poison(number) if asked.numbers().contains(&number) => {
                Reply::whole(422, self.shape.refusal(422))
            }
            ProviderFault::Poison(_) => self.sound(state, asked),
        }
    }
}

async fn serve(address: SocketAddr, shared: Arc<Shared>, ready: SyncSender<()>) {
    let Ok(listener) = TcpListener::bind(address).await else {
        return;
    };
    let _ = ready.send(());
    loop {
        // Who has gone away before being let in is no client.
        if let Ok((stream, _)) = listener.accept().await {
            let shared = shared.clone();
            tokio::spawn(async move {
                // A client that breaks the connection has seen enough.
                let _ = converse(stream, &shared).await;
            });
        }
    }
}

/// Answers on one connection until it ends.
async fn converse(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut unread = Vec::new();
    loop {
        let asked = http::read(&mut stream, &mut unread).await?;
        let (reply, latency) = shared.answer(&asked);
        if !latency.is_zero() {
            sleep_until(Instant::now() + latency).await;
        }
        let Some(bytes) = reply.bytes() else {
            // Until the client gives up.
            http::read(&mut stream, &mut unread).await?;
            continue;
        };
        stream.write_all(&bytes).await?;
        if reply.ends_connection() {
            return stream.shutdown().await;
        }
    }
}
