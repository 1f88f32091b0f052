//! Metrics of a cache: core's counters and events as handles of the `metrics` crate, and an
//! exporter that shows them to Prometheus.
//!
//! The parts work alone: a program with a recorder of its own gives it to [`CacheMetrics`]; one
//! without takes the [`Exporter`]'s. Nothing is installed for the whole process.
//!
//! # Example
//!
//! ```
//! use rucache_core::observer::Tier;
//! use rucache_core::{Count, Counters, ServiceName};
//! use rucache_telemetry::{CacheMetrics, Exporter, Reading};
//!
//! let exporter = Exporter::new();
//! // The cache takes this as its observer.
//! let metrics = CacheMetrics::new(exporter.recorder(), "facturas");
//!
//! // A cache has counters for each of its services.
//! let counters = Counters::default();
//! counters.add(Count::Hit(Tier::Local), 3);
//!
//! // At each scrape: what the counters say, then the text for `/metrics`.
//! let mut reading = Reading::default();
//! reading.services = vec![(ServiceName::from_static("migo"), counters.read())];
//! metrics.publish(&reading);
//! let hits = r#"rucache_requests_total{cache="facturas",service="migo",result="hit"} 3"#;
//! assert!(exporter.render().contains(hits));
//! ```

pub mod table;

mod cache;
mod exporter;
mod http;
mod reading;

mod backend;
mod counted;
mod family;
mod process;
mod provider;
mod recorder;

pub use cache::CacheMetrics;
pub use exporter::Exporter;
pub use http::RouteMetrics;
pub use reading::{ProviderReading, Quota, Reading};
pub use recorder::{SharedRecorder, installed};

/// Holds the README's example to the truth.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
