//! One client's connection through the proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;

use super::relay::{Outlet, Stop, queue, take_in};
use super::state::State;
use super::{Ending, Fault};
use crate::random::Random;

/// Dropped by everybody who has done what was asked: who waits at the other end knows then.
pub(super) type Done = SyncSender<()>;

/// What happens at once to a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    /// It ends.
    End(Ending),
    /// The server is cut off, and the client not told.
    HalfOpen,
}

/// What both directions of a connection know of it.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) state: Arc<State>,
    /// The epoch in which it was opened.
    pub(super) born: u64,
    /// Its number among all.
    pub(super) number: u64,
}

pub(super) struct Connection {
    pub(super) client: TcpStream,
    pub(super) server: SocketAddr,
    pub(super) line: Line,
    pub(super) orders: UnboundedReceiver<(Order, Done)>,
}

impl Connection {
    /// Relays until it ends, by one of the peers, by the fault or by order.
    pub(super) async fn run(mut self) {
        let mut open = Open::count(&self.line.state);
        let relayed = async {
            let relayed = match TcpStream::connect(self.server).await {
                Ok(server) => relay(&mut self.client, server, &self.line, &mut open).await,
                Err(error) => Err(error.into()),
            };
            // Fails only when there is no proxy any more; then nothing is held either.
            let mut current = self.line.state.current.subscribe();
            let _ = current.wait_for(|current| !current.holds(self.line.born)).await;
            relayed
        };
        let (order, done) = tokio::select! {
            relayed = relayed => match relayed {
                Ok(()) => return,
                Err(Stop::Broken) => (Order::End(Ending::Reset), None),
                Err(Stop::Cut(how)) => (Order::End(how), None),
            },
            order = self.orders.recv() => match order {
                Some((order, done)) => (order, Some(done)),
                None => return,
            },
        };
        self.leave(order, done, open).await;
    }

    /// Carries out an order, and reads and forgets what the client still sends until the next one.
    async fn leave(mut self, mut order: Order, mut done: Option<Done>, mut open: Open) {
        loop {
            match order {
                Order::End(Ending::Reset) => {
                    // Where the client was quicker there is nothing left to reset.
                    let _ = self.client.set_zero_linger();
                    drop(self.client);
                    open.close();
                    return drop(done);
                }
                Order::End(Ending::Eof) => {
                    let _ = self.client.shutdown().await;
                }
                Order::HalfOpen => {}
            }
            drop(done);
            // Closed with bytes unread, an orderly end would be a reset after all.
            let next = tokio::select! {
                () = swallow(&mut self.client) => return,
                next = self.orders.recv() => next,
            };
            let Some((next_order, next_done)) = next else {
                return;
            };
            (order, done) = (next_order, Some(next_done));
        }
    }
}

/// Reads until the client closes.
async fn swallow(client: &mut TcpStream) {
    let mut forgotten = [0; 4096];
    while !matches!(client.read(&mut forgotten).await, Ok(0) | Err(_)) {}
}

/// Both directions, until both have ended or one of them is broken.
async fn relay(
    client: &mut TcpStream,
    mut server: TcpStream,
    line: &Line,
    open: &mut Open,
) -> Result<(), Stop> {
    server.set_nodelay(true)?;
    client.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let (requests_in, requests_out) = queue();
    let (answers_in, answers_out) = queue();
    let mut delays = Random::of_part(line.state.seed, line.number);
    let requests = async {
        let taken = take_in(from_client, requests_in, || Duration::ZERO).await;
        open.close();
        taken
    };
    let delay = || {
        let current = line.state.current.borrow();
        match &current.fault {
            Fault::Delay { shortest, longest, one_in } if current.hits_answer(*one_in) => {
                *shortest + delays.up_to(longest.saturating_sub(*shortest))
            }
            _ => Duration::ZERO,
        }
    };
    tokio::try_join!(
        requests,
        Outlet::new(to_server, line).give_requests(requests_out),
        take_in(from_server, answers_in, delay),
        Outlet::new(to_client, line).give_answers(answers_out),
    )?;
    Ok(())
}

/// A client's connection in the count of open ones.
struct Open(Option<Arc<State>>);

impl Open {
    fn count(state: &Arc<State>) -> Self {
        state.open.fetch_add(1, Ordering::Relaxed);
        Self(Some(state.clone()))
    }

    fn close(&mut self) {
        if let Some(state) = self.0.take() {
            state.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close();
    }
}
