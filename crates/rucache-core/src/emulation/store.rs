//! The least that a store must do to become a backend.

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Capabilities, Error, Ttl};

/// A store of bytes by name, with conditional writes.
///
/// - Names are at most 250 bytes of printable ASCII without space.
/// - A write is visible to every later read through any handle.
/// - The version of a name changes with every write and is never used twice for the same name.
///   A store without versions can count them, or use a random number beside the bytes.
/// - An item may go at any time (eviction) and is gone soon after its TTL. It must not go before.
///   How exact the end is does not matter: what is stored carries its own deadline.
/// - Every call ends within the store's own deadline.
#[async_trait]
pub trait Store: Send + Sync {
    /// Name, sharing and the longest item in bytes. `push` and `scan` are not asked for.
    fn capabilities(&self) -> Capabilities;

    /// Reads the item called `name`.
    async fn get(&self, name: &str) -> Result<Option<Item>, Error>;

    /// Writes `bytes` under `name` if `when` holds, for `ttl`; `false` when it does not hold.
    ///
    /// The check and the write are one step: no other write comes between them.
    async fn put(&self, name: &str, bytes: Bytes, ttl: Ttl, when: PutIf) -> Result<bool, Error>;

    /// Deletes the item called `name` if its version is still `version`; `false` when it is not.
    async fn delete(&self, name: &str, version: u64) -> Result<bool, Error>;

    /// A sign of life.
    async fn ping(&self) -> Result<(), Error>;
}

/// What a [`Store`] holds under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its bytes, as they were written.
    pub bytes: Bytes,
    /// The state of the name, for conditional writes.
    pub version: u64,
}

/// When a [`Store`] may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutIf {
    /// In any case.
    Always,
    /// If there is no item.
    Absent,
    /// If the item's version is still this one.
    Version(u64),
}
