//! What a cache tells those who watch it.

mod label;

use std::time::Duration;

pub use label::{
    CacheOperation, LoadResult, Origin, PushChange, Reach, RefreshResult, RefreshTrigger,
    RequestResult, Scope, StaleReason, StoreResult, Tier, TierResult,
};

use crate::breaker::CircuitState;
use crate::envelope::DecodeFailure;
use crate::{ErrorKind, Operation};

/// Somebody who watches a cache: metrics, a log, a test.
///
/// Called on the caller's own path, so it must return at once. Events carry no key. What is a
/// number alone is read from the [`Counters`](crate::Counters), which cost less.
pub trait Observer: Send + Sync {
    /// Takes in one event.
    fn record(&self, event: &CacheEvent<'_>);
}

/// Something that happened in a cache or at its backends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheEvent<'a> {
    /// A load ended.
    LoadEnded {
        /// The service of its key.
        service: &'a str,
        /// How it ended.
        result: LoadResult,
        /// How long it took.
        took: Duration,
    },
    /// A value was stored, or was not.
    Store {
        /// The service of its key.
        service: &'a str,
        /// What became of it.
        result: StoreResult,
        /// Length of the value as JSON, in bytes.
        value_len: usize,
    },
    /// Entries were invalidated.
    Invalidated {
        /// The service of the key or group.
        service: &'a str,
        /// How many at once.
        scope: Scope,
    },
    /// Bytes in a shared store were no usable envelope.
    DecodeFailed {
        /// The service of the key.
        service: &'a str,
        /// Why.
        reason: DecodeFailure,
    },
    /// A call of a caller ended. Of those that the local tier answers one in 128 is told, as
    /// [`Counters::samples`](crate::Counters::samples) picks them.
    CacheCall {
        /// What was asked.
        operation: CacheOperation,
        /// How far it went.
        reach: Reach,
        /// How long it took.
        took: Duration,
    },
    /// A verdict that there is no value was stored.
    NegativeStored {
        /// The service of its key.
        service: &'a str,
        /// Why, as the loader or the caller gave it: perhaps a text that somebody typed, so whoever
        /// shows it has to sort it first.
        reason: &'a str,
    },
    /// A call to a backend ended.
    BackendCall {
        /// The backend's name.
        backend: &'a str,
        /// What was asked.
        operation: Operation,
        /// How it failed, if it did.
        error: Option<ErrorKind>,
        /// How long it took.
        took: Duration,
    },
    /// The circuit of a node changed.
    Circuit {
        /// The backend's name.
        backend: &'a str,
        /// The node.
        node: &'a str,
        /// Its new state.
        state: CircuitState,
    },
    /// A call to a backend failed at a node; told once for each call, node and kind.
    BackendFailed {
        /// The backend's name.
        backend: &'a str,
        /// The node, where the backend has several.
        node: Option<&'a str>,
        /// How.
        kind: ErrorKind,
    },
    /// A backend pushed a change, or lost or found its way to do so.
    Pushed {
        /// The backend's name.
        backend: &'a str,
        /// What it pushed.
        change: PushChange,
    },
}
