//! Keys, TTLs, the envelope and the backend contract that every crate of rucache is built on.
//!
//! This crate does no I/O, reads no clock, spawns nothing, and knows neither a backend nor a RUC.
//! An adapter implements [`Backend`]; a cache reads and writes through it; both meet in the types
//! declared here.
//!
//! # Example
//!
//! ```
//! use rucache_core::{Key, KeyCodec, ServiceName, Ttl};
//!
//! let migo: ServiceName = "migo".parse()?;
//! let key = Key::new(&migo, "ruc_20131312955")?;
//! assert_eq!(key.as_str(), "migo:ruc_20131312955");
//! assert_eq!(KeyCodec::default().entry(&key).as_str(), "migo:ruc_20131312955");
//! assert_eq!(Ttl::secs(300).as_secs_ceil(), 300);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod backend;
mod backend_ext;
pub mod breaker;
pub mod emulation;
pub mod envelope;
mod error;
pub mod key;
mod labels;
mod local;
pub mod observer;
pub mod pace;
pub mod rule;
pub mod runtime;
pub mod stats;
mod time;
pub mod ttl;

pub use backend::{
    Answers, BackOff, Backend, Capabilities, Change, Companions, Fetched, Info, KeyPage, Lease,
    LeaseEnd, LeaseHold, LeaseRequest, LeaseToken, Listener, MapEntry, MapPage, Marker, MarkerRef,
    MarkerVersion, Precondition, Stored, Version, Write, WriteOutcome,
};
pub use backend_ext::BackendExt;
pub use breaker::Breaker;
pub use envelope::Envelope;
pub use error::{Error, ErrorKind, Operation};
pub use key::{InvalidKey, Key, KeyCodec, KeyKind, KeyPrefix, ServiceName, SlotName, WireKey};
pub use local::{
    Deadlines, Guard, Guards, Json, Local, LocalEntry, MapLocal, TagCounts, TagGuard, Usage, Value,
};
pub use observer::{CacheEvent, Observer};
pub use runtime::{BoxFuture, Runtime, TestRuntime};
pub use stats::{Count, Counters, Counts};
pub use time::{Mono, Timestamp};
pub use ttl::{InvalidTtl, Jitter, Ttl};

/// Holds the README's example to the truth.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
