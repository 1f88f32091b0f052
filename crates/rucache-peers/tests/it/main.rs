//! The races tell caches that hold from caches that do not.

mod races;
mod source;
