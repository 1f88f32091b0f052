//! Clients of Peru's taxpayer look-up APIs: MIGO, Decolecta and apiperu.dev.
//!
//! A [`Source`] is one API with a token and a plan, behind
//! [`Provider`](rucache_ruc::Provider); [`Sources`] are several in order. Calls are gathered,
//! counted over the whole fleet, guarded by a gate and a circuit breaker, and retried where that
//! may help; a failure is never taken for the absence of a number.
//!
//! # Example
//!
//! ```no_run
//! # async fn open(
//! #     runtime: std::sync::Arc<dyn rucache_core::Runtime>,
//! #     backend: std::sync::Arc<dyn rucache_core::Backend>,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use rucache_providers::{ApiKind, Source, SourceConfig};
//! use rucache_ruc::{Answer, Provider};
//!
//! // The token is in the environment variable RUCACHE_MIGO_TOKEN.
//! let migo = Source::open(&SourceConfig::new(ApiKind::Migo), runtime, Some(backend))?;
//! match migo.lookup("20131312955".parse()?).await {
//!     Answer::Found { record, .. } => println!("{:?}", record.nombre_o_razon_social()),
//!     Answer::NotFound => println!("there is no such number"),
//!     Answer::NotCovered => println!("this source cannot know"),
//!     Answer::Unavailable(why) => println!("no answer: {}", why.cause),
//! }
//! # Ok(())
//! # }
//! ```

mod config;
mod demo;
mod source;
mod sources;

mod error;
mod secret;

mod api;
mod fault;
mod gate;
mod http;
mod limits;
mod tally;

pub use config::{ApiKind, Plan, SourceConfig, fit_deadlines};
pub use error::ConfigError;
pub use secret::Secret;
pub use source::Source;
pub use sources::Sources;

/// Holds the README's example to the truth.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
