//! The clauses every rucache backend keeps, as named tests.
//!
//! The contract of [`Backend`](rucache_core::Backend) is written down as [`clauses`], each a
//! function over an [`Env`]: a backend, its time, and a namespace of its own. An adapter runs all
//! of them from a test target of a few lines:
//!
//! ```
//! use std::process::ExitCode;
//! use std::sync::Arc;
//!
//! use rucache_conformance::{Env, Harness, Model};
//! use rucache_core::TestRuntime;
//!
//! fn main() -> ExitCode {
//!     rucache_conformance::main([Harness::new("model", || {
//!         let runtime = TestRuntime::new(1);
//!         Env::in_process(&runtime, Model::new(Arc::new(runtime.clone())))
//!     })])
//! }
//! ```
//!
//! [`Model`] is the contract as the simplest code that keeps it.

mod clause;
mod clauses;
mod env;
mod failure;
mod harness;
mod model;

pub use clause::Clause;
pub use clauses::clauses;
pub use env::{Env, Job};
pub use failure::{Failure, Verdict};
pub use harness::{Harness, REQUIRE, broken_clauses, main};
pub use model::Model;
