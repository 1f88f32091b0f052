//! How long a value is good, and how long anybody waits for one.

use std::time::Duration;

use rucache_core::{Deadlines, Jitter, Mono, Ttl};

use crate::Outcome;

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
    /// Up to where the fresh life of a verdict that there is no value doubles each time it is
    /// confirmed.
    pub grows_to: Option<Ttl>,
}

impl Policy {
    /// How long it is remembered that there is no value, unless the loader says: one hour, twice as
    /// long with each confirmation, a day at most.
    pub const NEGATIVE: Self = Self::negative(Ttl::secs(3_600), Ttl::LONG);

    /// A verdict that there is no value: good for `first` ± 10 %, twice as long with each
    /// confirmation, `at_most` at last. The record of it is kept `at_most` longer.
    #[must_use]
    pub const fn negative(first: Ttl, at_most: Ttl) -> Self {
        let jitter = Jitter::percent(10);
        Self {
            fresh: first,
            stale: Some(at_most),
            jitter,
            early_percent: None,
            grows_to: Some(at_most),
        }
    }

    /// Fresh for exactly `fresh`, then gone.
    #[must_use]
    pub const fn exact(fresh: Ttl) -> Self {
        Self { fresh, stale: None, jitter: Jitter::NONE, early_percent: None, grows_to: None }
    }

    /// The usual policy of loaded values: `fresh` ± 10 %, then a fallback for `stale`.
    #[must_use]
    pub const fn loaded(fresh: Ttl, stale: Option<Ttl>) -> Self {
        Self { fresh, stale, jitter: Jitter::percent(10), early_percent: None, grows_to: None }
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
        self.deadlines_of(self.fresh, loaded, random)
    }

    /// The same for a verdict that was reached `attempts` times.
    pub(crate) fn verdict_deadlines(&self, loaded: Mono, random: u64, attempts: u32) -> Deadlines {
        let doubled = |most: Ttl| {
            let times = 1_u64.checked_shl(attempts.saturating_sub(1)).unwrap_or(u64::MAX);
            let millis = self.fresh.as_millis().saturating_mul(times).min(most.as_millis());
            Ttl::millis(millis.max(self.fresh.as_millis()))
        };
        self.deadlines_of(self.grows_to.map_or(self.fresh, doubled), loaded, random)
    }

    fn deadlines_of(&self, fresh: Ttl, loaded: Mono, random: u64) -> Deadlines {
        let fresh = fresh.jittered(self.jitter, random).as_duration();
        let soft = loaded.after(fresh);
        let hard = self.stale.map_or(soft, |stale| soft.after(stale.as_duration()));
        Deadlines { loaded, early: self.early(loaded, soft), soft, hard }
    }

    /// Whether a fresh value that came so is past the early point.
    #[inline]
    pub(crate) fn is_early(&self, outcome: &Outcome) -> bool {
        self.early_percent.is_some_and(|percent| {
            outcome.age >= (outcome.age + outcome.ttl) / 100 * u32::from(percent)
        })
    }

    /// From when on a value fresh from `loaded` to `soft` is refreshed in the background.
    pub(crate) fn early(&self, loaded: Mono, soft: Mono) -> Mono {
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
    /// For this long after a failed load its failure answers for its key; twice as long after each
    /// further one. 1 s.
    pub back_off: Duration,
    /// The longest back-off. 5 min.
    pub max_back_off: Duration,
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

    /// The same, with another longest back-off.
    #[must_use]
    pub const fn with_max_back_off(mut self, span: Duration) -> Self {
        self.max_back_off = span;
        self
    }

    /// The same, with another first back-off.
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
            max_back_off: Duration::from_secs(300),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(policy: Policy, attempts: u32) -> (Duration, Duration) {
        let now = Mono::default().after(Duration::from_secs(1));
        let deadlines = policy.with_jitter(Jitter::NONE).verdict_deadlines(now, 0, attempts);
        (deadlines.soft.since(now), deadlines.hard.since(deadlines.soft))
    }

    #[test]
    fn verdict_lasts_an_hour_to_a_day_and_its_record_a_day_longer() {
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        for (attempts, expected) in
            [(0, 1), (1, 1), (2, 2), (5, 16), (6, 24), (64, 24), (u32::MAX, 24)]
        {
            assert_eq!(
                secs(Policy::NEGATIVE, attempts),
                (hours(expected), hours(24)),
                "{attempts}"
            );
        }
    }

    #[test]
    fn verdict_whose_limit_is_below_its_first_life_keeps_that() {
        let policy = Policy::negative(Ttl::secs(100), Ttl::secs(10));
        assert_eq!(secs(policy, 9).0, Duration::from_secs(100));
    }

    #[test]
    fn longest_life_overflows_no_clock() {
        let policy = Policy::exact(Ttl::MAX).with_stale(Ttl::MAX).with_early_refresh(99);
        let late = Mono::from_nanos(u64::MAX - 10);
        let deadlines = policy.deadlines(late, 0);
        assert_eq!((deadlines.soft, deadlines.hard), (Mono::NEVER, Mono::NEVER));
        assert!(deadlines.early >= late);
    }

    #[test]
    fn deadlines_are_in_order_whatever_the_policy() {
        let now = Mono::from_nanos(5_000_000_000);
        for fresh in [Ttl::MIN, Ttl::SHORT, Ttl::MAX] {
            for percent in [0, 1, 80, 99, 255] {
                let policy = Policy::loaded(fresh, Some(Ttl::SHORT)).with_early_refresh(percent);
                for random in [0, u64::MAX / 2, u64::MAX] {
                    let Deadlines { loaded, early, soft, hard } = policy.deadlines(now, random);
                    assert!(loaded <= early && early < soft && soft <= hard, "{policy:?}");
                }
            }
        }
    }
}
