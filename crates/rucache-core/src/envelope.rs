//! The form of an entry in a shared store: wire format, version 1.
//!
//! Little-endian. Lengths are bytes.
//!
//! ```text
//! magic 4 = CA 52 55 43 · version 1 · its complement 1     the same in every version
//! kind 1 · reserved 1 · flags 2 · schema 4
//! loaded_at 8 · soft 8 · hard 8                            milliseconds since the epoch
//! root marker 8 · service marker 8
//! key length 4 · key                                       canonical, compared on read
//! tag count 1 · { length 2 · tag · marker 8 }
//! negatives only: reason length 2 · reason · first seen 8 · last seen 8 · attempts 4
//! payload length 4 · payload                               JSON
//! CRC-32 4                                                 of everything before it
//! ```
//!
//! The version stands twice, so that a flipped bit is not taken for a newer format. Flags are
//! reserved and zero. What does not decode is a miss with a counted reason, never an error.

mod decode;
mod encode;

use bytes::Bytes;
use thiserror::Error;

use crate::labels::labels;
use crate::{MarkerVersion, Timestamp};

const MAGIC: [u8; 4] = [0xCA, b'R', b'U', b'C'];
const VERSION: u8 = 1;
const KIND_VALUE: u8 = 0;
const KIND_NEGATIVE: u8 = 1;

/// Most tags that an entry carries.
pub const MAX_TAGS: usize = 16;

/// Longest tag, in bytes.
pub const MAX_TAG_LEN: usize = 256;

/// Longest reason of a negative, in bytes.
pub const MAX_REASON_LEN: usize = 256;

/// An entry as it stands in a shared store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The writer's name for the shape of the payload; a reader that expects another one misses.
    pub schema: u32,
    /// When the load of the value began, or when it was set.
    pub loaded_at: Timestamp,
    /// Up to here the value is fresh; from here on it is a fallback.
    pub soft: Timestamp,
    /// From here on the entry is gone. Never before `soft`: encoding sees to it.
    pub hard: Timestamp,
    /// The root marker that the entry was written under.
    pub root: MarkerVersion,
    /// The service marker that the entry was written under.
    pub service: MarkerVersion,
    /// The tags of the entry, at most [`MAX_TAGS`], with the markers it was written under.
    pub tags: Vec<TagVersion>,
    /// Why there is no value, for a negative.
    pub negative: Option<Negative>,
    /// The value as JSON; may be empty for a negative.
    pub payload: Bytes,
}

/// A tag of an entry, as its name inside the service, and its marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagVersion {
    /// The tag, 1 to [`MAX_TAG_LEN`] bytes.
    pub tag: String,
    /// The marker that the entry was written under.
    pub version: MarkerVersion,
}

/// A verdict that there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negative {
    /// Why, as it was given, at most [`MAX_REASON_LEN`] bytes.
    pub reason: String,
    /// When the verdict was first reached.
    pub first_seen: Timestamp,
    /// When it was last confirmed.
    pub last_seen: Timestamp,
    /// How often it was reached.
    pub attempts: u32,
}

/// Why an envelope cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// More than [`MAX_TAGS`] tags.
    #[error("an entry carries at most 16 tags, not {count}")]
    TooManyTags {
        /// How many were given.
        count: usize,
    },
    /// A tag that is empty or longer than [`MAX_TAG_LEN`].
    #[error("a tag has 1 to 256 bytes, not {len}")]
    TagLength {
        /// Its length in bytes.
        len: usize,
    },
    /// A reason longer than [`MAX_REASON_LEN`].
    #[error("a reason has at most 256 bytes, not {len}")]
    ReasonLength {
        /// Its length in bytes.
        len: usize,
    },
    /// A payload of 4 GiB or more.
    #[error("a payload of {len} bytes cannot be written")]
    PayloadLength {
        /// Its length in bytes.
        len: usize,
    },
}

labels! {
    /// Why bytes are no usable envelope. Such bytes count as no entry.
    #[derive(Error)]
    DecodeFailure {
        /// They do not begin like an envelope.
        #[error("not an envelope")]
        Magic = "magic",
        /// A newer version of this program wrote them: a load should not overwrite them.
        #[error("format of a newer version")]
        Newer = "version",
        /// They end too early, or go on after the end.
        #[error("wrong length")]
        Length = "length",
        /// The checksum does not fit.
        #[error("wrong checksum")]
        Checksum = "checksum",
        /// They belong to another key.
        #[error("written for another key")]
        KeyMismatch = "key_mismatch",
        /// A kind, a flag or a text that this version does not write.
        #[error("malformed content")]
        Malformed = "malformed",
    }
}

#[cfg(test)]
mod tests;
