//! Several processes on real servers, as users run them: what they read and invalidate while servers
//! and processes are killed and stopped is held against the promises.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod book;
mod chaos;
mod counted;
mod groups;

mod invariants;
mod member;
mod note;
mod plan;
mod referee;
mod server;
mod site;
mod source;
