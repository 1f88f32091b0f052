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

mod aside;
mod batch;
mod beside;
mod builder;
mod bulkhead;
mod cache;
mod calls;
mod change;
mod deliver;
mod engine;
mod error;
mod fill;
mod find;
mod flight;
mod groups;
mod health;
mod lease;
mod list;
mod listen;
mod load;
mod load_shared;
mod loaded;
mod look;
mod make;
mod name;
mod negative;
mod notes;
mod outbox;
mod outcome;
mod permit;
mod policy;
mod probe;
mod push;
mod put;
mod read;
mod recursion;
mod rules;
mod services;
mod shared;
mod span;
mod tags;
mod tokio_runtime;

pub use builder::CacheBuilder;
pub use cache::{Accept, Cache, Cacheable};
pub use change::{Only, Removed, Written};
pub use error::{CacheError, LoadError, LoadFailure};
pub use find::Found;
pub use health::Health;
pub use loaded::Loaded;
pub use name::KeyName;
pub use negative::Verdict;
pub use outcome::{Hit, Outcome, ServedFrom, StaleReason};
pub use permit::{Filled, InvalidPermit, Leased, Permit};
pub use policy::{Policy, Timing};
pub use probe::{PROBE_SERVICE, Probe};
pub use push::PushState;
pub use rules::{Applied, Reload};
pub use tokio_runtime::TokioRuntime;

/// Holds the README's example to the truth.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
