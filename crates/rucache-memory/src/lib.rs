//! In-process backend and typed local tier of rucache, on moka.
//!
//! [`LocalStore`] is the local tier: typed values, read without waiting and without allocating.
//! [`MemoryBackend`] is a whole backend for one process. Both are bounded in bytes.

mod backend;
mod capacity;
mod config;
mod counter;
mod entries;
mod error;
mod gates;
mod generations;
mod local;
mod maps;
mod marker;
mod recent;
mod store;

pub use backend::MemoryBackend;
pub use capacity::{Capacity, InvalidCapacity};
pub use config::{InvalidConfig, MemoryConfig};
pub use local::{ENTRY_OVERHEAD, LocalStore};

/// The README's code, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
