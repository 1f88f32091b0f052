//! Why the in-process backend refuses a request.

use rucache_core::{Error, ErrorKind, Operation};
use thiserror::Error;

/// The backend's name in errors, metrics and statistics.
pub(crate) const NAME: &str = "memory";

/// The precise reason behind a core error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    #[error("the value has {len} bytes; at most {max} are taken")]
    ValueLen { len: usize, max: usize },
    #[error("a map's member has {len} bytes; give 1 to 64")]
    MemberLen { len: usize },
    #[error("the note of a map's member has {len} bytes; at most 64 are taken")]
    NoteLen { len: usize },
    #[error("the members need {needed} bytes, {free} of {capacity} are free; raise the capacity")]
    MapsFull { needed: u64, free: u64, capacity: u64 },
    #[error("the cursor is none that this listing gave; begin without one")]
    Cursor,
}

impl Refusal {
    /// The core error of this refusal during `operation`.
    pub(crate) fn during(self, operation: Operation) -> Error {
        let kind = match self {
            Self::ValueLen { .. } => ErrorKind::TooLarge,
            Self::MapsFull { .. } => ErrorKind::Full,
            Self::MemberLen { .. } | Self::NoteLen { .. } | Self::Cursor => ErrorKind::Invalid,
        };
        Error::new(kind, NAME, operation).with_source(self)
    }
}
