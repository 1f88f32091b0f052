//! The same thing from several threads at once.

use std::sync::Barrier;

use crate::Failure;

/// As many as show a race on few cores, and no more.
pub(super) const THREADS: u64 = 8;

/// What `work` gives on each of [`THREADS`] threads that begin together; its argument counts them.
pub(super) fn on_threads<T: Send>(
    work: impl Fn(u64) -> Result<T, Failure> + Sync,
) -> Result<Vec<T>, Failure> {
    let (work, start) = (&work, &Barrier::new(usize::try_from(THREADS).unwrap_or(1)));
    std::thread::scope(|scope| {
        let spawn = |thread| {
            scope.spawn(move || {
                start.wait();
                work(thread)
            })
        };
        let threads: Vec<_> = (0..THREADS).map(spawn).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err(Failure::new("a thread panicked")))
        };
        threads.into_iter().map(join).collect()
    })
}
