//! A process's connection to the store: the backend that its cache is built on.

mod backend;
mod circuit;
mod push;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rucache_core::{Answers, Change, Error, ErrorKind, Listener, Mono, Operation, Timestamp};

use crate::random::Random;
use crate::scheduler::Owner;
use crate::server::{Audience, Data};
use crate::shown::{Item, Shown};
use crate::wire::{STORE, Wire};

/// The store's one node.
pub(crate) const NODE: &str = "store:1";

/// Calls in a row that failed before the store counts as down.
const MAX_FAILURES: u32 = 5;

/// What a call does, as the circuit sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Reads entries: not before the store was told what it missed.
    Entries,
    /// Anything else.
    Other,
}

/// Whether the store is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Circuit {
    Up,
    /// Changes pass, reads of entries do not.
    Recovering,
    /// Nothing passes; tried again at the moment.
    Down(Mono),
}

/// The connections of one process: for calls, and for push where the store pushes.
pub(crate) struct Link {
    process: u64,
    wire: Arc<Wire>,
    pushes: bool,
    state: Mutex<State>,
    feed: Mutex<push::Feed>,
}

struct State {
    circuit: Circuit,
    failures: u32,
    /// The life of the server that it is connected to.
    life: u64,
    listeners: Vec<Weak<dyn Listener>>,
}

impl Link {
    /// Connects `process` to the store.
    pub(crate) fn open(wire: Arc<Wire>, process: u64, pushes: bool) -> Arc<Self> {
        let life = wire.server.life();
        let state = State { circuit: Circuit::Up, failures: 0, life, listeners: Vec::new() };
        let link = Arc::new(Self {
            process,
            wire,
            pushes,
            state: Mutex::new(state),
            feed: Mutex::default(),
        });
        let owner = Owner::Process(process);
        link.wire.scheduler.spawn(owner, Box::pin(circuit::supervise(link.clone())));
        if pushes {
            let audience: Arc<dyn Audience> = link.clone();
            link.wire.server.add_audience(Arc::downgrade(&audience));
            link.wire.scheduler.spawn(owner, Box::pin(push::keep(link.clone())));
        }
        link
    }

    async fn call<I, T>(
        &self,
        operation: Operation,
        access: Access,
        items: Vec<I>,
        command: fn(&mut Data, Timestamp, &mut Random, &I) -> T,
    ) -> Answers<T>
    where
        I: Item + Clone + Send + 'static,
        T: Shown + Send + 'static,
    {
        if items.is_empty() {
            return Vec::new();
        }
        if let Some(kind) = self.closed(access) {
            let error = Error::new(kind, STORE, operation).at_node(NODE);
            return items.iter().map(|_| Err(error.clone())).collect();
        }
        let answers = self.wire.exchange(self.process, operation, items, command).await;
        let failed = |answer: &Result<T, Error>| {
            let kind = answer.as_ref().err().map(Error::kind);
            matches!(kind, Some(ErrorKind::Timeout | ErrorKind::Interrupted))
        };
        self.judge(answers.iter().all(failed));
        answers
    }

    /// Why a call may not go now.
    fn closed(&self, access: Access) -> Option<ErrorKind> {
        let state = self.lock();
        if state.life != self.wire.server.life() {
            return Some(ErrorKind::Unreachable);
        }
        match state.circuit {
            Circuit::Up => None,
            Circuit::Recovering if access == Access::Other => None,
            Circuit::Recovering | Circuit::Down(_) => Some(ErrorKind::CircuitOpen),
        }
    }

    fn judge(&self, failed: bool) {
        let mut state = self.lock();
        state.failures = if failed { state.failures + 1 } else { 0 };
    }

    fn listeners(&self) -> Vec<Arc<dyn Listener>> {
        let mut state = self.lock();
        state.listeners.retain(|listener| listener.strong_count() > 0);
        state.listeners.iter().filter_map(Weak::upgrade).collect()
    }

    fn tell(&self, change: &Change) {
        self.wire.history.told(self.process, change);
        for listener in self.listeners() {
            listener.changed(change.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
