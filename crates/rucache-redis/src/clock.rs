//! Time and chance: the one place of this crate that takes them from outside.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use rucache_core::Mono;
use tokio::time::Instant;

/// A monotonic clock for breakers; its origin is its creation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Mono {
        Mono::default().after(self.0.elapsed())
    }
}

/// The moment `span` from now, by which a call has to end.
pub(crate) fn after(span: Duration) -> Instant {
    Instant::now() + span
}

/// Returns once `span` has passed.
pub(crate) async fn pause(span: Duration) {
    tokio::time::sleep_until(after(span)).await;
}

/// 64 bits that no other call, process or machine is likely to draw. No secret.
///
/// A `RandomState` is keyed by the operating system and never twice alike in a thread.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(())
}
