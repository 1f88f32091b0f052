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

mod record;

mod ruc_cache;

mod provide;

pub use record::CachedRecord;
pub use ruc_cache::{Lookup, RucCache};

/// Holds the README's example to the truth.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
