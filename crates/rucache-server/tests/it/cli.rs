//! The command line.

mod program;

mod backends;
mod bulk;
mod cache;
mod config;
mod failures;
mod fake;
mod health;
mod key;
mod leases;
mod lookup;
mod manual;
mod ruc;
mod serve;
