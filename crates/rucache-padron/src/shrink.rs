//! The guard against a register that was cut short: a new one may not be much smaller.

use thiserror::Error;

/// How much smaller a new register may be, in per cent of the old one.
pub const MOST_SHRINKAGE: u64 = 5;

/// A new register is much smaller than the one it would replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "the new register has {new} taxpayers, over {MOST_SHRINKAGE} % fewer than the {old} before; \
     download it again, or start afresh if it is right"
)]
#[non_exhaustive]
pub struct Shrunk {
    /// Taxpayers of the register in use.
    pub old: u64,
    /// Taxpayers of the one that would replace it.
    pub new: u64,
}

/// Refuses a register that shrank by more than [`MOST_SHRINKAGE`] per cent.
///
/// `old` and `new` count taxpayers, as [`Report::read`](crate::Report::read) does.
///
/// # Errors
///
/// When `new` is below 95 % of `old`.
pub fn refuse_shrunk(old: u64, new: u64) -> Result<(), Shrunk> {
    let least = u128::from(old) * u128::from(100 - MOST_SHRINKAGE);
    if u128::from(new) * 100 < least { Err(Shrunk { old, new }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{Shrunk, refuse_shrunk};

    #[test]
    fn five_per_cent_less_is_the_most_that_is_allowed() {
        assert_eq!(refuse_shrunk(100, 95), Ok(()));
        assert_eq!(refuse_shrunk(100, 94), Err(Shrunk { old: 100, new: 94 }));
        assert_eq!(refuse_shrunk(18_300_000, 17_385_000), Ok(()));
        assert!(refuse_shrunk(18_300_000, 17_384_999).is_err());
    }

    #[test]
    fn growth_and_a_first_register_are_welcome() {
        assert_eq!(refuse_shrunk(0, 0), Ok(()));
        assert_eq!(refuse_shrunk(0, 18_300_000), Ok(()));
        assert_eq!(refuse_shrunk(u64::MAX, u64::MAX), Ok(()));
    }
}
