//! The clocks of the adapter, and chance.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rucache_core::{Mono, Timestamp};
use tokio::time::Instant;

/// tokio's clock for durations, the system's for dates; clones share their origin.
#[derive(Debug, Clone)]
pub(crate) struct Clock(Arc<Origin>);

#[derive(Debug)]
struct Origin {
    started: Instant,
    random: RandomState,
    drawn: AtomicU64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let started = Instant::now();
        Self(Arc::new(Origin { started, random: RandomState::new(), drawn: AtomicU64::new(0) }))
    }

    pub(crate) fn now(&self) -> Mono {
        Mono::default().after(self.0.started.elapsed())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the adapter's wall clock")]
    pub(crate) fn wall(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn random(&self) -> u64 {
        // SipHash under a key from the system, over a counter.
        self.0.random.hash_one(self.0.drawn.fetch_add(1, Ordering::Relaxed))
    }
}
