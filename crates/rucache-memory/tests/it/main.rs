//! What the in-process stores promise beyond the contract's clauses.

mod backend;
mod concurrency;
mod local;
mod model;
