//! A server that says what a test has written down, however wrong that is.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until};

use crate::background::Background;
use crate::port::Port;
use crate::process::{StartFailure, start_until_free};

/// One step of what a fake server does on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Reads until these bytes have come since the last step of this kind.
    Expect(Vec<u8>),
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Does nothing for a while.
    Pause(Duration),
    /// Does nothing more, and keeps the connection open until the client closes it.
    Hang,
    /// Ends the connection in order (FIN).
    Close,
    /// Resets the connection (RST).
    Reset,
}

type Answer = dyn Fn(&[u8]) -> Vec<Step> + Send + Sync;

enum Role {
    Script(Vec<Step>),
    Answering(Box<Answer>),
}

/// A fake server on a loopback port of its own; it and its connections end when it is dropped.
///
/// ```no_run
/// use rucache_testkit::{FakeServer, Step};
///
/// // A bulk string that promises two gigabytes.
/// let fake = FakeServer::answering(|request| match request {
///     _ if request.ends_with(b"GET\r\n$1\r\nk\r\n") => vec![Step::Send(b"$2000000000\r\nx".into())],
///     _ => vec![Step::Send(b"+OK\r\n".into())],
/// });
/// # let _ = fake.port();
/// ```
#[derive(Debug)]
pub struct FakeServer {
    seen: Arc<Seen>,
    _background: Background,
    port: Port,
}

#[derive(Debug, Default)]
struct Seen {
    opened: AtomicU64,
    received: Mutex<Vec<u8>>,
}

impl FakeServer {
    /// A server that plays `script` on each connection, and closes it at the end.
    ///
    /// # Panics
    ///
    /// When there is no port for it.
    #[must_use]
    pub fn script(script: impl IntoIterator<Item = Step>) -> Self {
        Self::start(Role::Script(script.into_iter().collect()))
    }

    /// A server that does what `answer` says after each read, which for requests sent one at a time
    /// is after each request.
    ///
    /// # Panics
    ///
    /// When there is no port for it.
    #[must_use]
    pub fn answering(answer: impl Fn(&[u8]) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::start(Role::Answering(Box::new(answer)))
    }

    fn start(role: Role) -> Self {
        let role = Arc::new(role);
        start_until_free(|| {
            let port = Port::reserve();
            let seen = Arc::new(Seen::default());
            let (ready, is_ready) = sync_channel(1);
            let (address, role, shared) = (port.address(), role.clone(), seen.clone());
            let background =
                Background::start("fake-server", move || serve(address, role, shared, ready));
            is_ready.recv().map_err(|_| StartFailure::AddressInUse)?;
            Ok(Self { seen, _background: background, port })
        })
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port.number()
    }

    /// `127.0.0.1:port`.
    #[must_use]
    pub fn address(&self) -> String {
        self.port.address().to_string()
    }

    /// How many connections have been opened.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.seen.opened.load(Ordering::Relaxed)
    }

    /// All bytes read so far, of all connections in the order of their arrival.
    #[must_use]
    pub fn received(&self) -> Vec<u8> {
        self.seen.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(address: SocketAddr, role: Arc<Role>, seen: Arc<Seen>, ready: SyncSender<()>) {
    let Ok(listener) = TcpListener::bind(address).await else {
        return;
    };
    let _ = ready.send(());
    loop {
        // Who has gone away before being let in is no client.
        if let Ok((stream, _)) = listener.accept().await {
            seen.opened.fetch_add(1, Ordering::Relaxed);
            let stage = Stage { stream, seen: seen.clone(), unread: Vec::new() };
            let role = role.clone();
            tokio::spawn(async move {
                // A client that breaks the connection has seen enough.
                let _ = stage.perform(&role).await;
            });
        }
    }
}

/// One connection.
struct Stage {
    stream: TcpStream,
    seen: Arc<Seen>,
    /// What has been read and not been expected yet.
    unread: Vec<u8>,
}

/// Whether a connection goes on.
#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    End,
}

impl Stage {
    async fn perform(mut self, role: &Role) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        match role {
            Role::Script(steps) => {
                if self.play(steps).await? == Next::GoOn {
                    self.close().await?;
                }
            }
            Role::Answering(answer) => loop {
                self.unread.clear();
                self.read().await?;
                if self.play(&answer(&self.unread)).await? == Next::End {
                    break;
                }
            },
        }
        Ok(())
    }

    async fn play(&mut self, steps: &[Step]) -> io::Result<Next> {
        for step in steps {
            match step {
                Step::Expect(wanted) => self.expect(wanted).await?,
                Step::Send(bytes) => self.stream.write_all(bytes).await?,
                Step::Pause(span) => sleep_until(Instant::now() + *span).await,
                Step::Hang => loop {
                    self.read().await?;
                },
                Step::Close => {
                    self.close().await?;
                    return Ok(Next::End);
                }
                Step::Reset => {
                    self.stream.set_zero_linger()?;
                    return Ok(Next::End);
                }
            }
        }
        Ok(Next::GoOn)
    }

    async fn expect(&mut self, wanted: &[u8]) -> io::Result<()> {
        loop {
            let found = self.unread.windows(wanted.len().max(1)).position(|seen| seen == wanted);
            if let Some(at) = found {
                self.unread.drain(..at + wanted.len());
                return Ok(());
            }
            self.read().await?;
        }
    }

    /// Ends in order: closed with bytes unread, it would be a reset.
    async fn close(&mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        loop {
            self.read().await?;
        }
    }

    /// Reads what there is; the end of the stream is an error.
    async fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        let len = self.stream.read(&mut buffer).await?;
        let bytes = buffer.get(..len).unwrap_or_default();
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.unread.extend_from_slice(bytes);
        let mut received = self.seen.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.extend_from_slice(bytes);
        Ok(())
    }
}
