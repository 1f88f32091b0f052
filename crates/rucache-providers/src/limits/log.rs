//! When this process was last given leave, on the monotonic clock.

use std::collections::VecDeque;
use std::time::Duration;

use rucache_core::Mono;

/// The calls of the last `span`: exact, and independent of every other clock and store.
pub(crate) struct Log {
    span: Duration,
    times: VecDeque<Mono>,
}

impl Log {
    pub(crate) const fn new(span: Duration) -> Self {
        Self { span, times: VecDeque::new() }
    }

    /// Whether one more call keeps to `limit`; otherwise how long until it will.
    pub(crate) fn check(&mut self, now: Mono, limit: u64) -> Result<(), Duration> {
        self.forget(now);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        match self.times.len().checked_sub(limit) {
            None => Ok(()),
            // A limit of zero is never kept; the span says when it would not be either.
            Some(over) => {
                Err(self.times.get(over).map_or(self.span, |time| time.after(self.span).since(now)))
            }
        }
    }

    pub(crate) fn note(&mut self, now: Mono) {
        self.times.push_back(now);
    }

    pub(crate) fn used(&mut self, now: Mono) -> u64 {
        self.forget(now);
        u64::try_from(self.times.len()).unwrap_or(u64::MAX)
    }

    fn forget(&mut self, now: Mono) {
        while self.times.front().is_some_and(|time| now.since(*time) >= self.span) {
            self.times.pop_front();
        }
    }
}
