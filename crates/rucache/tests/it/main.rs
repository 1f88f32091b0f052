//! From configuration to a working cache.

mod config;
mod examples;
mod open;
