//! The kit itself: servers start, answer and go; faults do what they say.

mod memcached;
mod redis;
