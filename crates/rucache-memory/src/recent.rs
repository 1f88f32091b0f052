//! Which keys came of late.

use std::fmt;
use std::sync::atomic::{AtomicU16, Ordering};

/// Bytes of a store for each key that is remembered: a few times as many as it holds.
const BYTES_A_KEY: u64 = 128;

/// Most keys that are remembered.
const MOST_KEYS: u64 = 1 << 24;

/// The keys that came last, a few times as many as a store holds, by parts of their hashes.
///
/// A key takes the place of another now and then, which is then forgotten early; one in 65,000 that
/// never came is taken for one that did.
pub(crate) struct Recent {
    marks: Box<[AtomicU16]>,
}

impl Recent {
    /// Of a few times as many keys as `capacity_bytes` hold, none so far.
    pub(crate) fn new(capacity_bytes: u64) -> Self {
        let keys = (capacity_bytes / BYTES_A_KEY).clamp(1, MOST_KEYS);
        Self { marks: (0..keys).map(|_| AtomicU16::new(0)).collect() }
    }

    /// Whether the key of `hash` came of late; it has come now.
    pub(crate) fn comes_again(&self, hash: u64) -> bool {
        let places = self.marks.len() as u64;
        let place = usize::try_from(hash % places).unwrap_or_default();
        // Zero is nobody's.
        let mark = u16::try_from(hash >> 48).unwrap_or_default().max(1);
        // Two keys at once in one place: either is remembered.
        self.marks[place].swap(mark, Ordering::Relaxed) == mark
    }
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").field("places", &self.marks.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes that have nothing in common.
    fn hash(number: u64) -> u64 {
        (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d)
    }

    #[test]
    fn a_key_comes_again_from_its_second_time_on() {
        let recent = Recent::new(1 << 20);
        let again: Vec<bool> = (0..3).map(|_| recent.comes_again(hash(1))).collect();
        assert_eq!(again, [false, true, true]);
        assert!(!recent.comes_again(hash(2)));
        assert!(!recent.comes_again(0), "not the key of an empty place");
    }

    #[test]
    fn the_last_of_as_many_keys_as_fit_are_known_and_others_forgotten() {
        let recent = Recent::new(4_096 * BYTES_A_KEY);
        let taken_for_known = (0..100_000).filter(|number| recent.comes_again(hash(*number)));
        assert!(taken_for_known.count() < 20);
        let known = |numbers: std::ops::Range<u64>| {
            numbers.filter(|number| recent.comes_again(hash(*number))).count()
        };
        let last = known(99_000..100_000);
        assert!(last > 800, "{last} of the last 1,000");
        let old = known(0..1_000);
        assert!(old < 10, "{old} of the first 1,000");
    }

    #[test]
    fn a_store_of_any_size_has_one() {
        for capacity in [0, u64::MAX] {
            assert!(!Recent::new(capacity).comes_again(hash(1)));
        }
    }
}
