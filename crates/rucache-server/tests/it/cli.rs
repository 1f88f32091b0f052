//! The command line.

pub(crate) mod program;

mod backends;
mod bulk;
mod cache;
mod config;
mod failures;
mod fake;
mod health;
mod key;
mod leases;
mod load;
mod lookup;
mod manual;
mod ruc;
mod serve;
mod together;
