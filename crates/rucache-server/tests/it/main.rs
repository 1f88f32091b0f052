//! The built program, run as its users run it.

mod cli;
mod documents;
mod providers;
