//! A moment by which something must have happened, in the real time that servers outside live by.

use std::thread;
use std::time::{Duration, Instant};

/// How long a condition that does not hold yet is left alone.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// A moment in the near future.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    #[expect(clippy::disallowed_methods, reason = "a server outside lives by the real clock")]
    pub(crate) fn after(span: Duration) -> Self {
        Self(Instant::now() + span)
    }

    #[expect(clippy::disallowed_methods, reason = "a server outside lives by the real clock")]
    fn has_passed(self) -> bool {
        Instant::now() >= self.0
    }
}

/// Waits until `condition` holds, by asking it again and again for at most `patience`; whether it
/// came to hold.
///
/// For what happens in another process and tells nobody: that a server is gone, that a fail-over is
/// over. Never for what a clock of the test could be moved for.
pub fn wait_until(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Deadline::after(patience);
    loop {
        if condition() {
            return true;
        }
        if deadline.has_passed() {
            return false;
        }
        thread::sleep(POLL_INTERVAL);
    }
}
