//! The server: binds, accepts, drives connections, and stops without cutting anybody off.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::app::App;
use super::patience::Patient;
use super::{limits, route};
use crate::config::ServerConfig;

/// Why the service cannot serve. The text is one line for people.
#[derive(Debug, Error)]
pub(crate) enum ServeError {
    /// Somebody else listens there.
    #[error(
        "cannot listen on {address}: another program uses this port; stop it, or choose another \
         with --listen 127.0.0.1:PORT or RUCACHE_LISTEN"
    )]
    InUse {
        /// The address.
        address: SocketAddr,
    },
    /// The system does not let this program listen there.
    #[error(
        "cannot listen on {address}; choose another address with --listen ADDRESS:PORT or \
         RUCACHE_LISTEN"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

/// Begins to listen where `config` says; connections wait until [`run`].
pub(crate) async fn bind(config: &ServerConfig) -> Result<TcpListener, ServeError> {
    let address = config.listen;
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::InUse { address },
        _ => ServeError::Bind { address, source },
    })
}

/// Serves `app` on `listener` until `shutdown` is ready and requests under way have ended, within
/// 9 s.
pub(crate) async fn run(listener: TcpListener, app: App, shutdown: impl Future<Output = ()>) {
    app.verify().await;
    let router = route::router(&app);
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            stream = accept(&listener, &app), if connections.len() < limits::CONNECTIONS => {
                let stream = Patient::new(stream, app.runtime().clone());
                connections.spawn(drive(stream, router.clone(), stopped.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    app.stop();
    drop((listener, stop, stopped));
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits::GRACE, ended).await.is_err() {
        let cut_off = connections.len();
        tracing::warn!(cut_off, "connections were still busy and are cut off");
    }
}

/// The next connection. What goes wrong with one, or for lack of file descriptors, ends nothing.
async fn accept(listener: &TcpListener, app: &App) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are written whole: waiting for more would only delay them.
                if stream.set_nodelay(true).is_ok() {
                    return stream;
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections for the moment");
                app.runtime().sleep(limits::ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Serves one connection to its end, or, once `stopped`, to the end of its current request.
async fn drive(stream: Patient, router: Router, mut stopped: watch::Receiver<()>) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD_READ)
        .max_header_size(limits::HEAD)
        .max_buf_size(limits::BUFFER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    // How a connection ends is its client's affair: it has its answer, or does not want it.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}
