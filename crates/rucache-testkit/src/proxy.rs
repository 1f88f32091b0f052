//! A TCP proxy in front of a server, whose faults are switched while clients use it.

mod connection;
mod door;
mod fault;
mod relay;
mod state;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::yield_now;

pub use fault::{Connections, Ending, Fault};
pub use state::Counts;

use crate::background::Background;
use crate::port::{Port, loopback};
use crate::process::{StartFailure, start_until_free};

use connection::{Connection, Done, Line, Order};
use door::Door;
use state::State;

/// A proxy on a loopback port of its own; it and all its connections end when it is dropped.
///
/// While the server is down, clients are accepted and reset at once.
///
/// ```no_run
/// use std::time::Duration;
/// use rucache_testkit::{Fault, FaultProxy, RedisOptions, RedisServer};
///
/// let redis = RedisServer::start(RedisOptions::default());
/// let proxy = FaultProxy::start(redis.port(), 1);
/// // … a client connects to `proxy.port()` …
/// proxy.set(Fault::stall(Duration::from_millis(60), 10));
/// proxy.half_open();
/// proxy.set(Fault::Pass);
/// ```
#[derive(Debug)]
pub struct FaultProxy {
    commands: UnboundedSender<(Command, Done)>,
    state: Arc<State>,
    _background: Background,
    port: Port,
}

#[derive(Debug)]
enum Command {
    Set(Fault),
    Order(Order),
}

impl FaultProxy {
    /// A proxy in front of the server on the loopback port `server`, letting everything pass. What
    /// is left to chance is decided by `seed`.
    ///
    /// # Panics
    ///
    /// When there is no port for it.
    #[must_use]
    pub fn start(server: u16, seed: u64) -> Self {
        start_until_free(|| {
            let port = Port::reserve();
            let state = Arc::new(State::new(seed));
            let (commands, received) = unbounded_channel();
            let (ready, is_ready) = sync_channel(1);
            let (address, shared) = (port.address(), state.clone());
            let background = Background::start("fault-proxy", move || {
                serve(address, loopback(server), shared, received, ready)
            });
            is_ready.recv().map_err(|_| StartFailure::AddressInUse)?;
            Ok(Self { commands, state, _background: background, port })
        })
    }

    /// The port on 127.0.0.1, the same whatever happens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port.number()
    }

    /// `127.0.0.1:port`.
    #[must_use]
    pub fn address(&self) -> String {
        self.port.address().to_string()
    }

    /// Begins `fault` in place of the one before. In force when this returns.
    ///
    /// # Panics
    ///
    /// When the proxy cannot listen again on its port.
    pub fn set(&self, fault: Fault) {
        self.command(Command::Set(fault));
    }

    /// Resets (RST) all connections that are open.
    ///
    /// # Panics
    ///
    /// When the proxy has failed before.
    pub fn reset(&self) {
        self.command(Command::Order(Order::End(Ending::Reset)));
    }

    /// Ends all connections that are open, in order (FIN).
    ///
    /// # Panics
    ///
    /// When the proxy has failed before.
    pub fn close(&self) {
        self.command(Command::Order(Order::End(Ending::Eof)));
    }

    /// Cuts all connections that are open off from the server without telling the client, as when
    /// the server's machine loses its power: they never answer again.
    ///
    /// # Panics
    ///
    /// When the proxy has failed before.
    pub fn half_open(&self) {
        self.command(Command::Order(Order::HalfOpen));
    }

    /// What has gone through it since its start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.state.counts()
    }

    fn command(&self, command: Command) {
        let (done, all_done) = sync_channel(0);
        let sent = self.commands.send((command, done));
        assert!(sent.is_ok(), "the proxy could not listen again on port {}", self.port());
        // Ends when everybody who has to do something about it has dropped the other end.
        let _ = all_done.recv();
    }
}

async fn serve(
    address: SocketAddr,
    server: SocketAddr,
    state: Arc<State>,
    mut commands: UnboundedReceiver<(Command, Done)>,
    ready: SyncSender<()>,
) {
    let Ok(mut door) = Door::Closed.turn(&Fault::Pass, address).await else {
        return;
    };
    let _ = ready.send(());
    let mut lobby = Lobby { server, state, orders: Vec::new() };
    loop {
        let command = tokio::select! {
            client = door.accept() => {
                lobby.admit(client);
                continue;
            }
            command = commands.recv() => command,
        };
        // What is commanded is for all who have connected before it: see who has.
        yield_now().await;
        loop {
            tokio::select! {
                biased;
                client = door.accept() => lobby.admit(client),
                () = std::future::ready(()) => break,
            }
        }
        match command {
            Some((Command::Set(fault), done)) => {
                let Ok(turned) = door.turn(&fault, address).await else {
                    return;
                };
                door = turned;
                lobby.state.begin(fault);
                drop(done);
            }
            Some((Command::Order(order), done)) => {
                lobby.orders.retain(|orders| orders.send((order, done.clone())).is_ok());
            }
            None => return,
        }
    }
}

/// Who has been let in.
struct Lobby {
    server: SocketAddr,
    state: Arc<State>,
    orders: Vec<UnboundedSender<(Order, Done)>>,
}

impl Lobby {
    fn admit(&mut self, client: io::Result<TcpStream>) {
        // Who has gone away before being let in is no client.
        let Ok(client) = client else {
            return;
        };
        let (orders, received) = unbounded_channel();
        self.orders.retain(|orders| !orders.is_closed());
        self.orders.push(orders);
        let number = self.state.opened.fetch_add(1, Ordering::Relaxed);
        let born = self.state.current.borrow().epoch;
        let line = Line { state: self.state.clone(), born, number };
        tokio::spawn(Connection { client, server: self.server, line, orders: received }.run());
    }
}
