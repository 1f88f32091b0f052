//! The signals that a service obeys: Ctrl-C, and where there are such SIGTERM and SIGHUP.

use std::io;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// To end.
    Stop,
    /// To read the configuration anew.
    #[cfg_attr(windows, expect(dead_code, reason = "there is no such signal"))]
    Reload,
}

/// Signals from now on; none is lost between two calls of [`next`](Self::next).
#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Begins to listen; the signals no longer end the process by themselves.
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) -> Wanted {
        tokio::select! {
            _ = self.interrupt.recv() => Wanted::Stop,
            _ = self.terminate.recv() => Wanted::Stop,
            _ = self.hang_up.recv() => Wanted::Reload,
        }
    }
}

impl Signals {
    /// Waits for the next signal to end.
    pub(super) async fn stop(&mut self) {
        while self.next().await != Wanted::Stop {}
    }
}

/// Ctrl-C from now on.
#[cfg(windows)]
pub(super) struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    /// Begins to listen; Ctrl-C no longer ends the process by itself.
    pub(super) fn listen() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    /// Waits for the next Ctrl-C.
    pub(super) async fn next(&mut self) -> Wanted {
        self.0.recv().await;
        Wanted::Stop
    }
}
