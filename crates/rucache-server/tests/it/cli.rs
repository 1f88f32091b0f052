//! The command line.

mod program;

mod backends;
mod config;
mod failures;
mod fake;
mod health;
mod key;
mod lookup;
mod ruc;
mod serve;
