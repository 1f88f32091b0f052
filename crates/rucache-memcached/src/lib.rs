//! Memcached adapter of rucache, over the meta protocol.
//!
//! [`MemcachedBackend`] is core's [`Backend`](rucache_core::Backend) on one memcached or on a pool of
//! independent ones. It needs memcached 1.6 or newer, a tokio runtime, and, as the protocol knows
//! neither TLS nor SASL here, a network it can trust or a tunnel.
//!
//! ```no_run
//! use rucache_core::{BackendExt, Key, Ttl};
//! use rucache_memcached::MemcachedBackend;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let backend = MemcachedBackend::open("memcached://10.0.0.1,10.0.0.2:11211?timeout=50ms")?;
//! let key = Key::parse("migo:greeting")?;
//! backend.set_json(&key, &"hola", Ttl::SHORT).await?;
//! let greeting: Option<String> = backend.get_json(&key).await?;
//! assert_eq!(greeting.as_deref(), Some("hola"));
//! # Ok(())
//! # }
//! ```

mod backend;
mod client;
mod config;
mod entries;
mod error;
mod exptime;
mod hash;
mod leases;
mod maps;
mod node;
mod numbers;
mod pool;
mod rounds;
mod slot;
mod stats;

pub use backend::MemcachedBackend;
pub use config::{InvalidConfig, MemcachedConfig, Server};

/// Holds the README's example to the truth.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
