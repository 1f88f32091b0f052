//! Telling how long callers' calls take, at a cost that a hit can bear.

use std::cell::Cell;

use rucache_core::observer::{CacheOperation, Reach};
use rucache_core::{CacheEvent, Count, Mono};

use crate::engine::Engine;

/// Of so many calls that the local tier answers one is told.
const SAMPLED: u32 = 128;

thread_local! {
    /// Calls of this thread, counted to pick samples.
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

impl Engine {
    /// When a call began, if its time is to be told even though the local tier should answer it.
    #[inline]
    pub(crate) fn sampled(&self) -> Option<Mono> {
        self.observer.as_ref()?;
        let calls = CALLS.get().wrapping_add(1);
        CALLS.set(calls);
        calls.is_multiple_of(SAMPLED).then(|| self.runtime.now())
    }

    /// When a call began that goes further than the local tier.
    pub(crate) fn timed(&self, sampled: Option<Mono>) -> Option<Mono> {
        self.observer.as_ref()?;
        Some(sampled.unwrap_or_else(|| self.runtime.now()))
    }

    /// Tells of a call, unless it is not to be told.
    #[inline]
    pub(crate) fn called(&self, operation: CacheOperation, reach: Reach, began: Option<Mono>) {
        if let Some(began) = began {
            let took = self.runtime.now().since(began);
            self.observe(|| CacheEvent::CacheCall { operation, reach, took });
        }
    }

    /// How far every change goes.
    pub(crate) const fn reach_of_change(&self) -> Reach {
        if self.shared.is_some() { Reach::Shared } else { Reach::Local }
    }

    /// How far a call went that was answered so.
    pub(crate) const fn reach(&self, count: Count) -> Reach {
        match count {
            Count::Hit(rucache_core::observer::Tier::Local) => Reach::Local,
            Count::Miss | Count::NegativeHit | Count::Stale(_) | Count::Hit(_)
                if self.shared.is_some() =>
            {
                Reach::Shared
            }
            _ => Reach::Local,
        }
    }
}
