//! The kit itself: servers start, answer and go; faults do what they say.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test that took it")]

mod chaos;
mod echo;
mod fake;
mod fleet;
mod memcached;
mod proxy;
mod redis;
