//! What a call on a cache can end in, other than a value.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use rucache_core::InvalidKey;
use rucache_core::envelope::EncodeError;
use thiserror::Error;

use crate::Verdict;

/// Why a call on a cache failed. A miss is no failure.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The name cannot be a key.
    #[error(transparent)]
    Key(#[from] InvalidKey),
    /// There is no value, and none could be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The value is over the cache's limit; what was stored under its name before is gone.
    #[error("value of {len} bytes is over the cache's limit of {max}")]
    TooLarge {
        /// Its length as JSON, in bytes.
        len: usize,
        /// The limit, in bytes.
        max: usize,
    },
    /// The tags are too many, or one of them is empty or too long.
    #[error("tags cannot be stored")]
    Tags(#[from] EncodeError),
    /// The value has no JSON form.
    #[error("value cannot be written as JSON")]
    Codec(#[source] Arc<serde_json::Error>),
    /// The backend failed.
    #[error(transparent)]
    Backend(#[from] rucache_core::Error),
    /// The cache has nowhere to keep maps and counters.
    #[error("this cache keeps no maps; build it with a backend, or with one aside")]
    NoAside,
    /// A cache was built outside a tokio runtime, and without a runtime of its own.
    #[error(
        "no tokio runtime is running; build the cache inside one, or give the builder a runtime"
    )]
    NoRuntime,
}

/// Why a load brought no value. Shared by everybody who waited for it.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The loader failed.
    #[error("load failed")]
    Failed(#[source] LoadFailure),
    /// The loader is sure that there is no value.
    #[error("there is no such value at its source")]
    Absent,
    /// The source is sure that there is no value, and that is remembered.
    #[error("there is no such value at its source, as was found before")]
    Negative(Verdict),
    /// The load was asked for, directly or not, by a load of the same key.
    #[error("the load asks for what it is loading")]
    Recursive,
    /// As many loads as the cache allows are running.
    #[error("too many loads are running")]
    Overloaded,
    /// The loader panicked.
    #[error("load panicked")]
    Panicked,
    /// The load was dropped at its deadline.
    #[error("load was still running after {after:?} and was dropped")]
    DeadlinePassed {
        /// The deadline.
        after: Duration,
    },
    /// The load was dropped with the runtime that ran it.
    #[error("load was dropped with its runtime")]
    Cancelled,
    /// Another process is loading the value.
    #[error("another process is loading the value")]
    LoadedElsewhere,
    /// Another process's load failed a moment ago.
    #[error("another process failed to load the value a moment ago")]
    FailedElsewhere,
    /// This caller waited for as long as a caller may; the load goes on.
    #[error("no value after {after:?}; the load goes on")]
    TimedOut {
        /// The caller's hard timeout.
        after: Duration,
    },
}

impl LoadError {
    pub(crate) fn failed(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed(LoadFailure(source.into().into()))
    }

    pub(crate) fn other_type() -> Self {
        Self::failed("the name was loaded as a type that does not convert into the one asked for")
    }

    pub(crate) fn nothing_kept() -> Self {
        Self::failed("the loader says that the value is as it was, and none is kept")
    }

    pub(crate) fn wrong_number_of_answers(asked: usize, given: usize) -> Self {
        Self::failed(format!("the loader was asked for {asked} keys and gave {given} answers"))
    }

    /// The loader's own error, if that is what ended the load and it is an `E`.
    #[must_use]
    pub fn cause<E: Error + 'static>(&self) -> Option<&E> {
        match self {
            Self::Failed(LoadFailure(source)) => source.downcast_ref(),
            _ => None,
        }
    }
}

/// A loader's own error, shared by everybody who waited.
#[derive(Debug, Clone, Error)]
#[error(transparent)]
pub struct LoadFailure(Arc<dyn Error + Send + Sync>);
