//! The adapter against real servers and their faults.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test that took it")]

mod rig;

mod cancelled;
mod connections;
mod fences;
mod leases;
mod limits;
mod maps;
mod nodes;
mod outages;
mod protocol;
mod races;
mod recovery;
