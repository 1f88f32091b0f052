//! The name of a batch, and what its record says: how far it is.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rucache_core::{InvalidKey, Key, Runtime, ServiceName, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::stamp;

/// The name of a batch: 1 to 64 of `A-Z a-z 0-9 . _ -`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BatchId(Arc<str>);

/// A text is no name of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a batch id is 1 to 64 letters, digits, '.', '_' or '-'")]
pub struct InvalidBatchId;

impl BatchId {
    /// A name that no other batch has.
    #[must_use]
    pub fn random(runtime: &Arc<dyn Runtime>) -> Self {
        Self(format!("{:012x}{:016x}", runtime.wall().as_millis(), runtime.random()).into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `default:batch_{service}_{id}`, as the reference documents name it.
    pub(super) fn key(&self, service: &ServiceName) -> Result<Key, InvalidKey> {
        Key::of_kind(&ServiceName::default(), "batch", format_args!("{service}_{self}"))
    }
}

impl FromStr for BatchId {
    type Err = InvalidBatchId;

    fn from_str(text: &str) -> Result<Self, InvalidBatchId> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        match (1..=64).contains(&text.len()) && text.bytes().all(fits) {
            true => Ok(Self(text.into())),
            false => Err(InvalidBatchId),
        }
    }
}

impl TryFrom<String> for BatchId {
    type Error = InvalidBatchId;

    fn try_from(text: String) -> Result<Self, InvalidBatchId> {
        text.parse()
    }
}

impl From<BatchId> for String {
    fn from(id: BatchId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether a batch is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BatchStatus {
    /// It is, or its process has ended without a word: see when it was last heard of.
    Running,
    /// All of it was looked up.
    Done,
    /// Its caller has left.
    Interrupted,
}

/// How often each outcome occurred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OutcomeCounts {
    /// Records.
    pub found: u64,
    /// Numbers that do not exist or were marked.
    pub not_found: u64,
    /// Texts that are no RUC.
    pub invalid: u64,
    /// Numbers of which nobody could tell.
    pub unavailable: u64,
}

/// How often the cache answered, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CacheCounts {
    /// With a fresh record or a verdict that it had.
    pub hit: u64,
    /// With a stale record.
    pub stale: u64,
    /// Not: the provider was asked.
    pub miss: u64,
}

/// How far a batch is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BatchRecord {
    /// Its name.
    pub batch_id: BatchId,
    /// The service that it looks up in.
    pub service: ServiceName,
    /// Whether it is under way.
    pub status: BatchStatus,
    /// Texts in its input.
    pub total: usize,
    /// Those that were told in this run.
    pub done: usize,
    /// Those before the first one that was wanted in this run.
    pub skipped: usize,
    /// The outcomes of this run.
    pub counts: OutcomeCounts,
    /// What the cache did in this run; arithmetic is not counted.
    pub cache: CacheCounts,
    /// How often a batch of this name and input was begun.
    pub runs: u32,
    /// A hash of the input, by which it is told whether a batch is resumed.
    pub input: String,
    /// When the first run began.
    #[serde(with = "stamp::text")]
    pub started_at: Timestamp,
    /// When it was last heard of.
    #[serde(with = "stamp::text")]
    pub updated_at: Timestamp,
}
