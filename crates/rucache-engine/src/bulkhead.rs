//! A bound on the loads that run at once, so that a slow source does not fill the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the calls of loaders that run.
#[derive(Debug)]
pub(crate) struct Bulkhead {
    running: Arc<AtomicUsize>,
    most: usize,
}

/// A running call of a loader.
#[derive(Debug)]
pub(crate) struct Running(Arc<AtomicUsize>);

impl Bulkhead {
    pub(crate) fn new(most: usize) -> Self {
        Self { running: Arc::default(), most }
    }

    /// Room for one more, if there is any.
    pub(crate) fn enter(&self) -> Option<Running> {
        let more = |running| (running < self.most).then_some(running + 1);
        let entered = self.running.fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        entered.is_ok().then(|| Running(self.running.clone()))
    }

    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::Acquire)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_given_back_however_a_load_ends() {
        let bulkhead = Bulkhead::new(2);
        let (one, two) = (bulkhead.enter(), bulkhead.enter());
        assert!(one.is_some() && two.is_some());
        assert!(bulkhead.enter().is_none());
        assert_eq!(bulkhead.running(), 2);
        drop(one);
        assert!(bulkhead.enter().is_some());
        assert_eq!(bulkhead.running(), 1);
    }
}
