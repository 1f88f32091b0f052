//! What the backend promises beyond the contract, on real servers and under faults.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test that took it")]

mod admission;
mod cluster;
mod coalescing;
mod fake;
mod faults;
mod opening;
mod out_of_step;
mod processes;
mod push;
mod recovery;
mod refusals;
mod secrets;
mod sentinel;
mod stand;
