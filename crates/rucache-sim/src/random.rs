//! Chance that a seed decides.

use std::time::Duration;

/// Sebastiano Vigna's SplitMix64. Not for secrets.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The generator of one of several parts under the same seed.
    pub(crate) fn of_part(seed: u64, part: u64) -> Self {
        let mut random = Self(seed ^ part.rotate_left(32));
        Self(random.next())
    }

    /// 64 evenly distributed bits.
    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, or zero where there is none.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        match self.next().checked_rem(end) {
            Some(number) => number,
            None => 0,
        }
    }

    /// A place in something of `len` places.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// Whether something happens that happens so many times in a thousand.
    pub(crate) const fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// A span between two, in whole microseconds.
    pub(crate) fn between(&mut self, from: Duration, to: Duration) -> Duration {
        let reach = to.saturating_sub(from).as_micros();
        let reach = u64::try_from(reach).unwrap_or(u64::MAX);
        from + Duration::from_micros(self.below(reach.saturating_add(1)))
    }

    /// A span of at most so many milliseconds.
    pub(crate) fn millis(&mut self, most: u64) -> Duration {
        self.between(Duration::ZERO, Duration::from_millis(most))
    }

    /// One of several.
    pub(crate) fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.index(items.len())].clone()
    }
}
