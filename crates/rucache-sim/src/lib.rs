//! A fleet in one process, on simulated time, over a simulated store: the real engine, driven by a
//! seed.
//!
//! [`run`] builds a world from a seed: processes with caches, a store that fails and forgets, a
//! source whose versions grow, callers who read, write and leave. Whatever can vary is drawn from
//! the seed, so that the same seed is the same history, step by step. Everything that happens is
//! entered in a book that knows what the engine promises; the first broken promise ends the world.
//!
//! ```
//! let report = rucache_sim::run(1, None);
//! assert_eq!(report.violation, None);
//! ```

mod random;
mod scheduler;
mod runtime;
mod setup;
mod source;
mod server;
mod shown;
mod wire;
mod link;
mod process;
mod caller;
mod crowd;
mod trouble;
mod rest;
mod world;
mod checker;
mod history;
mod tally;
mod report;

pub use history::Violation;
pub use report::{Report, replay, run};
pub use setup::Tiers;
pub use tally::Tally;
