//! The server: binds, accepts, drives connections, and stops without cutting anybody off.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;

use axum::body::{Body, HttpBody};
use futures_util::future::{join, join_all};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::access::Door;
use super::alarm::Alarm;
use super::app::App;
use super::limits;
use super::patience::Patient;
use super::router::Router;
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
pub(crate) async fn bind(config: &ServerConfig) -> Result<Vec<(TcpListener, Door)>, ServeError> {
    let Some(admin) = config.admin_listen else {
        return Ok(vec![(listen(config.listen).await?, Door::Only)]);
    };
    let users = (listen(config.listen).await?, Door::Users);
    Ok(vec![users, (listen(admin).await?, Door::Administrators)])
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::InUse { address },
        _ => ServeError::Bind { address, source },
    })
}

/// Serves `app` at `doors` until `shutdown` is ready and requests under way have ended, within 9 s.
pub(crate) async fn run(
    doors: Vec<(TcpListener, Door)>,
    app: App,
    shutdown: impl Future<Output = ()>,
) {
    app.verify().await;
    app.cache().lookups().start();
    let (stop, stopped) = watch::channel(());
    let attend = |(listener, door)| attend(listener, door, &app, stopped.clone());
    let attended = join_all(doors.into_iter().map(attend));
    let ending = async {
        shutdown.await;
        app.stop();
        drop(stop);
    };
    tokio::select! {
        _ = join(attended, ending) => {}
        () = app.keep_metrics() => {}
    }
    // What was counted last is of use to others only; nobody waits long for it.
    let _ = tokio::time::timeout(limits::LAST_WORDS, app.cache().lookups().stop()).await;
}

/// Serves one listener until some moments after `stopped`, and the requests under way then to their
/// end.
async fn attend(listener: TcpListener, door: Door, app: &App, stopped: watch::Receiver<()>) {
    let router = Router::new(app, door);
    let mut connections = JoinSet::new();
    let begin = |stream| drive(stream, app.clone(), router.clone(), stopped.clone());
    let mut drained = pin!(drained(app, stopped.clone()));
    loop {
        tokio::select! {
            () = &mut drained => break,
            stream = accept(&listener, app), if connections.len() < app.live().limits.connections => {
                connections.spawn(begin(stream));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    // Connections that the system has made by now are not turned away.
    if let Ok(listener) = listener.into_std() {
        while let Ok((stream, _)) = listener.accept() {
            if stream.set_nonblocking(true).is_ok()
                && let Ok(stream) = TcpStream::from_std(stream)
            {
                connections.spawn(begin(stream));
            }
        }
    }
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
            Ok((stream, _)) => return stream,
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

/// Waits until the service is told to stop, and some moments more.
async fn drained(app: &App, mut stopped: watch::Receiver<()>) {
    // Sent or dropped, it means the same.
    stopped.changed().await.ok();
    app.runtime().sleep(limits::DRAIN).await;
}

/// Serves one connection to its end, or, some moments after `stopped`, to the end of its current
/// request.
async fn drive(stream: TcpStream, app: App, router: Router, stopped: watch::Receiver<()>) {
    // Answers are written whole: waiting for more would only delay them.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let stream = Patient::new(stream, app.runtime().clone());
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (router, request) = (router.clone(), request.map(body));
        async move { Ok::<_, Infallible>(router.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(Alarm::new())
        .header_read_timeout(limits::HEAD_READ)
        .max_header_size(app.live().limits.head)
        .max_buf_size(limits::BUFFER)
        // Answers are short: to copy one is cheaper than to send it in two parts.
        .writev(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // How a connection ends is its client's affair: it has its answer, or does not want it.
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        () = drained(&app, stopped) => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}

/// The body of a request; of most there is none.
fn body(incoming: Incoming) -> Body {
    if incoming.is_end_stream() { Body::empty() } else { Body::new(incoming) }
}
