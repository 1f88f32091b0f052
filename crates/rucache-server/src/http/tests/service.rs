//! A running service, and sources that do as they are told.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use rucache::ruc::{Answer, Coverage, Provider, Ruc};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use super::client::{Client, Response};
use crate::config::ServerConfig;
use crate::http::metrics::Metrics;
use crate::http::{self, App, Door};

/// SUNAT itself, which the sample holds.
pub(super) const SUNAT: &str = "20131312955";

/// Well formed, and not in the sample.
pub(super) const UNKNOWN: &str = "20999999990";

/// A service on a port of its own.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    admin: Option<SocketAddr>,
    pub(super) app: App,
    pub(super) cache: rucache::Cache,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Service {
    /// With the bundled sample as its source.
    pub(super) async fn start() -> Self {
        Self::of(ServerConfig::default(), |cache| cache).await
    }

    /// As `config` says.
    pub(super) async fn configured(config: ServerConfig) -> Self {
        Self::of(config, |cache| cache).await
    }

    /// With `source` as its source.
    pub(super) async fn with(source: Source) -> Self {
        let source = Arc::new(source);
        Self::of(ServerConfig::default(), |cache| cache.with_provider(source)).await
    }

    async fn of(
        config: ServerConfig,
        change: impl FnOnce(rucache::Cache) -> rucache::Cache,
    ) -> Self {
        let metrics = Metrics::default();
        let cache = rucache::open_observed(config.cache.clone(), metrics.observer()).await;
        let cache = change(cache.expect("a cache"));
        let (mut doors, mut addresses) = (Vec::new(), Vec::new());
        let kinds: &[Door] = match config.admin_listen {
            Some(_) => &[Door::Users, Door::Administrators],
            None => &[Door::Only],
        };
        for kind in kinds {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            addresses.push(listener.local_addr().expect("an address"));
            doors.push((listener, *kind));
        }
        let app = App::over(config, cache.clone(), metrics).expect("rules that can be used");
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { drop(stopped.await) };
        let running = tokio::spawn(http::run(doors, app.clone(), shutdown));
        let admin = addresses.get(1).copied();
        Self { address: addresses[0], admin, app, cache, stop, running }
    }

    /// The same, asked at its listener for administration.
    pub(super) fn at_admin(mut self) -> Self {
        self.address = self.admin.expect("a listener of its own");
        self
    }

    /// Tells it to stop, and gives what ends with it.
    pub(super) fn stop(self) -> JoinHandle<()> {
        drop(self.stop);
        self.running
    }

    pub(super) async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }

    /// One request on a connection of its own.
    pub(super) async fn ask(&self, method: &str, target: &str) -> Response {
        self.raw(&format!("{method} {target} HTTP/1.1\r\nHost: rucache\r\n\r\n")).await
    }

    pub(super) async fn get(&self, target: &str) -> Response {
        self.ask("GET", target).await
    }

    /// One request with a JSON body and more lines for its head.
    pub(super) async fn send(
        &self,
        method: &str,
        target: &str,
        head: &str,
        body: impl AsRef<str>,
    ) -> Response {
        let body = body.as_ref();
        let len = body.len();
        self.raw(&format!(
            "{method} {target} HTTP/1.1\r\nHost: rucache\r\nContent-Type: application/json\r\n\
             Content-Length: {len}\r\n{head}\r\n{body}"
        ))
        .await
    }

    pub(super) async fn post(&self, target: &str, body: impl AsRef<str>) -> Response {
        self.send("POST", target, "", body).await
    }

    pub(super) async fn put(&self, target: &str, body: impl AsRef<str>) -> Response {
        self.send("PUT", target, "", body).await
    }

    pub(super) async fn raw(&self, request: &str) -> Response {
        let mut client = self.connect().await;
        client.send(request).await;
        client.response().await.expect("an answer")
    }
}

type Script = Box<dyn Fn(Ruc) -> Answer + Send + Sync>;

/// A source that answers as a function says, once it is let.
pub(super) struct Source {
    coverage: Coverage,
    script: Script,
    asked: Arc<AtomicUsize>,
    gate: Option<Gate>,
}

/// Holds the answers of a source back.
#[derive(Clone)]
pub(super) struct Gate {
    entered: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    /// Waits until the source is being asked.
    pub(super) async fn entered(&self) {
        self.entered.acquire().await.expect("never closed").forget();
    }

    /// Lets the source answer one call.
    pub(super) fn open(&self) {
        self.open.add_permits(1);
    }
}

impl Source {
    pub(super) fn new(script: impl Fn(Ruc) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            coverage: Coverage::Full,
            script: Box::new(script),
            asked: Arc::default(),
            gate: None,
        }
    }

    /// How many numbers it is asked for.
    pub(super) fn asked(&self) -> Arc<AtomicUsize> {
        self.asked.clone()
    }

    /// The same, held back by a gate.
    pub(super) fn gated(mut self) -> (Self, Gate) {
        let gate = Gate { entered: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) };
        self.gate = Some(gate.clone());
        (self, gate)
    }

    async fn pass(&self, numbers: usize) {
        self.asked.fetch_add(numbers, Ordering::Relaxed);
        if let Some(gate) = &self.gate {
            gate.entered.add_permits(1);
            gate.open.acquire().await.expect("never closed").forget();
        }
    }
}

#[async_trait]
impl Provider for Source {
    fn name(&self) -> &str {
        "scripted"
    }

    fn coverage(&self) -> Coverage {
        self.coverage
    }

    fn batch_limit(&self) -> NonZeroUsize {
        NonZeroUsize::MAX
    }

    async fn lookup(&self, ruc: Ruc) -> Answer {
        self.pass(1).await;
        (self.script)(ruc)
    }

    async fn lookup_many(&self, rucs: &[Ruc]) -> Vec<Answer> {
        self.pass(rucs.len()).await;
        rucs.iter().map(|&ruc| (self.script)(ruc)).collect()
    }
}
