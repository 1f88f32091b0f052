//! Signs of life of the cache itself.

use std::time::Duration;

use rucache_core::{Key, ServiceName, Ttl};

use crate::{Accept, Cache, CacheError};

/// The service that probes set, read and delete their entry in. What is asked of it is no traffic:
/// [`Cache::stats`] leaves it out.
pub const PROBE_SERVICE: &str = "rucache.probe";

/// What a probe of a cache found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// Whether what was set was read back.
    pub works: bool,
    /// How long set, get and delete took together.
    pub took: Duration,
}

impl Cache {
    /// How long the backend takes to answer at all, writing nothing; no time for this process's own
    /// memory.
    ///
    /// # Errors
    ///
    /// [`CacheError::Backend`] when it does not answer.
    pub async fn ping(&self) -> Result<Duration, CacheError> {
        if self.backend().is_none() {
            return Ok(Duration::ZERO);
        }
        let runtime = self.runtime();
        let began = runtime.now();
        self.aside()?.ping().await?;
        Ok(runtime.now().since(began))
    }

    /// Sets, reads and deletes an entry of its own, in the service [`PROBE_SERVICE`].
    ///
    /// # Errors
    ///
    /// Those of [`ping`](Self::ping) and [`set`](Self::set).
    pub async fn probe(&self) -> Result<Probe, CacheError> {
        self.ping().await?;
        let runtime = self.runtime().clone();
        let began = runtime.now();
        let mark = runtime.random();
        let key = Key::of_kind(&ServiceName::from_static(PROBE_SERVICE), "probe", mark)?;
        self.set(&key, &mark, Ttl::SHORT).await?;
        let read = self.read::<u64>(&key, Accept::Fresh).await?;
        self.delete(&key).await?;
        let works = read.is_some_and(|read| *read == mark);
        Ok(Probe { works, took: runtime.now().since(began) })
    }
}
