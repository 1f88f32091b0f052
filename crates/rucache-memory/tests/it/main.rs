//! What the in-process stores promise beyond the contract's clauses.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test that took it")]

mod backend;
mod concurrency;
mod flood;
mod local;
mod model;
