//! What can go wrong at a backend, by what a caller can do about it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// What a caller can act on. A miss is no error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No answer within the deadline; a write may or may not have happened.
    Timeout,
    /// The backend could not be reached; nothing happened.
    Unreachable,
    /// The connection broke during the call; a write may or may not have happened.
    Interrupted,
    /// The circuit of the backend is open; nothing was sent.
    CircuitOpen,
    /// Others changed the slot at every attempt; nothing happened.
    Contended,
    /// The backend refused the credentials or the command's permission.
    Denied,
    /// The backend does not take writes now (read-only replica).
    ReadOnly,
    /// The backend has no room and evicts nothing.
    Full,
    /// The value is larger than the backend's or the cache's limit; nothing was sent.
    TooLarge,
    /// The slot holds something that this cache did not write.
    ForeignValue,
    /// The answer breaks the protocol.
    Protocol,
    /// The backend cannot do this at all; see its capabilities.
    Unsupported,
    /// The request itself is wrong.
    Invalid,
    /// A value could not be written as, or read from, JSON.
    Codec,
}

impl ErrorKind {
    /// The kind as a stable label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Interrupted => "interrupted",
            Self::CircuitOpen => "circuit_open",
            Self::Contended => "contended",
            Self::Denied => "denied",
            Self::ReadOnly => "read_only",
            Self::Full => "full",
            Self::TooLarge => "too_large",
            Self::ForeignValue => "foreign_value",
            Self::Protocol => "protocol",
            Self::Unsupported => "unsupported",
            Self::Invalid => "invalid",
            Self::Codec => "codec",
        }
    }

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

/// The operations of the contract, as stable labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Opening a backend.
    Open,
    /// Reading entries.
    Get,
    /// Writing entries.
    Write,
    /// Deleting entries.
    Delete,
    /// Expiring entries, kept as stale fallback.
    Expire,
    /// Asking for leases.
    Lease,
    /// Prolonging a lease.
    Renew,
    /// Ending a lease.
    Release,
    /// Adding to a counter.
    Add,
    /// Reading markers.
    Markers,
    /// Bumping markers.
    Bump,
    /// Reading a map.
    MapRead,
    /// Changing a map.
    MapWrite,
    /// Listing keys.
    Scan,
    /// Asking for a sign of life.
    Ping,
    /// Asking for facts about the server.
    Info,
}

impl Operation {
    /// The operation as a stable label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Get => "get",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Expire => "expire",
            Self::Lease => "lease",
            Self::Renew => "renew",
            Self::Release => "release",
            Self::Add => "add",
            Self::Markers => "markers",
            Self::Bump => "bump",
            Self::MapRead => "map_read",
            Self::MapWrite => "map_write",
            Self::Scan => "scan",
            Self::Ping => "ping",
            Self::Info => "info",
        }
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
