//! Redis adapter of rucache: standalone, Sentinel and Cluster.
//!
//! [`RedisBackend`] keeps the contract of [`Backend`](rucache_core::Backend) over the client crate
//! `redis`, of which it uses the protocol and the multiplexed connection only. Connecting, routing,
//! deadlines, breakers and push are its own; the README says why.

mod admin;
mod backend;
mod clock;
mod cluster;
mod config;
mod connection;
mod entries;
mod error;
mod fleet;
mod listeners;
mod maps;
mod marker;
mod node;
mod push;
mod request;
mod script;
mod sentinel;
mod stream;

pub use backend::RedisBackend;
pub use config::{Address, InvalidConfig, Login, Protocol, RedisConfig, Servers, Tls};

/// Holds the README's example to the truth.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
