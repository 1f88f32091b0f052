//! In-process backend and typed local tier of rucache, on moka.

mod capacity;
mod config;
mod local;

pub use capacity::{Capacity, InvalidCapacity};
pub use config::{InvalidConfig, MemoryConfig};
pub use local::{ENTRY_OVERHEAD, LocalStore};
