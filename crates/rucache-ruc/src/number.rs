//! The taxpayer number itself: eleven digits that satisfy every rule.

use std::fmt;
use std::str::FromStr;

use crate::invalid::{Breach, Damage, InvalidRuc};
use crate::prefix::{Prefix, PrefixPolicy};

/// Weights of the first ten digits in the check sum, from the left.
const WEIGHTS: [u8; 10] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];

/// A Peruvian taxpayer number (Registro Único de Contribuyentes) that satisfies every rule.
///
/// Eleven ASCII digits: a prefix that is issued, eight digits, and a check digit. That the number
/// is well formed does not mean that it was ever given to somebody.
///
/// `Display` writes the number; `Debug` masks those that identify a natural person. In serde it is
/// a string.
///
/// ```
/// use rucache_ruc::{Ruc, Rule};
///
/// let sunat: Ruc = "20131312955".parse()?;
/// assert_eq!(sunat.as_u64(), 20_131_312_955);
///
/// let wrong = "20131312956".parse::<Ruc>().unwrap_err();
/// assert_eq!((wrong.rule(), wrong.expected()), (Rule::CheckDigit, Some(5)));
/// # Ok::<(), rucache_ruc::InvalidRuc>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ruc(u64);

impl Ruc {
    /// Reads exactly eleven ASCII digits; `policy` decides about the historic prefix 16.
    ///
    /// # Errors
    ///
    /// The first broken rule, in the order length, digits, prefix, check digit.
    pub fn parse(text: &str, policy: PrefixPolicy) -> Result<Self, InvalidRuc> {
        let mut number = 0;
        let mut chars = 0;
        let mut stranger = None;
        for character in text.chars() {
            chars += 1;
            match character.to_digit(10) {
                // A longer text is refused below: its value does not matter, only its length.
                Some(digit) if chars <= 11 => number = number * 10 + u64::from(digit),
                Some(_) => {}
                None => stranger = stranger.or(Some(chars)),
            }
        }
        if chars != 11 {
            return Err(InvalidRuc::damaged(Breach::Length { chars }, Damage::of(text.trim())));
        }
        if let Some(position) = stranger {
            return Err(InvalidRuc::damaged(Breach::Digits { position }, Damage::of(text.trim())));
        }
        Self::checked(number, policy)
    }

    /// Reads a number as people and files write it: white space, byte order marks, `-` and `.`
    /// are ignored wherever they stand.
    ///
    /// A number that a spreadsheet has turned into a decimal or into scientific notation is not
    /// repaired but named in the error's [`hint`](InvalidRuc::hint): digits may be lost.
    ///
    /// # Errors
    ///
    /// The first broken rule of what remains.
    pub fn parse_lenient(text: &str) -> Result<Self, InvalidRuc> {
        let ignored = |c: char| c.is_whitespace() || c == '\u{feff}';
        let trimmed = text.trim_matches(ignored);
        if let Some(damage) = Damage::of(trimmed) {
            let chars = trimmed.chars().count();
            return Err(InvalidRuc::damaged(Breach::Length { chars }, Some(damage)));
        }
        let bare: String =
            trimmed.chars().filter(|&c| !ignored(c) && !matches!(c, '-' | '.')).collect();
        bare.parse()
    }

    /// Completes ten digits with their check digit.
    ///
    /// # Errors
    ///
    /// The length rule when `first_ten` has not ten digits, the prefix rule when its prefix is
    /// not issued.
    pub fn from_first_ten(first_ten: u64) -> Result<Self, InvalidRuc> {
        let last = u64::from(Self::check_digit(first_ten));
        Self::try_from(first_ten.saturating_mul(10).saturating_add(last))
    }

    /// The one last digit that fits ten first digits, given as a number below 10¹⁰.
    ///
    /// 11 minus the weighted sum modulo 11, where 10 counts as 0 and 11 as 1. Higher digits of
    /// `first_ten` are ignored.
    #[must_use]
    pub fn check_digit(first_ten: u64) -> u8 {
        let [_, digits @ ..] = digits(first_ten);
        let sum: u32 =
            digits.iter().zip(WEIGHTS).map(|(&d, weight)| u32::from(d) * u32::from(weight)).sum();
        let [digit, ..] = ((11 - sum % 11) % 10).to_le_bytes();
        digit
    }

    /// The number as an integer: 10,000,000,000 to 20,999,999,999.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The eleven ASCII digits, without an allocation.
    #[must_use]
    pub fn to_ascii(self) -> [u8; 11] {
        digits(self.0).map(|digit| b'0' + digit)
    }

    /// The first two digits.
    #[must_use]
    pub const fn prefix(self) -> Prefix {
        match Prefix::of(self.0) {
            Some(prefix) => prefix,
            // Not reached: no constructor lets another prefix pass.
            None => Prefix::LegalEntity,
        }
    }

    /// Whether the number identifies a natural person (10, 15, 17): personal data, Ley 29733.
    #[must_use]
    pub const fn is_personal(self) -> bool {
        self.prefix().is_personal()
    }

    /// Checks prefix and check digit of an eleven-digit number.
    fn checked(number: u64, policy: PrefixPolicy) -> Result<Self, InvalidRuc> {
        match Prefix::of(number) {
            Some(prefix) if policy.accepts(prefix) => {}
            _ => return Err(InvalidRuc::new(Breach::Prefix)),
        }
        let expected = Self::check_digit(number / 10);
        if number % 10 == u64::from(expected) {
            Ok(Self(number))
        } else {
            Err(InvalidRuc::new(Breach::CheckDigit { expected }))
        }
    }
}

/// The last eleven decimal digits of `number`, from the left.
fn digits(mut number: u64) -> [u8; 11] {
    let mut digits = [0; 11];
    for slot in digits.iter_mut().rev() {
        [*slot, ..] = (number % 10).to_le_bytes();
        number /= 10;
    }
    digits
}

impl FromStr for Ruc {
    type Err = InvalidRuc;

    /// Exactly eleven ASCII digits; the historic prefix 16 is accepted.
    fn from_str(text: &str) -> Result<Self, InvalidRuc> {
        Self::parse(text, PrefixPolicy::default())
    }
}

impl TryFrom<u64> for Ruc {
    type Error = InvalidRuc;

    fn try_from(number: u64) -> Result<Self, InvalidRuc> {
        let chars = number.checked_ilog10().map_or(1, |log| log.saturating_add(1));
        if chars == 11 {
            Self::checked(number, PrefixPolicy::default())
        } else {
            let chars = usize::try_from(chars).unwrap_or(usize::MAX);
            Err(InvalidRuc::new(Breach::Length { chars }))
        }
    }
}

impl From<Ruc> for u64 {
    fn from(ruc: Ruc) -> Self {
        ruc.0
    }
}

impl fmt::Display for Ruc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Eleven digits by construction: no padding is ever needed for leading zeros.
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Ruc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_personal() {
            write!(f, "Ruc({}*********)", self.prefix().as_str())
        } else {
            write!(f, "Ruc({})", self.0)
        }
    }
}

impl serde::Serialize for Ruc {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Ruc {
    /// Accepts the string form and, from sources that drop the quotes, the integer.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RucVisitor)
    }
}

struct RucVisitor;

impl serde::de::Visitor<'_> for RucVisitor {
    type Value = Ruc;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a RUC as a string of 11 digits")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Ruc, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Ruc, E> {
        number.try_into().map_err(E::custom)
    }

    // The default texts of the next two would quote the number.
    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Ruc, E> {
        self.visit_u64(u64::try_from(number).unwrap_or_default())
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Ruc, E> {
        Err(E::custom("a RUC must be a string of 11 digits, not a decimal number"))
    }
}
