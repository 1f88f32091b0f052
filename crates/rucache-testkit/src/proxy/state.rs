//! What the handle of a proxy, its door and its connections share.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use super::{Connections, Fault};

/// What has gone through a proxy since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Connections accepted.
    pub opened: u64,
    /// Connections accepted that the client has not closed, nor the proxy.
    pub open: u64,
    /// Bytes passed on to the server.
    pub to_server: u64,
    /// Bytes passed on to clients.
    pub to_clients: u64,
}

/// The fault of the moment.
#[derive(Debug, Default)]
pub(super) struct Current {
    pub(super) fault: Fault,
    /// How many faults there have been before.
    pub(super) epoch: u64,
    /// The answers seen since it began.
    answers: AtomicU64,
}

impl Current {
    /// Whether nothing moves on a connection that was opened in the epoch `born`.
    pub(super) const fn holds(&self, born: u64) -> bool {
        match self.fault {
            Fault::BlackHole(Connections::All) => true,
            Fault::BlackHole(Connections::New) => born >= self.epoch,
            Fault::BlackHole(Connections::Old) => born < self.epoch,
            _ => false,
        }
    }

    /// Counts an answer; whether it is one to hit, every `one_in`-th being so.
    pub(super) fn hits_answer(&self, one_in: u64) -> bool {
        (self.answers.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(one_in.max(1))
    }
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) seed: u64,
    pub(super) current: watch::Sender<Current>,
    pub(super) opened: AtomicU64,
    pub(super) open: AtomicU64,
    pub(super) to_server: AtomicU64,
    pub(super) to_clients: AtomicU64,
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            current: watch::Sender::new(Current::default()),
            opened: AtomicU64::new(0),
            open: AtomicU64::new(0),
            to_server: AtomicU64::new(0),
            to_clients: AtomicU64::new(0),
        }
    }

    pub(super) fn begin(&self, fault: Fault) {
        self.current.send_modify(|current| {
            *current = Current { fault, epoch: current.epoch + 1, answers: AtomicU64::new(0) };
        });
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            opened: self.opened.load(Ordering::Relaxed),
            open: self.open.load(Ordering::Relaxed),
            to_server: self.to_server.load(Ordering::Relaxed),
            to_clients: self.to_clients.load(Ordering::Relaxed),
        }
    }
}
