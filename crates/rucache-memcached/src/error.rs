//! What goes wrong at a node, and what it means in core's terms.

use std::io;

use rucache_core::breaker::CallOutcome;
use rucache_core::{Error, ErrorKind, Operation};
use thiserror::Error;

/// The backend's name in errors, metrics and statistics.
pub(crate) const NAME: &str = "memcached";

/// The precise reason behind a core error. Never holds anything that was sent or received: it may
/// be a key or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Trouble {
    #[error("the call's deadline passed")]
    Deadline,
    #[error("no connection became free in time; raise max_connections or lower the load")]
    PoolExhausted,
    #[error("the server cannot be connected to: {0}")]
    Unreachable(io::ErrorKind),
    #[error(
        "the server closes connections or does not know the meta protocol; raise its option -c, \
         and use memcached 1.6 or newer"
    )]
    TurnedAway,
    #[error("the connection broke: {0}")]
    Broken(io::ErrorKind),
    #[error("the server could not carry the command out")]
    ServerFailed,
    #[error("the server refused an earlier command of the same batch; this one was carried out")]
    Spoiled,
    #[error("the server demands authentication, which this adapter does not speak")]
    Unauthenticated,
    #[error("the server has no memory left for an item of this size")]
    OutOfMemory,
    #[error(
        "the server's longest item (-I) is shorter than the adapter's; set item_size to the \
         server's"
    )]
    ItemTooLarge,
    #[error("the slot holds no number")]
    NotANumber,
    #[error("the slot holds something that was not written under this contract")]
    Foreign,
    #[error("the server did not understand the command")]
    NotUnderstood,
    #[error("the answer breaks the meta protocol")]
    Garbled,
    #[error("the command cannot be sent")]
    Unsendable,
    #[error("the node did not answer of late; it is tried again about every second")]
    CircuitOpen,
    #[error("the node is back, and missed invalidations are being delivered before it is read")]
    Recovering,
}

impl Trouble {
    /// What a caller can act on.
    pub(crate) const fn kind(self) -> ErrorKind {
        match self {
            Self::Deadline | Self::PoolExhausted => ErrorKind::Timeout,
            Self::Unreachable(_) | Self::TurnedAway => ErrorKind::Unreachable,
            Self::Broken(_) | Self::ServerFailed | Self::Spoiled => ErrorKind::Interrupted,
            Self::Unauthenticated => ErrorKind::Denied,
            Self::OutOfMemory => ErrorKind::Full,
            Self::ItemTooLarge => ErrorKind::TooLarge,
            Self::NotANumber | Self::Foreign => ErrorKind::ForeignValue,
            Self::NotUnderstood | Self::Garbled => ErrorKind::Protocol,
            Self::Unsendable => ErrorKind::Invalid,
            Self::CircuitOpen | Self::Recovering => ErrorKind::CircuitOpen,
        }
    }

    /// What it says of the node: a refusal is an answer, the circuit stays closed.
    pub(crate) const fn outcome(self) -> CallOutcome {
        match self {
            Self::Spoiled
            | Self::Unauthenticated
            | Self::OutOfMemory
            | Self::ItemTooLarge
            | Self::NotANumber
            | Self::Foreign
            | Self::Unsendable
            | Self::CircuitOpen
            | Self::Recovering => CallOutcome::Answered,
            Self::Deadline
            | Self::PoolExhausted
            | Self::Unreachable(_)
            | Self::TurnedAway
            | Self::Broken(_)
            | Self::ServerFailed
            | Self::NotUnderstood
            | Self::Garbled => CallOutcome::Failed,
        }
    }

    /// Whether the server refused this one command of a batch, which ends the crate's reading of it:
    /// the later ones were carried out, and their answers are lost.
    pub(crate) const fn ends_batch(self) -> bool {
        matches!(
            self,
            Self::Unauthenticated
                | Self::OutOfMemory
                | Self::ItemTooLarge
                | Self::NotANumber
                | Self::NotUnderstood
                | Self::ServerFailed
        )
    }

    /// The core error of this trouble at `node` during `operation`.
    pub(crate) fn at(self, node: &str, operation: Operation) -> Error {
        Error::new(self.kind(), NAME, operation).at_node(node).with_source(self)
    }
}

/// Why the adapter refuses a request of its own accord.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    #[error("the value has {len} bytes; at most {max} are taken")]
    ValueLen { len: usize, max: usize },
    #[error("the back-off note has {len} bytes; at most 64 are taken")]
    BackOffLen { len: usize },
    #[error("a counter cannot pass 2^63 - 1")]
    CounterFull,
    #[error("a map's member has {len} bytes; give 1 to 64")]
    MemberLen { len: usize },
    #[error("the note of a map's member has {len} bytes; at most 64 are taken")]
    NoteLen { len: usize },
    #[error("a bucket of the map would pass {max} bytes; the map has too many members")]
    MapFull { max: usize },
    #[error("the cursor is none that this listing gave; begin without one")]
    Cursor,
    #[error("memcached cannot list its keys")]
    Scan,
}

impl Refusal {
    /// The core error of this refusal during `operation`.
    pub(crate) fn during(self, operation: Operation) -> Error {
        let kind = match self {
            Self::ValueLen { .. } => ErrorKind::TooLarge,
            Self::MapFull { .. } => ErrorKind::Full,
            Self::Scan => ErrorKind::Unsupported,
            Self::BackOffLen { .. }
            | Self::CounterFull
            | Self::MemberLen { .. }
            | Self::NoteLen { .. }
            | Self::Cursor => ErrorKind::Invalid,
        };
        Error::new(kind, NAME, operation).with_source(self)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[track_caller]
    fn check(trouble: Trouble, kind: ErrorKind, outcome: CallOutcome) {
        let error = trouble.at("10.0.0.1:11211", Operation::Get);
        assert_eq!((error.kind(), trouble.outcome()), (kind, outcome), "{trouble:?}");
        assert_eq!((error.backend(), error.node()), ("memcached", Some("10.0.0.1:11211")));
        assert_eq!(error.source().map(ToString::to_string), Some(trouble.to_string()));
    }

    #[test]
    fn a_node_that_does_not_answer_has_failed() {
        let failed = CallOutcome::Failed;
        check(Trouble::Deadline, ErrorKind::Timeout, failed);
        check(Trouble::PoolExhausted, ErrorKind::Timeout, failed);
        let refused = io::ErrorKind::ConnectionRefused;
        check(Trouble::Unreachable(refused), ErrorKind::Unreachable, failed);
        check(Trouble::TurnedAway, ErrorKind::Unreachable, failed);
        let reset = io::ErrorKind::ConnectionReset;
        check(Trouble::Broken(reset), ErrorKind::Interrupted, failed);
        check(Trouble::ServerFailed, ErrorKind::Interrupted, failed);
        check(Trouble::NotUnderstood, ErrorKind::Protocol, failed);
        check(Trouble::Garbled, ErrorKind::Protocol, failed);
    }

    #[test]
    fn a_refusal_is_an_answer() {
        let answered = CallOutcome::Answered;
        check(Trouble::Spoiled, ErrorKind::Interrupted, answered);
        check(Trouble::Unauthenticated, ErrorKind::Denied, answered);
        check(Trouble::OutOfMemory, ErrorKind::Full, answered);
        check(Trouble::ItemTooLarge, ErrorKind::TooLarge, answered);
        check(Trouble::NotANumber, ErrorKind::ForeignValue, answered);
        check(Trouble::Foreign, ErrorKind::ForeignValue, answered);
        check(Trouble::Unsendable, ErrorKind::Invalid, answered);
        check(Trouble::CircuitOpen, ErrorKind::CircuitOpen, answered);
        check(Trouble::Recovering, ErrorKind::CircuitOpen, answered);
    }

    #[test]
    fn a_refusal_of_the_adapter_says_why() {
        let kinds = [
            (Refusal::ValueLen { len: 2, max: 1 }, ErrorKind::TooLarge),
            (Refusal::BackOffLen { len: 65 }, ErrorKind::Invalid),
            (Refusal::CounterFull, ErrorKind::Invalid),
            (Refusal::MemberLen { len: 65 }, ErrorKind::Invalid),
            (Refusal::NoteLen { len: 65 }, ErrorKind::Invalid),
            (Refusal::MapFull { max: 1 }, ErrorKind::Full),
            (Refusal::Cursor, ErrorKind::Invalid),
            (Refusal::Scan, ErrorKind::Unsupported),
        ];
        for (refusal, kind) in kinds {
            let error = refusal.during(Operation::Write);
            assert_eq!((error.kind(), error.backend()), (kind, "memcached"), "{refusal:?}");
            assert_eq!(error.source().map(ToString::to_string), Some(refusal.to_string()));
        }
    }
}
