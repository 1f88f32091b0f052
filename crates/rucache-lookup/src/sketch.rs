//! Which numbers are asked for most, in bounded memory: space-saving counters (Metwally, Agrawal
//! and El Abbadi, 2005) over a sample of the look-ups.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Mutex, PoisonError, TryLockError};

use rucache_ruc::Ruc;

/// Numbers that are counted at once.
const COUNTERS: usize = 1_024;

/// How many look-ups one of the sample stands for, on average.
const STANDS_FOR: u64 = 64;

/// After as many look-ups of the sample all counts are halved, so that what was asked for lately
/// weighs most.
const HALVE_EVERY: u64 = 1 << 20;

thread_local! {
    /// Look-ups of this thread until the next one of the sample, and the state of its chance.
    static NEXT: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// The most asked numbers of a service, as far as a sample tells.
#[derive(Default)]
pub(crate) struct Sketch {
    counters: Mutex<Counters>,
}

#[derive(Default)]
struct Counters {
    counts: HashMap<Ruc, u64>,
    /// The same, the least first.
    order: BTreeSet<(u64, Ruc)>,
    sampled: u64,
}

impl Sketch {
    /// Takes note of a look-up; of most it only counts one step, without touching shared memory.
    #[inline]
    pub(crate) fn note(&self, ruc: Ruc) {
        let (left, chance) = NEXT.get();
        if left > 1 {
            NEXT.set((left - 1, chance));
        } else {
            self.sample(ruc, chance);
        }
    }

    #[cold]
    fn sample(&self, ruc: Ruc, chance: u32) {
        // Steps of varying length: what is asked for in turn is not missed for ever.
        let mut chance = if chance == 0 { 0x9e37_79b9 } else { chance };
        chance ^= chance << 13;
        chance ^= chance >> 17;
        chance ^= chance << 5;
        NEXT.set((1 + chance % 127, chance));
        match self.counters.try_lock() {
            Ok(mut counters) => counters.count(ruc),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().count(ruc),
            // Nobody waits for statistics.
            Err(TryLockError::WouldBlock) => {}
        }
    }

    /// The `n` most asked numbers, the most asked first, each with about how often it was.
    pub(crate) fn top(&self, n: usize) -> Vec<(Ruc, u64)> {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.order.iter().rev().take(n).map(|(count, ruc)| (*ruc, count * STANDS_FOR)).collect()
    }
}

impl Counters {
    fn count(&mut self, ruc: Ruc) {
        let count = match self.counts.get(&ruc) {
            Some(count) => {
                self.order.remove(&(*count, ruc));
                *count
            }
            None if self.counts.len() < COUNTERS => 0,
            // The least asked makes room, and its count stays: no newcomer is ever undercounted.
            None => match self.order.pop_first() {
                Some((least, other)) => {
                    self.counts.remove(&other);
                    least
                }
                None => 0,
            },
        };
        self.counts.insert(ruc, count + 1);
        self.order.insert((count + 1, ruc));
        self.sampled += 1;
        if self.sampled.is_multiple_of(HALVE_EVERY) {
            self.halve();
        }
    }

    fn halve(&mut self) {
        for count in self.counts.values_mut() {
            *count /= 2;
        }
        self.counts.retain(|_, count| *count > 0);
        self.order = self.counts.iter().map(|(ruc, count)| (*count, *ruc)).collect();
    }
}

impl fmt::Debug for Sketch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The numbers may be personal data.
        f.debug_struct("Sketch").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(n: u64) -> Ruc {
        Ruc::from_first_ten(2_000_000_000 + n).unwrap()
    }

    #[test]
    fn frequent_numbers_outlast_any_number_of_rare_ones() {
        let mut counters = Counters::default();
        for round in 0..200_000 {
            // Ten numbers are half of all; the others never come again.
            let n = if round % 2 == 0 { round / 2 % 10 } else { 1_000 + round };
            counters.count(number(n));
        }
        assert_eq!(counters.counts.len(), COUNTERS);
        let top: Vec<Ruc> = counters.order.iter().rev().take(10).map(|(_, ruc)| *ruc).collect();
        assert!((0..10).all(|n| top.contains(&number(n))));
        // Each was counted 10,000 times; the error is at most what a newcomer inherits.
        assert!(counters.order.iter().rev().take(10).all(|(count, _)| *count < 10_300));
    }

    #[test]
    fn sample_finds_the_most_asked() {
        let sketch = Sketch::default();
        for round in 0..100_000 {
            sketch.note(number(if round % 4 == 0 { 1 } else { 2 }));
        }
        let top = sketch.top(10);
        assert_eq!(top.iter().map(|(ruc, _)| *ruc).collect::<Vec<_>>(), [number(2), number(1)]);
        let all: u64 = top.iter().map(|(_, count)| count).sum();
        assert!((80_000..120_000).contains(&all), "{all} of 100,000");
    }

    #[test]
    fn halving_forgets_what_was_asked_once() {
        let mut counters = Counters::default();
        counters.count(number(1));
        (0..4).for_each(|_| counters.count(number(2)));
        counters.halve();
        assert_eq!(counters.order.into_iter().collect::<Vec<_>>(), [(2, number(2))]);
    }
}
