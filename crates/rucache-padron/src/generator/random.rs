//! The generator's own random numbers: the same on every platform, for ever.

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0. The bias of the remainder does not matter here.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// True once in `times` on average.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One element of a list that is not empty.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let length = u64::try_from(list.len()).unwrap_or(u64::MAX);
        &list[usize::try_from(self.below(length)).unwrap_or(0)]
    }

    /// One element of a list that is not empty, each as often as its weight says.
    pub(crate) fn weighted<'a, T>(&mut self, list: &'a [(T, u32)]) -> &'a T {
        let total = list.iter().map(|&(_, weight)| u64::from(weight)).sum();
        let mut place = self.below(total);
        for (item, weight) in list {
            match place.checked_sub(u64::from(*weight)) {
                Some(rest) => place = rest,
                None => return item,
            }
        }
        &list[0].0
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn sequence_is_that_of_the_published_algorithm() {
        let mut random = Random::new(1_234_567);
        assert_eq!(
            [random.next(), random.next(), random.next()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn weights_decide_how_often() {
        let mut random = Random::new(1);
        let list = [("often", 9), ("never", 0), ("seldom", 1)];
        let drawn: Vec<_> = (0..10_000).map(|_| *random.weighted(&list)).collect();
        let often = drawn.iter().filter(|&&item| item == "often").count();
        assert!((8_800..9_200).contains(&often), "{often}");
        assert!(!drawn.contains(&"never"));
    }

    #[test]
    fn bound_of_zero_gives_zero() {
        assert_eq!(Random::new(5).below(0), 0);
    }
}
