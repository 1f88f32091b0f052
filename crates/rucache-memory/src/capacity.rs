//! A number of bytes that a store may hold, as people write it.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use thiserror::Error;

/// The units of a size, longest name first where one ends like another.
const UNITS: &[(&str, u64)] = &[
    ("bytes", 1),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("b", 1),
];

/// How many bytes a store may hold, its own overhead included; never zero.
///
/// Written as a whole number with `KiB`, `MiB`, `GiB` (powers of 1,024), `KB`, `MB`, `GB` (powers
/// of 1,000) or `bytes`, in capitals or not; a bare number is bytes.
///
/// ```
/// use rucache_memory::Capacity;
///
/// assert_eq!("256MiB".parse::<Capacity>()?.as_bytes(), 268_435_456);
/// # Ok::<(), rucache_memory::InvalidCapacity>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capacity(NonZeroU64);

impl Capacity {
    /// 256 MiB: what nobody said anything about.
    pub const DEFAULT: Self = Self::bytes(256 << 20);

    /// A capacity of `bytes`; zero is 1, which holds nothing.
    #[must_use]
    pub const fn bytes(bytes: u64) -> Self {
        match NonZeroU64::new(bytes) {
            Some(bytes) => Self(bytes),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// The capacity in bytes.
    #[must_use]
    pub const fn as_bytes(self) -> u64 {
        self.0.get()
    }

    /// `parts` sixteenths of it, rounded down, in bytes.
    #[must_use]
    pub const fn sixteenths(self, parts: u64) -> u64 {
        let whole = self.as_bytes() / 16;
        let rest = self.as_bytes() % 16;
        whole.saturating_mul(parts).saturating_add(rest * parts / 16)
    }
}

impl Default for Capacity {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for Capacity {
    /// The largest power of 1,024 that divides it: `256MiB`, `1500bytes`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_bytes() {
            bytes if bytes % (1 << 30) == 0 => write!(f, "{}GiB", bytes >> 30),
            bytes if bytes % (1 << 20) == 0 => write!(f, "{}MiB", bytes >> 20),
            bytes if bytes % (1 << 10) == 0 => write!(f, "{}KiB", bytes >> 10),
            bytes => write!(f, "{bytes}bytes"),
        }
    }
}

impl FromStr for Capacity {
    type Err = InvalidCapacity;

    fn from_str(text: &str) -> Result<Self, InvalidCapacity> {
        let form = || InvalidCapacity::Form { found: text.chars().take(40).collect() };
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(unit_at);
        if number.is_empty() {
            return Err(form());
        }
        let factor = match unit {
            "" => 1,
            unit => UNITS
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(unit))
                .map(|(_, factor)| *factor)
                .ok_or_else(form)?,
        };
        let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        match bytes {
            Some(0) => Err(InvalidCapacity::Zero),
            Some(bytes) => Ok(Self::bytes(bytes)),
            None => Err(InvalidCapacity::TooLarge { found: text.chars().take(40).collect() }),
        }
    }
}

/// Why a text is no capacity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidCapacity {
    /// Zero, which would hold nothing.
    #[error("a capacity of zero holds nothing; give at least a few MiB, as in 256MiB")]
    Zero,
    /// More than 64 bits of bytes.
    #[error("{found:?} is more than a computer holds; write a smaller size, as in 256MiB")]
    TooLarge {
        /// The refused text, cut to 40 characters.
        found: String,
    },
    /// Not a whole number with a unit.
    #[error(
        "{found:?} is not a size; write a whole number with KiB, MiB, GiB, KB, MB, GB or bytes, \
         as in 256MiB"
    )]
    Form {
        /// The refused text, cut to 40 characters.
        found: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<u64, &str>) {
        let found = text.parse::<Capacity>();
        match expected {
            Ok(bytes) => assert_eq!(found, Ok(Capacity::bytes(bytes)), "{text:?}"),
            Err(message) => assert_eq!(found.unwrap_err().to_string(), message, "{text:?}"),
        }
    }

    #[test]
    fn every_unit_is_read() {
        check("1", Ok(1));
        check("1500bytes", Ok(1_500));
        check("7B", Ok(7));
        check("64KiB", Ok(65_536));
        check("64KB", Ok(64_000));
        check("256MiB", Ok(268_435_456));
        check("256mb", Ok(256_000_000));
        check("2GiB", Ok(2_147_483_648));
        check("2gb", Ok(2_000_000_000));
    }

    #[test]
    fn what_is_no_size_is_refused_with_the_expected_form() {
        let form = "is not a size; write a whole number with KiB, MiB, GiB, KB, MB, GB or bytes, \
                    as in 256MiB";
        for text in ["", "MiB", "1.5GiB", "-1MiB", "10 MiB", "10TiB", "0x10", "½MiB", "1é"] {
            check(text, Err(&format!("{text:?} {form}")));
        }
    }

    #[test]
    fn zero_and_overflow_are_refused() {
        check("0", Err("a capacity of zero holds nothing; give at least a few MiB, as in 256MiB"));
        check(
            "0MiB",
            Err("a capacity of zero holds nothing; give at least a few MiB, as in 256MiB"),
        );
        check("18446744073709551615", Ok(u64::MAX));
        for text in ["18446744073709551616", "18014398509481984KiB", "99999999999999999999GiB"] {
            let message = format!(
                "{text:?} is more than a computer holds; write a smaller size, as in 256MiB"
            );
            check(text, Err(&message));
        }
    }

    #[test]
    fn display_is_read_back() {
        for bytes in [1, 1_000, 1_024, 1_500, 268_435_456, 3 << 30, u64::MAX] {
            let capacity = Capacity::bytes(bytes);
            check(&capacity.to_string(), Ok(bytes));
        }
        assert_eq!(Capacity::DEFAULT.to_string(), "256MiB");
    }

    #[test]
    fn sixteenths_neither_overflow_nor_round_up() {
        assert_eq!(Capacity::bytes(u64::MAX).sixteenths(16), u64::MAX);
        assert_eq!(Capacity::bytes(u64::MAX).sixteenths(10), u64::MAX / 16 * 10 + 9);
        assert_eq!(Capacity::bytes(17).sixteenths(10), 10);
    }
}
