//! What can go wrong at a backend, by what a caller can do about it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::labels::labels;

labels! {
    /// What a caller can act on. A miss is no error.
    ErrorKind {
        /// No answer within the deadline; a write may or may not have happened.
        Timeout = "timeout",
        /// The backend could not be reached; nothing happened.
        Unreachable = "unreachable",
        /// The connection broke during the call; a write may or may not have happened.
        Interrupted = "interrupted",
        /// The circuit of the backend is open; nothing was sent.
        CircuitOpen = "circuit_open",
        /// Others changed the slot at every attempt; nothing happened.
        Contended = "contended",
        /// The backend refused the credentials or the command's permission.
        Denied = "denied",
        /// The backend does not take writes now (read-only replica).
        ReadOnly = "read_only",
        /// The backend has no room and evicts nothing.
        Full = "full",
        /// The value is larger than the backend's or the cache's limit; nothing was sent.
        TooLarge = "too_large",
        /// The slot holds something that this cache did not write.
        ForeignValue = "foreign_value",
        /// The answer breaks the protocol.
        Protocol = "protocol",
        /// The backend cannot do this at all; see its capabilities.
        Unsupported = "unsupported",
        /// The request itself is wrong.
        Invalid = "invalid",
        /// A value could not be written as, or read from, JSON.
        Codec = "codec",
    }
}

impl ErrorKind {
    /// Whether a write that ended so may have been carried out all the same.
    #[must_use]
    pub const fn leaves_write_unknown(self) -> bool {
        matches!(self, Self::Timeout | Self::Interrupted | Self::Protocol)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "no answer in time",
            Self::Unreachable => "cannot be reached",
            Self::Interrupted => "connection broke",
            Self::CircuitOpen => "skipped, its circuit is open",
            Self::Contended => "others were always faster, try again",
            Self::Denied => "access denied, check user and password",
            Self::ReadOnly => "takes no writes now",
            Self::Full => "out of memory",
            Self::TooLarge => "value too large",
            Self::ForeignValue => "slot holds something else",
            Self::Protocol => "answer not understood",
            Self::Unsupported => "not supported",
            Self::Invalid => "invalid request",
            Self::Codec => "value does not convert",
        })
    }
}

labels! {
    /// The operations of the contract, as stable labels.
    Operation {
        /// Opening a backend.
        Open = "open",
        /// Reading entries.
        Get = "get",
        /// Writing entries.
        Write = "write",
        /// Deleting entries.
        Delete = "delete",
        /// Expiring entries, kept as stale fallback.
        Expire = "expire",
        /// Asking for leases.
        Lease = "lease",
        /// Prolonging a lease.
        Renew = "renew",
        /// Ending a lease.
        Release = "release",
        /// Adding to a counter.
        Add = "add",
        /// Reading markers.
        Markers = "markers",
        /// Bumping markers.
        Bump = "bump",
        /// Reading a map.
        MapRead = "map_read",
        /// Changing a map.
        MapWrite = "map_write",
        /// Listing keys.
        Scan = "scan",
        /// Asking for a sign of life.
        Ping = "ping",
        /// Asking for facts about the server.
        Info = "info",
    }
}

/// A backend's failure: what kind, at which backend and node, during which operation, and why.
///
/// The text never holds a key, a value or a connection URL.
#[derive(Debug, Clone, Error)]
#[error("{}: {} failed: {kind}", self.place(), operation.as_str())]
pub struct Error {
    kind: ErrorKind,
    backend: &'static str,
    node: Option<String>,
    operation: Operation,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of `operation` at `backend`.
    #[must_use]
    pub const fn new(kind: ErrorKind, backend: &'static str, operation: Operation) -> Self {
        Self { kind, backend, node: None, operation, source: None }
    }

    /// The same, with its cause.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into().into());
        self
    }

    /// The same, at one node of the backend (`host:port`, without user or password).
    #[must_use]
    pub fn at_node(mut self, node: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self
    }

    /// What a caller can act on.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The backend that failed: `memory`, `redis`, `memcached`.
    #[must_use]
    pub const fn backend(&self) -> &'static str {
        self.backend
    }

    /// The node that failed, where the backend has several.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    /// What was being done.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        self.operation
    }

    fn place(&self) -> Cow<'static, str> {
        match &self.node {
            None => Cow::Borrowed(self.backend),
            Some(node) => Cow::Owned(format!("{} at {node}", self.backend)),
        }
    }
}
