//! How many reads of different callers travel together: a pure bound, learnt from what they brought.

/// Names of one batch. More would make the first wait for the last.
const MAX_NAMES: usize = 512;

/// Bytes that a batch may bring, as far as can be told from those before it: long values would make
/// everybody who travels with them miss the deadline.
const MAX_LEN: usize = 512 * 1024;

/// How many names a batch of reads may have: 512 at most, and as many as bring 512 KiB.
///
/// ```
/// use rucache_core::pace::Pace;
///
/// let mut pace = Pace::default();
/// assert_eq!(pace.names(), 512);
/// pace.learn([300_000, 100_000]);
/// assert_eq!(pace.names(), 2);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Pace {
    /// Mean length of what stands under a name, in bytes; the last few batches count most.
    mean_len: usize,
}

impl Pace {
    /// Names that the next batch may have, at least one.
    #[must_use]
    pub fn names(&self) -> usize {
        (MAX_LEN / self.mean_len.max(1)).clamp(1, MAX_NAMES)
    }

    /// Takes in how long what a batch brought was, in bytes, zero where a name had nothing.
    pub fn learn(&mut self, lens: impl IntoIterator<Item = usize>) {
        let (count, sum) =
            lens.into_iter().fold((0, 0_usize), |(count, sum), len| (count + 1, sum + len));
        let mean = sum / count.max(1);
        // Up at once, down slowly: too short a batch costs less than too long a one.
        self.mean_len = mean.max((7 * self.mean_len + mean) / 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_travel_in_small_batches() {
        let mut pace = Pace::default();
        assert_eq!(pace.names(), MAX_NAMES);
        pace.learn([500, 600, 700]);
        assert_eq!(pace.names(), MAX_NAMES);
        pace.learn([100_000, 300_000]);
        assert_eq!(pace.names(), 2);
        pace.learn([1_000_000]);
        assert_eq!(pace.names(), 1);
        (0..100).for_each(|_| pace.learn([500]));
        assert_eq!(pace.names(), MAX_NAMES);
    }

    #[test]
    fn nothing_found_is_short() {
        let mut pace = Pace::default();
        pace.learn([]);
        pace.learn([0, 0]);
        assert_eq!(pace.names(), MAX_NAMES);
    }
}
