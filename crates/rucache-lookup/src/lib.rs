//! Taxpayer look-ups through the cache: from the cache if it is there, else from a provider, once.
//!
//! [`RucCache`] puts a [`Provider`](rucache_ruc::Provider) behind a
//! [`Cache`](rucache_engine::Cache). Every look-up ends in one of four outcomes, and a failure of
//! the provider is never taken for the absence of a number.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//! use rucache_core::{MapLocal, TestRuntime};
//! use rucache_engine::Cache;
//! use rucache_lookup::RucCache;
//! use rucache_ruc::{Answer, Coverage, Outcome, Profile, Provider, Ruc, Taxpayer};
//!
//! struct Register;
//!
//! #[async_trait::async_trait]
//! impl Provider for Register {
//!     fn name(&self) -> &str {
//!         "register"
//!     }
//!     fn coverage(&self) -> Coverage {
//!         Coverage::Full
//!     }
//!     async fn lookup(&self, ruc: Ruc) -> Answer {
//!         Answer::found(Taxpayer::builder(ruc).build())
//!     }
//! }
//!
//! let runtime = TestRuntime::new(1);
//! let cache = Cache::builder(Arc::new(MapLocal::default()))
//!     .runtime(Arc::new(runtime.clone()))
//!     .build()?;
//! let migo = cache.service(&"migo".parse()?);
//! let rucs = RucCache::new(migo, Arc::new(Register), Profile::Reference);
//! let outcome = runtime.block_on(rucs.lookup(&"20131312955".parse()?));
//! assert!(matches!(outcome, Outcome::Found(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod lookups;
mod options;
mod record;
mod ruc_cache;

mod batch;
mod exchange;
mod quote;
mod registry;
mod stats;
mod ttl_table;
mod warm;

mod events;
mod hot;
mod many;
mod provide;
mod sketch;
mod stamp;
mod upkeep;

pub use batch::{
    Batch, BatchId, BatchItem, BatchOptions, BatchRecord, BatchStatus, CacheCounts, InvalidBatchId,
    OutcomeCounts,
};
pub use exchange::{ExchangeRates, RateLookup};
pub use lookups::Lookups;
pub use options::LookupOptions;
pub use quote::LookupQuote;
pub use record::CachedRecord;
pub use registry::{Include, InvalidCounts, InvalidPage, InvalidRecord, Marked, RegistryError};
pub use ruc_cache::{Lookup, RucCache};
pub use stamp::rfc3339;
pub use stats::{DailyStats, DayCounts, HitsAndMisses, Scope, Stats};
pub use ttl_table::{InvalidPattern, TtlTable};
pub use upkeep::Maintained;
pub use warm::{Stopped, WarmItem, WarmOptions, Warmed};

/// Holds the README's example to the truth.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
