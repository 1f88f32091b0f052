//! The cache-aside engine: typed values with freshness, single-flight loads and fences.
//!
//! [`Cache`] is one plain type: any serialisable value goes in under any name. A read answers from
//! the local tier without waiting; a miss is loaded once however many ask; an invalidation during a
//! load is never undone by it.
//!
//! The engine knows no concrete store, no RUC and no timer: everything that varies with time or
//! chance comes through [`rucache_core::Runtime`].
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//! use rucache_core::{MapLocal, TestRuntime, Ttl};
//! use rucache_engine::Cache;
//!
//! let runtime = TestRuntime::new(1);
//! let cache = Cache::builder(Arc::new(MapLocal::default()))
//!     .runtime(Arc::new(runtime.clone()))
//!     .build()?;
//! let sales: u32 = runtime.block_on(
//!     cache.get_or_load("estadisticas_ventas", Ttl::secs(300), || async { Ok::<_, String>(42) }),
//! )?;
//! assert_eq!(sales, 42);
//! # Ok::<(), rucache_engine::CacheError>(())
//! ```

mod builder;
mod cache;
mod error;
mod engine;
mod flight;
mod shared;
mod load;
mod lease;
mod name;
mod outcome;
mod policy;
mod read;
mod probe;
mod tokio_runtime;

pub use builder::CacheBuilder;
pub use cache::{Accept, Cache, Cacheable};
pub use error::{CacheError, LoadError, LoadFailure};
pub use load::Loaded;
pub use name::KeyName;
pub use outcome::{Hit, Outcome, ServedFrom, StaleReason};
pub use policy::{Policy, Timing};
pub use probe::Probe;
pub use tokio_runtime::TokioRuntime;

/// Holds the README's example to the truth.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
