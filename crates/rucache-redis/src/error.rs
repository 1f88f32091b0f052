//! Why a request failed: the precise reason behind a core error, and the table between the two.

use std::sync::Arc;
use std::time::Duration;

use redis::{RedisError, ServerError};
use rucache_core::{Error, ErrorKind, Operation};
use thiserror::Error;

/// The backend's name in errors, metrics and statistics.
pub(crate) const NAME: &str = "redis";

/// What went wrong, and at which node.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    cause: Cause,
    node: Option<Arc<str>>,
}

/// The precise reason.
#[derive(Debug, Clone, Error)]
pub(crate) enum Cause {
    #[error("no answer before the deadline")]
    Deadline,
    #[error("no connection within {within:?}")]
    ConnectTime { within: Duration },
    #[error("no connection: {0}")]
    Connect(Arc<std::io::Error>),
    #[error("the server does not let this connection in: {0}")]
    Handshake(Refused),
    #[error("{0}")]
    NoNode(&'static str),
    #[error("the connection was lost: {0}")]
    Lost(RedisError),
    // The parser's own words quote what it read, which may be a key.
    #[error("the bytes received are no answer of Redis")]
    Garbled,
    #[error("the answer has an unexpected form")]
    Form,
    #[error("the node is left alone since this: {0}")]
    Open(#[source] Box<Cause>),
    #[error("the node is back, its missed invalidations are still being delivered")]
    Recovering,
    #[error("the server refuses: {0}")]
    Refused(Refused),
    #[error("the slot was not written by this cache")]
    Foreign,
    #[error("the value has {len} bytes; at most {max} are taken")]
    ValueLen { len: usize, max: usize },
    #[error("a map's member has {len} bytes; give 1 to 64")]
    MemberLen { len: usize },
    #[error("the note has {len} bytes; at most 64 are taken")]
    NoteLen { len: usize },
    #[error("the addition passes 2^63 - 1")]
    Sum,
    #[error("the cursor is none that this listing gave; begin without one")]
    Cursor,
    #[error("{0}")]
    Setting(String),
}

/// An error reply: its code, and its text without what may be a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code} {detail}")]
pub(crate) struct Refused {
    code: String,
    detail: String,
}

impl Refused {
    pub(crate) fn new(code: &str, detail: Option<&str>) -> Self {
        let detail = detail.unwrap_or_default();
        // `ERR unknown command 'X', with args beginning with: …` repeats arguments, hence keys, and
        // a script's error may quote what it was given.
        let quotes_nothing = matches!(code, "OOM" | "NOPERM" | "MISCONF" | "LOADING");
        let end = detail.find(['\'', '"', '`']).filter(|_| !quotes_nothing);
        let detail = detail.get(..end.unwrap_or(detail.len())).unwrap_or_default();
        Self { code: code.chars().take(40).collect(), detail: detail.trim_end().to_owned() }
    }

    /// The code before the text: `WRONGTYPE`, `OOM`.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// The text after the code, without what may be a key.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The table of error replies. Codes are compared, not texts, which scripts append to; `ERR`
    /// alone says nothing without its text.
    fn kind(&self) -> ErrorKind {
        match self.code.as_str() {
            "NOAUTH" | "WRONGPASS" | "NOPERM" | "DENIED" => ErrorKind::Denied,
            "READONLY" | "MISCONF" | "NOREPLICAS" => ErrorKind::ReadOnly,
            "OOM" => ErrorKind::Full,
            "WRONGTYPE" => ErrorKind::ForeignValue,
            // Nothing was carried out, and another moment or node will do it.
            "LOADING" | "BUSY" | "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" | "MOVED" | "ASK" => {
                ErrorKind::Unreachable
            }
            "CROSSSLOT" => ErrorKind::Invalid,
            "NOPROTO" => ErrorKind::Unsupported,
            "ERR" => self.kind_of_err(),
            _ => ErrorKind::Protocol,
        }
    }

    fn kind_of_err(&self) -> ErrorKind {
        let detail = self.detail.as_str();
        let has = |text| detail.contains(text);
        if has("increment or decrement would overflow") {
            ErrorKind::Invalid
        } else if has("not an integer") {
            ErrorKind::ForeignValue
        } else if has("max number of clients") {
            ErrorKind::Unreachable
        } else if has("AUTH") || has("invalid password") || has("invalid username-password") {
            ErrorKind::Denied
        } else if has("unknown command") || has("DB index") || has("SELECT is not allowed") {
            ErrorKind::Unsupported
        } else {
            ErrorKind::Protocol
        }
    }
}

impl From<&ServerError> for Refused {
    fn from(error: &ServerError) -> Self {
        Self::new(error.code(), error.details())
    }
}

impl Cause {
    /// The reason of an error during an exchange: the client's own, never a reply.
    pub(crate) fn of_exchange(error: RedisError) -> Self {
        match error.kind() {
            redis::ErrorKind::Io if !is_garbage(&error) => Self::Lost(error),
            _ => Self::of_reply(&error).unwrap_or(Self::Garbled),
        }
    }

    /// The reason of an error while a connection is made.
    pub(crate) fn of_handshake(error: RedisError) -> Self {
        if let Some(Self::Refused(refused)) = Self::of_reply(&error) {
            return Self::Handshake(refused);
        }
        match error.kind() {
            redis::ErrorKind::AuthenticationFailed => {
                Self::Handshake(Refused::new("WRONGPASS", error.detail()))
            }
            redis::ErrorKind::RESP3NotSupported => {
                Self::Handshake(Refused::new("NOPROTO", error.detail()))
            }
            redis::ErrorKind::Io if !is_garbage(&error) => {
                Self::Connect(Arc::new(std::io::Error::other(error)))
            }
            _ => Self::Garbled,
        }
    }

    fn of_reply(error: &RedisError) -> Option<Self> {
        let is_reply =
            matches!(error.kind(), redis::ErrorKind::Server(_) | redis::ErrorKind::Extension);
        let refused = || Refused::new(error.code().unwrap_or("ERR"), error.detail());
        is_reply.then(|| Self::Refused(refused()))
    }

    /// The table: what a caller can act on.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Deadline => ErrorKind::Timeout,
            Self::ConnectTime { .. } | Self::Connect(_) | Self::NoNode(_) => ErrorKind::Unreachable,
            Self::Handshake(refused) | Self::Refused(refused) => refused.kind(),
            Self::Lost(_) => ErrorKind::Interrupted,
            Self::Garbled | Self::Form => ErrorKind::Protocol,
            Self::Open(_) | Self::Recovering => ErrorKind::CircuitOpen,
            Self::Foreign => ErrorKind::ForeignValue,
            Self::ValueLen { .. } => ErrorKind::TooLarge,
            Self::MemberLen { .. }
            | Self::NoteLen { .. }
            | Self::Sum
            | Self::Cursor
            | Self::Setting(_) => ErrorKind::Invalid,
        }
    }

    /// Whether the connection is of no more use.
    pub(crate) const fn ends_connection(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Garbled)
    }

    /// The same at the node called `node`.
    pub(crate) fn at(self, node: &Arc<str>) -> Failure {
        Failure { cause: self, node: Some(node.clone()) }
    }
}

/// Bytes that are no answer: the guard's verdict comes as an I/O error.
fn is_garbage(error: &RedisError) -> bool {
    // The client hands its cause out as the `Arc` that holds it.
    let cause = std::error::Error::source(error);
    let shared =
        cause.and_then(|cause| cause.downcast_ref::<Arc<dyn std::error::Error + Send + Sync>>());
    let io = shared.and_then(|shared| shared.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData)
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self { cause, node: None }
    }
}

impl Failure {
    /// The server's refusal, where it is one.
    pub(crate) const fn refused(&self) -> Option<&Refused> {
        match &self.cause {
            Cause::Refused(refused) => Some(refused),
            _ => None,
        }
    }

    /// The core error of this failure during `operation`.
    pub(crate) fn during(self, operation: Operation) -> Error {
        let error = Error::new(self.cause.kind(), NAME, operation).with_source(self.cause);
        match self.node {
            Some(node) => error.at_node(&*node),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests;
