//! Where clients knock: open, closed, or deaf.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use super::Fault;

/// How many connections the system may hold for a door until they are accepted.
const BACKLOG: u32 = 1024;

/// After this long, connecting over loopback is known to hang.
const HANGS: Duration = Duration::from_millis(50);

/// The most connections that a backlog of none has been seen to take, with room to spare.
const FILLERS: usize = 8;

#[derive(Debug)]
pub(super) enum Door {
    /// Whoever connects is let in.
    Open(TcpListener),
    /// Whoever connects is refused.
    Closed,
    /// Whoever connects waits for ever: nobody accepts, and the queue is full of these connections.
    Deaf { _listener: TcpListener, _fillers: Vec<TcpStream> },
}

impl Door {
    /// The door that `fault` asks for, at `address`; an open door stays as it is.
    pub(super) async fn turn(self, fault: &Fault, address: SocketAddr) -> io::Result<Self> {
        match (self, fault) {
            (_, Fault::Refuse) => Ok(Self::Closed),
            (open @ Self::Open(_), fault) if *fault != Fault::Unanswered => Ok(open),
            (before, fault) => {
                // The address has to be free first.
                drop(before);
                match fault {
                    Fault::Unanswered => Self::deaf(address).await,
                    _ => Ok(Self::Open(listen(address, BACKLOG)?)),
                }
            }
        }
    }

    async fn deaf(address: SocketAddr) -> io::Result<Self> {
        let listener = listen(address, 0)?;
        let mut fillers = Vec::new();
        while let Ok(filler) = timeout(HANGS, TcpStream::connect(address)).await {
            fillers.push(filler?);
            if fillers.len() > FILLERS {
                return Err(io::Error::other("this system does not let a connect hang"));
            }
        }
        Ok(Self::Deaf { _listener: listener, _fillers: fillers })
    }

    /// The next client.
    pub(super) async fn accept(&self) -> io::Result<TcpStream> {
        match self {
            Self::Open(listener) => listener.accept().await.map(|(stream, _)| stream),
            Self::Closed | Self::Deaf { .. } => std::future::pending().await,
        }
    }
}

fn listen(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // The port is this proxy's own, also while connections of before are still closing.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(backlog)
}
