//! From configuration to a working cache.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod config;
mod examples;
mod flood;
mod open;
#[cfg(feature = "providers")]
mod sources;
