//! The kit itself: servers start, answer and go; faults do what they say.

mod chaos;
mod echo;
mod fake;
mod fleet;
mod memcached;
mod proxy;
mod redis;
