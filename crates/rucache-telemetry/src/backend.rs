//! The metrics of backends and of their nodes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram};
use rucache_core::breaker::CircuitState;
use rucache_core::observer::PushChange;
use rucache_core::{ErrorKind, Operation};

use crate::family::Family;
use crate::recorder::Handles;
use crate::table::{
    BACKEND_CIRCUIT, BACKEND_DURATION, BACKEND_ERRORS, BACKEND_FAST_FAILURES, BACKEND_RECONNECTS,
    BACKEND_UP, PUSH_CONNECTED, PUSH_MESSAGES,
};

/// Most nodes of a backend that are told apart.
const NODES: usize = 16;

/// The node of a failure that no node can be named for.
const ALL_NODES: &str = "all";

const STATES: [CircuitState; 3] =
    [CircuitState::Closed, CircuitState::Open, CircuitState::HalfOpen];

/// A backend. Its series appear with its first event.
#[derive(Debug)]
pub(crate) struct Backend {
    name: String,
    handles: Handles,
    /// In the order of [`Operation::ALL`].
    durations: Vec<Histogram>,
    nodes: Family<Node>,
    push: OnceLock<Push>,
}

#[derive(Debug)]
struct Node {
    /// In the order of [`ErrorKind::ALL`].
    errors: Vec<Counter>,
    fast_failures: Counter,
    reconnects: Counter,
    up: Gauge,
    /// In the order of [`STATES`].
    circuit: Vec<Gauge>,
    is_closed: AtomicBool,
}

/// Only of a backend that pushes.
#[derive(Debug)]
struct Push {
    connected: Gauge,
    /// In the order of [`PushChange::ALL`].
    messages: Vec<Counter>,
}

impl Backend {
    pub(crate) fn new(handles: &Handles, name: &str) -> Self {
        let duration = |operation: &Operation| match operation {
            // It was open before there was anybody to tell.
            Operation::Open => Histogram::noop(),
            operation => handles.histogram(&BACKEND_DURATION, &[name, operation.as_str()]),
        };
        Self {
            name: name.to_owned(),
            handles: handles.clone(),
            durations: Operation::ALL.iter().map(duration).collect(),
            nodes: Family::new(NODES),
            push: OnceLock::new(),
        }
    }

    /// A call ended.
    pub(crate) fn called(&self, operation: Operation, took: Duration) {
        if let Some(histogram) = self.durations.get(operation as usize) {
            histogram.record(took);
        }
    }

    /// A call failed at a node.
    pub(crate) fn failed(&self, node: Option<&str>, kind: ErrorKind) {
        let node = self.node(node.unwrap_or(ALL_NODES));
        if kind == ErrorKind::CircuitOpen {
            node.fast_failures.increment(1);
        } else if let Some(errors) = node.errors.get(kind as usize) {
            errors.increment(1);
        }
    }

    /// The circuit of a node changed, or is told for the first time.
    pub(crate) fn circuit(&self, node: &str, state: CircuitState) {
        let node = self.node(node);
        let is_closed = state == CircuitState::Closed;
        if !node.is_closed.swap(is_closed, Ordering::Relaxed) && is_closed {
            node.reconnects.increment(1);
        }
        node.show(state);
    }

    /// The backend pushed something.
    pub(crate) fn pushed(&self, change: PushChange) {
        let message = |change: &PushChange| {
            self.handles.counter(&PUSH_MESSAGES, &[&self.name, change.as_str()])
        };
        let push = self.push.get_or_init(|| Push {
            connected: self.handles.gauge(&PUSH_CONNECTED, &[&self.name]),
            messages: PushChange::ALL.iter().map(message).collect(),
        });
        push.connected.set(if change == PushChange::Lost { 0.0 } else { 1.0 });
        if let Some(messages) = push.messages.get(change as usize) {
            messages.increment(1);
        }
    }

    fn node(&self, node: &str) -> Arc<Node> {
        self.nodes.member(node, |node| Node::new(&self.handles, &self.name, node))
    }
}

impl Node {
    /// A node that is taken to be well until told otherwise.
    fn new(handles: &Handles, backend: &str, node: &str) -> Self {
        let error = |kind: &ErrorKind| match kind {
            // Counted as a fast failure.
            ErrorKind::CircuitOpen => Counter::noop(),
            kind => handles.counter(&BACKEND_ERRORS, &[backend, node, kind.as_str()]),
        };
        let circuit =
            |state: CircuitState| handles.gauge(&BACKEND_CIRCUIT, &[backend, node, state.as_str()]);
        let made = Self {
            errors: ErrorKind::ALL.iter().map(error).collect(),
            fast_failures: handles.counter(&BACKEND_FAST_FAILURES, &[backend, node]),
            reconnects: handles.counter(&BACKEND_RECONNECTS, &[backend, node]),
            up: handles.gauge(&BACKEND_UP, &[backend, node]),
            circuit: STATES.map(circuit).into(),
            is_closed: AtomicBool::new(true),
        };
        made.show(CircuitState::Closed);
        made
    }

    fn show(&self, state: CircuitState) {
        let sign = |on: bool| f64::from(u8::from(on));
        self.up.set(sign(state == CircuitState::Closed));
        for (each, gauge) in STATES.iter().zip(&self.circuit) {
            gauge.set(sign(*each == state));
        }
    }
}
