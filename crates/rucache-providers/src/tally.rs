//! What became of calls, counted since the start.

use std::sync::atomic::{AtomicU64, Ordering};

use rucache_ruc::CallResult;

/// Counters of every result.
#[derive(Debug, Default)]
pub(crate) struct Tally([AtomicU64; CallResult::ALL.len()]);

impl Tally {
    pub(crate) fn count(&self, result: CallResult) {
        let place = CallResult::ALL.iter().position(|one| *one == result);
        if let Some(counter) = place.and_then(|place| self.0.get(place)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self) -> Vec<(CallResult, u64)> {
        let counts = self.0.iter().map(|counter| counter.load(Ordering::Relaxed));
        CallResult::ALL.into_iter().zip(counts).collect()
    }
}
