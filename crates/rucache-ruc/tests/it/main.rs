//! The crate from outside: numbers, records, sources and rules.

mod number;
mod provider;
mod record;
mod rules;
