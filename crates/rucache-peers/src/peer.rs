//! What a race asks of a cache, and how a cache is made for one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use crate::{Answer, Load};

/// The tag of every value that a race stores.
pub const TAG: &str = "padron";

/// A cache under test.
#[async_trait]
pub trait Peer: Send + Sync {
    /// The value of `key`, loaded by `load` if it is not there; tagged with [`TAG`] where values can
    /// be.
    async fn get_or_load(&self, key: &str, load: Load) -> Answer;

    /// The value of `key`, if it is stored.
    async fn get(&self, key: &str) -> Option<String>;

    /// Removes the value of `key`.
    async fn invalidate(&self, key: &str);

    /// Removes all values with [`TAG`].
    async fn invalidate_tag(&self) -> Result<(), NoSuchOperation> {
        Err(NoSuchOperation)
    }

    /// Removes all values.
    async fn clear(&self) -> Result<(), NoSuchOperation> {
        Err(NoSuchOperation)
    }
}

/// The cache offers nothing of the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSuchOperation;

/// How long a load may take, where the cache can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// What the cache does unless told.
    Usual,
    /// This long.
    Short(Duration),
}

/// A cache that takes part.
#[derive(Clone, Copy)]
pub struct Entrant {
    /// As the table calls it.
    pub name: &'static str,
    /// How it is used here, in one sentence.
    pub used: &'static str,
    /// Whether it can be told how long a load may take.
    pub has_limits: bool,
    /// Makes one, inside a tokio runtime.
    pub make: fn(Limits) -> BoxFuture<'static, Arc<dyn Peer>>,
}

impl std::fmt::Debug for Entrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entrant").field("name", &self.name).finish_non_exhaustive()
    }
}
