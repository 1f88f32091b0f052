//! How long a value is good, and how long anybody waits for one.

use std::time::Duration;

use rucache_core::{Deadlines, Jitter, Mono, Ttl};

/// The life of an entry: `0 … early … soft … stale window … hard`.
///
/// Made from a [`Ttl`] it is exact: fresh for that long, then gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// For how long the value is fresh.
    pub fresh: Ttl,
    /// For how long after that it is kept as a fallback for loads that fail or are slow.
    pub stale: Option<Ttl>,
    /// How far the fresh life is moved at random, so that what was loaded together does not expire
    /// together.
    pub jitter: Jitter,
    /// After which share of the fresh life, in per cent, a read starts a refresh in the background.
    pub early_percent: Option<u8>,
}

impl Policy {
    /// Fresh for exactly `fresh`, then gone.
    #[must_use]
    pub const fn exact(fresh: Ttl) -> Self {
        Self { fresh, stale: None, jitter: Jitter::NONE, early_percent: None }
    }

    /// The usual policy of loaded values: `fresh` ± 10 %, then a fallback for `stale`.
    #[must_use]
    pub const fn loaded(fresh: Ttl, stale: Option<Ttl>) -> Self {
        Self { fresh, stale, jitter: Jitter::percent(10), early_percent: None }
    }

    /// The same, with a stale window.
    #[must_use]
    pub const fn with_stale(mut self, stale: Ttl) -> Self {
        self.stale = Some(stale);
        self
    }

    /// The same, with jitter.
    #[must_use]
    pub const fn with_jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// The same, refreshed in the background by reads after `percent` per cent of the fresh life
    /// (1 to 99; 80 is usual).
    #[must_use]
    pub const fn with_early_refresh(mut self, percent: u8) -> Self {
        self.early_percent = Some(match percent {
            0 => 1,
            100.. => 99,
            percent => percent,
        });
        self
    }

    /// The deadlines of a value whose load began at `loaded`.
    pub(crate) fn deadlines(&self, loaded: Mono, random: u64) -> Deadlines {
        let fresh = self.fresh.jittered(self.jitter, random).as_duration();
        let soft = loaded.after(fresh);
        let hard = self.stale.map_or(soft, |stale| soft.after(stale.as_duration()));
        Deadlines { loaded, early: self.early(loaded, soft), soft, hard }
    }

    /// Whether an entry with these deadlines is past the point from which this policy refreshes it.
    pub(crate) fn is_early(&self, deadlines: &Deadlines, now: Mono) -> bool {
        now >= self.early(deadlines.loaded, deadlines.soft)
    }

    fn early(&self, loaded: Mono, soft: Mono) -> Mono {
        self.early_percent.map_or(Mono::NEVER, |percent| {
            loaded.after(soft.since(loaded) / 100 * u32::from(percent))
        })
    }
}

impl From<Ttl> for Policy {
    fn from(ttl: Ttl) -> Self {
        Self::exact(ttl)
    }
}

/// How long callers and loads may take, for a whole cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// After this long a caller who has a stale value gets it, and the load goes on. 500 ms.
    pub soft_timeout: Duration,
    /// After this long a caller gets [`LoadError::TimedOut`](crate::LoadError), and the load goes
    /// on. 10 s.
    pub hard_timeout: Duration,
    /// After this long a load is dropped, and its key is free again; as long at most a key waits
    /// before that for a load in another process. 8 s.
    pub load_deadline: Duration,
    /// For this long after a failed load its failure answers for its key. 1 s.
    pub back_off: Duration,
}

impl Timing {
    /// The same, with another soft timeout.
    #[must_use]
    pub const fn with_soft_timeout(mut self, after: Duration) -> Self {
        self.soft_timeout = after;
        self
    }

    /// The same, with another hard timeout.
    #[must_use]
    pub const fn with_hard_timeout(mut self, after: Duration) -> Self {
        self.hard_timeout = after;
        self
    }

    /// The same, with another deadline of loads.
    #[must_use]
    pub const fn with_load_deadline(mut self, after: Duration) -> Self {
        self.load_deadline = after;
        self
    }

    /// The same, with another back-off.
    #[must_use]
    pub const fn with_back_off(mut self, span: Duration) -> Self {
        self.back_off = span;
        self
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            soft_timeout: Duration::from_millis(500),
            hard_timeout: Duration::from_secs(10),
            load_deadline: Duration::from_secs(8),
            back_off: Duration::from_secs(1),
        }
    }
}
