//! Which numbers a generated register holds, in ascending order.

use rucache_ruc::Ruc;

use super::{Population, institutions};

/// Generated numbers have eight middle digits below this: a block before the first number SUNAT
/// issued to entities.
const BLOCK: u64 = 10_000_000;

/// How many numbers eight middle digits give.
const MIDDLES: u64 = 100_000_000;

/// Prefixes and their share of the register, in ten-thousandths.
const SHARES: [(u64, u64); 4] = [(10, 8_420), (15, 250), (17, 50), (20, 1_275)];

/// A stretch of numbers of one prefix, its middle digits counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) prefix: u64,
    pub(crate) count: u64,
}

impl Stretch {
    /// How many numbers there are for its prefix, when that is not enough.
    pub(crate) fn excess(&self) -> Option<u64> {
        let most = if self.prefix == 20 { BLOCK } else { MIDDLES };
        (self.count > most).then_some(most)
    }
}

/// How many numbers of each prefix a register of `lines` lines has, institutions not counted.
pub(crate) fn stretches(population: Population, lines: u64) -> Vec<Stretch> {
    match population {
        Population::LegalEntities => vec![Stretch { prefix: 20, count: lines }],
        Population::Sample => {
            vec![Stretch { prefix: 20, count: lines.saturating_sub(institutions::COUNT) }]
        }
        Population::Register => {
            let total: u64 = SHARES.iter().map(|&(_, share)| share).sum();
            let mut stretches = SHARES.map(|(prefix, share)| {
                let count = u128::from(lines) * u128::from(share) / u128::from(total);
                Stretch { prefix, count: u64::try_from(count).unwrap_or(u64::MAX) }
            });
            // What rounding leaves over, at most three, goes to the natural persons.
            let given: u64 = stretches.iter().map(|stretch| stretch.count).sum();
            stretches[0].count += lines.saturating_sub(given);
            stretches.to_vec()
        }
    }
}

/// The number with these middle digits; nothing beyond the eight there are.
pub(crate) fn number(prefix: u64, middle: u64) -> Option<Ruc> {
    if middle >= MIDDLES {
        return None;
    }
    Ruc::from_first_ten(prefix * MIDDLES + middle).ok()
}

/// The middle digits of a number that the generator made; nothing for the institutions.
pub(crate) fn generated(ruc: Ruc) -> Option<u64> {
    let middle = ruc.as_u64() / 10 % MIDDLES;
    // Natural persons of very large files run beyond the block; no institution has their prefix.
    (middle < BLOCK || ruc.is_personal()).then_some(middle)
}

#[cfg(test)]
mod tests {
    use super::{Stretch, number, stretches};
    use crate::generator::Population;

    #[test]
    fn shares_add_up_to_the_lines_asked_for() {
        for lines in [0, 1, 2, 7, 9_995, 18_300_000] {
            let stretches = stretches(Population::Register, lines);
            assert_eq!(stretches.iter().map(|stretch| stretch.count).sum::<u64>(), lines);
        }
        let expected = [(10, 8_420), (15, 250), (17, 50), (20, 1_275)]
            .map(|(prefix, count)| Stretch { prefix, count });
        assert_eq!(stretches(Population::Register, 9_995), expected);
    }

    #[test]
    fn numbers_begin_in_the_low_block() {
        assert_eq!(number(10, 0).unwrap().as_u64(), 10_000_000_006);
        assert_eq!(number(20, 0).unwrap().as_u64(), 20_000_000_001);
        assert_eq!(number(20, 100_000_000), None);
    }
}
