//! Look-ups, the registry, batches, warming, rates, events and statistics, with a provider that does
//! what a test says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod batch;
mod events;
mod exchange;
mod hot;
mod lab;
mod learned;
mod lookup;
mod map_store;
mod quote;
mod registry;
mod stats;
mod threads;
mod upkeep;
mod warm;
