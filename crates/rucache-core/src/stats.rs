//! Counters that every look-up can afford, and what they amount to.

mod count;

use std::cell::Cell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::iter::Sum;
use std::ops::{AddAssign, Index};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

pub use count::Count;

/// Copies of each counter. A power of two; more threads than that share.
const STRIPES: usize = 16;

/// How many calls that take nanoseconds are timed by one: reading the clock takes longer.
const SAMPLED: u64 = 128;

/// The counters of one service, for many threads at once.
///
/// Each thread adds to its own copy, so that threads do not take a cache line from one another; a
/// reading sums the copies. Counters never go back: who wants to count from a moment on keeps the
/// [`Counts`] of that moment and takes the difference, [`Counts::since`].
///
/// ```
/// use rucache_core::observer::Tier;
/// use rucache_core::{Count, Counters};
///
/// let counters = Counters::default();
/// counters.add(Count::Hit(Tier::Local), 1);
/// counters.add(Count::Miss, 1);
/// assert_eq!(counters.read()[Count::Miss], 1);
/// assert_eq!(counters.read().hit_rate(), 50.0);
/// ```
#[derive(Default)]
pub struct Counters([Stripe; STRIPES]);

/// One copy of all counters. Processors fetch cache lines of 64 bytes in pairs.
#[repr(align(128))]
struct Stripe([AtomicU64; Count::LEN]);

impl Default for Stripe {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; Count::LEN])
    }
}

impl Counters {
    /// Counts `count` another `n` times.
    #[inline]
    pub fn add(&self, count: Count, n: u64) {
        self.0[stripe() % STRIPES].0[count.place()].fetch_add(n, Ordering::Relaxed);
    }

    /// Whether the next `count` of this thread is one of 128: those that are worth timing.
    #[inline]
    #[must_use]
    pub fn samples(&self, count: Count) -> bool {
        let so_far = self.0[stripe() % STRIPES].0[count.place()].load(Ordering::Relaxed);
        so_far.is_multiple_of(SAMPLED)
    }

    /// What has been counted so far. What others add meanwhile may be in it or not.
    #[must_use]
    pub fn read(&self) -> Counts {
        let mut counts = Counts::default();
        for stripe in &self.0 {
            for (sum, counter) in counts.0.iter_mut().zip(&stripe.0) {
                *sum = sum.wrapping_add(counter.load(Ordering::Relaxed));
            }
        }
        counts
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counters").field(&self.read()).finish()
    }
}

thread_local! {
    /// The stripe of this thread, once it is known.
    static STRIPE: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// A number that differs between threads that were started one after the other.
#[inline]
fn stripe() -> usize {
    match STRIPE.get() {
        usize::MAX => assign(),
        stripe => stripe,
    }
}

#[cold]
fn assign() -> usize {
    // Threads are numbered from one, and the number shows only in its hash.
    let mut number = Number(0);
    thread::current().id().hash(&mut number);
    let stripe = usize::try_from(number.finish() % STRIPES as u64).unwrap_or(0);
    STRIPE.set(stripe);
    stripe
}

/// Hashes a number to itself.
struct Number(u64);

impl Hasher for Number {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Counters as they stood at a moment, or what was added between two moments.
#[derive(Clone, PartialEq, Eq)]
pub struct Counts([u64; Count::LEN]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; Count::LEN])
    }
}

impl Counts {
    /// What was counted since `earlier`; zero where `earlier` is ahead.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut counts = self.clone();
        for (count, earlier) in counts.0.iter_mut().zip(earlier.0) {
            *count = count.saturating_sub(earlier);
        }
        counts
    }

    /// Every count with its number, zeros included.
    pub fn iter(&self) -> impl Iterator<Item = (Count, u64)> {
        Count::all().zip(self.0)
    }

    /// Reads that the cache answered: fresh, stale, or with the verdict that there is none.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.total(|count| matches!(count, Count::Hit(_) | Count::Stale(_) | Count::NegativeHit))
    }

    /// Reads that it could not answer, those that ended in an error included.
    #[must_use]
    pub fn misses(&self) -> u64 {
        self[Count::Miss] + self[Count::Error]
    }

    /// Hits among hits and misses in per cent, cut to one decimal; zero where there are neither.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        let (hits, misses) = (u128::from(self.hits()), u128::from(self.misses()));
        let permille = (hits * 1000).checked_div(hits + misses).unwrap_or(0);
        f64::from(u16::try_from(permille).unwrap_or(1000)) / 10.0
    }

    /// Loads that have begun and not ended.
    #[must_use]
    pub fn loads_in_flight(&self) -> u64 {
        use crate::observer::LoadResult::{Overloaded, Recursive};
        let refused = |count| matches!(count, Count::Load(Overloaded | Recursive));
        let ended = self.total(|count| matches!(count, Count::Load(_)) && !refused(count));
        self[Count::LoadStarted].saturating_sub(ended)
    }

    /// The sum of the counts that `which` picks.
    pub fn total(&self, which: impl Fn(Count) -> bool) -> u64 {
        self.iter().filter(|(count, _)| which(*count)).map(|(_, number)| number).sum()
    }
}

impl Index<Count> for Counts {
    type Output = u64;

    fn index(&self, count: Count) -> &u64 {
        &self.0[count.place()]
    }
}

impl AddAssign<&Self> for Counts {
    fn add_assign(&mut self, other: &Self) {
        for (count, other) in self.0.iter_mut().zip(other.0) {
            *count = count.wrapping_add(other);
        }
    }
}

impl<'a> Sum<&'a Self> for Counts {
    fn sum<I: Iterator<Item = &'a Self>>(all: I) -> Self {
        let mut sum = Self::default();
        for counts in all {
            sum += counts;
        }
        sum
    }
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = self.iter().filter(|(_, number)| *number > 0);
        f.debug_map().entries(counted.map(|(count, number)| (count.to_string(), number))).finish()
    }
}

#[cfg(test)]
mod tests;
