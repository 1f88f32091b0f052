//! A thread with an event loop of its own, so that faults go on whatever the test's thread does.

use std::future::Future;
use std::thread::{self, JoinHandle};

use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// Work that runs until its handle is dropped; everything it spawned ends with it.
#[derive(Debug)]
pub(crate) struct Background {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Runs the future that `work` makes. The kind of future need not be able to change threads.
    pub(crate) fn start<F: Future<Output = ()>>(
        name: &str,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap_or_else(|error| panic!("no event loop for the test kit: {error}"));
            runtime.block_on(async {
                tokio::select! {
                    () = work() => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(run)
            .unwrap_or_else(|error| panic!("no thread for the test kit: {error}"));
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map_or(Ok(()), JoinHandle::join);
        assert!(ended.is_ok() || thread::panicking(), "the test kit's thread panicked");
    }
}
