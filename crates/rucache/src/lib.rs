//! A cache for look-ups of Peruvian taxpayers, and for anything else that is slow to get.
//!
//! This crate puts the others together: [`open_default`] and its siblings turn a configuration into
//! a [`Cache`]. Whoever needs less depends on less: see the table in the project's README.
//!
//! # Look-ups
//!
//! ```
//! use rucache::ruc::Outcome::{Found, Invalid, NotFound, Unavailable};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cache = rucache::open_default().await?;
//! let ruc = cache.ruc("migo");
//! match ruc.lookup(&"20131312955".parse()?).await {
//!     Found(found) => {
//!         assert_eq!(found.record.estado().unwrap().as_str(), "ACTIVO");
//!         assert!(found.record.fitness().is_fit());
//!     }
//!     NotFound(verdict) => println!("no such taxpayer: {}", verdict.reason),
//!     Invalid(error) => println!("not a RUC: {error}"),
//!     Unavailable(why) => println!("nobody could tell: {:?}", why.cause),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Anything else
//!
//! ```
//! use rucache::Ttl;
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Clone, Serialize, Deserialize)]
//! # struct Ventas { total: u32 }
//! # async fn fetch() -> Result<Ventas, std::io::Error> { Ok(Ventas { total: 42 }) }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cache = rucache::open("memory://?capacity=64MiB").await?;
//! let data = vec![1, 2, 3];
//! cache.set("migo_data", &data, Ttl::MEDIUM).await?;
//! let ventas: Ventas =
//!     cache.get_or_load("estadisticas_ventas", Ttl::secs(300), || fetch()).await?;
//! # assert_eq!(ventas.total, 42);
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | `memory` (default) | the in-process backend |
//! | `redis` | Redis: standalone, Sentinel, Cluster |
//! | `memcached` | Memcached: one node or a pool |
//! | `lookup` (default) | taxpayer look-ups |
//! | `padron` (default) | SUNAT's register as their source, and a bundled sample |
//! | `providers` | look-up APIs as their source: MIGO, Decolecta, apiperu.dev |
//! | `telemetry` | metrics for Prometheus |

mod password;
mod setting;
mod layers;
#[cfg(feature = "memory")]
mod local_tier;
mod config;
mod settings;
mod backend;
mod open;
#[cfg(feature = "lookup")]
mod source;
#[cfg(feature = "providers")]
mod sources;

pub use config::{BackendUrl, Config};
pub use layers::{ConfigError, Layers, Origin};
#[cfg(feature = "memory")]
pub use local_tier::LocalTier;
#[cfg(feature = "memory")]
pub use open::open_default;
pub use open::{Cache, OpenError, open, open_backend, open_config, open_observed, open_with};
pub use password::without_password;
pub use setting::Setting;
#[cfg(feature = "providers")]
pub use sources::SourceName;

pub use rucache_core::{Key, ServiceName, Ttl};
pub use rucache_engine::{
    Accept, CacheError, Hit, LoadError, Loaded, Outcome, Policy, ServedFrom, Timing,
};

/// Keys, TTLs, contracts: the crate `rucache-core`.
pub use rucache_core as core;
/// The engine: the crate `rucache-engine`.
pub use rucache_engine as engine;
/// Look-ups: the crate `rucache-lookup`.
#[cfg(feature = "lookup")]
pub use rucache_lookup as lookup;
/// Memcached: the crate `rucache-memcached`.
#[cfg(feature = "memcached")]
pub use rucache_memcached as memcached;
/// The in-process backend: the crate `rucache-memory`.
#[cfg(feature = "memory")]
pub use rucache_memory as memory;
/// SUNAT's register: the crate `rucache-padron`.
#[cfg(feature = "padron")]
pub use rucache_padron as padron;
/// Look-up APIs: the crate `rucache-providers`.
#[cfg(feature = "providers")]
pub use rucache_providers as providers;
/// Redis: the crate `rucache-redis`.
#[cfg(feature = "redis")]
pub use rucache_redis as redis;
/// Numbers and records: the crate `rucache-ruc`.
#[cfg(feature = "lookup")]
pub use rucache_ruc as ruc;
/// Metrics: the crate `rucache-telemetry`.
#[cfg(feature = "telemetry")]
pub use rucache_telemetry as telemetry;

/// Holds the README's example to the truth.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
