//! What a cache tells those who watch it.

use std::time::Duration;

use crate::breaker::CircuitState;
use crate::envelope::DecodeFailure;
use crate::{ErrorKind, Operation};

/// Somebody who watches a cache: metrics, a log, a test.
///
/// Called on the caller's own path, so it must return at once. Events carry no key.
pub trait Observer: Send + Sync {
    /// Takes in one event.
    fn record(&self, event: &CacheEvent<'_>);
}

/// Something that happened in a cache or at its backends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheEvent<'a> {
    /// A read was answered.
    Request {
        /// The service of its key.
        service: &'a str,
        /// How it was answered.
        result: RequestResult,
    },
    /// A read waited for a load that another one had started.
    Coalesced {
        /// The service of its key.
        service: &'a str,
    },
    /// A load began.
    LoadStarted {
        /// The service of its key.
        service: &'a str,
    },
    /// A load ended.
    LoadEnded {
        /// The service of its key.
        service: &'a str,
        /// How it ended.
        result: LoadResult,
        /// How long it took.
        took: Duration,
    },
    /// A value was stored, or was not.
    Store {
        /// The service of its key.
        service: &'a str,
        /// What became of it.
        result: StoreResult,
        /// Length of the value as JSON, in bytes.
        value_len: usize,
    },
    /// Entries were invalidated.
    Invalidated {
        /// The service of the key or group.
        service: &'a str,
        /// How many at once.
        scope: Scope,
    },
    /// Bytes in a shared store were no usable envelope.
    DecodeFailed {
        /// The service of the key.
        service: &'a str,
        /// Why.
        reason: DecodeFailure,
    },
    /// A call to a backend ended.
    BackendCall {
        /// The backend's name.
        backend: &'a str,
        /// What was asked.
        operation: Operation,
        /// How it failed, if it did.
        error: Option<ErrorKind>,
        /// How long it took.
        took: Duration,
    },
    /// The circuit of a node changed.
    Circuit {
        /// The backend's name.
        backend: &'a str,
        /// The node.
        node: &'a str,
        /// Its new state.
        state: CircuitState,
    },
}

macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $label:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every value, for those who count from zero.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The value as a stable label.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }
        }
    };
}

labels! {
    /// How a read was answered.
    RequestResult {
        /// With a fresh value.
        Hit = "hit",
        /// With a value past its soft deadline.
        StaleHit = "stale_hit",
        /// With a remembered verdict that there is none.
        NegativeHit = "negative_hit",
        /// With nothing, or with what a load brought.
        Miss = "miss",
        /// Past the cache, because the caller wished so.
        Bypass = "bypass",
        /// With an error.
        Error = "error",
    }
}

labels! {
    /// How a load ended.
    LoadResult {
        /// With a value.
        Success = "success",
        /// With the answer that there is none.
        Negative = "negative",
        /// With the loader's error.
        Error = "error",
        /// At its deadline.
        Timeout = "timeout",
        /// In a panic of the loader.
        Panic = "panic",
        /// Dropped with its runtime.
        Cancelled = "cancelled",
    }
}

labels! {
    /// What became of a value to be stored.
    StoreResult {
        /// It is stored.
        Stored = "stored",
        /// Something newer happened to its key while it was loaded.
        Superseded = "superseded",
        /// It is over the limit.
        TooLarge = "too_large",
        /// The store refused it.
        Refused = "refused",
        /// The store failed.
        Error = "error",
    }
}

labels! {
    /// How much an invalidation covers.
    Scope {
        /// One key.
        Key = "key",
        /// All entries with a tag.
        Tag = "tag",
        /// All entries of a service.
        Namespace = "namespace",
        /// Everything.
        All = "all",
    }
}
