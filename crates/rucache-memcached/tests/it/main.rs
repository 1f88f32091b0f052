//! The adapter against real servers and their faults.

mod rig;

mod cancelled;
mod connections;
mod fences;
mod limits;
mod maps;
mod nodes;
mod outages;
mod protocol;
mod recovery;
