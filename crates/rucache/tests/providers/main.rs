//! Look-up APIs behind the cache, on a clock that a test moves: the plan, trouble, absence, rates.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod absence;
mod layer;
mod minute;
mod stand;
mod trouble;
