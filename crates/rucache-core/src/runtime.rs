//! Everything that varies with time or chance, behind one trait, and its form for tests.

mod test;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::{Mono, Timestamp};

pub use test::TestRuntime;

/// A future on the heap that can move between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Time, sleeping, spawning and randomness.
///
/// The engine takes all of them from here and from nowhere else, so that a test or a simulation can
/// decide what time it is and what runs next.
pub trait Runtime: Send + Sync + 'static {
    /// The monotonic clock.
    fn now(&self) -> Mono;

    /// The monotonic clock read cheaply: never ahead of [`Runtime::now`], and behind by a few
    /// milliseconds at most.
    fn coarse_now(&self) -> Mono {
        self.now()
    }

    /// The wall clock.
    fn wall(&self) -> Timestamp;

    /// A future that is ready once `span` has passed.
    fn sleep(&self, span: Duration) -> BoxFuture<()>;

    /// Runs `task` apart from the caller; a panic in it ends the task only.
    fn spawn(&self, task: BoxFuture<()>);

    /// Runs `work`, which may take long, where it holds up no task.
    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        self.spawn(Box::pin(async move { work() }));
    }

    /// 64 evenly distributed bits. Not for secrets.
    fn random(&self) -> u64;
}

#[cfg(test)]
mod tests;
