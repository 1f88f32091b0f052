//! Why a text is no RUC: the broken rule, the digit that would fit, and a hint for people.

use std::fmt;

use thiserror::Error;

/// The rules of a RUC, in the order in which they are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// It has eleven characters.
    Length,
    /// All of them are ASCII digits.
    Digits,
    /// The first two are a prefix that is issued.
    Prefix,
    /// The last one is the check digit of the first ten.
    CheckDigit,
}

impl Rule {
    /// The stable name of the rule: `length`, `digits`, `prefix`, `check_digit`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Digits => "digits",
            Self::Prefix => "prefix",
            Self::CheckDigit => "check_digit",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is no RUC.
///
/// Neither its text nor its `Debug` form ever holds the number: it may be personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a RUC: {breach}{}", Advice(*.damage))]
pub struct InvalidRuc {
    breach: Breach,
    damage: Option<Damage>,
}

impl InvalidRuc {
    pub(crate) const fn new(breach: Breach) -> Self {
        Self { breach, damage: None }
    }

    pub(crate) const fn damaged(breach: Breach, damage: Option<Damage>) -> Self {
        Self { breach, damage }
    }

    /// The first rule that is broken.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        match self.breach {
            Breach::Length { .. } => Rule::Length,
            Breach::Digits { .. } => Rule::Digits,
            Breach::Prefix => Rule::Prefix,
            Breach::CheckDigit { .. } => Rule::CheckDigit,
        }
    }

    /// The one last digit that fits the first ten, 0 to 9, when only the check digit is wrong.
    #[must_use]
    pub const fn expected(&self) -> Option<u8> {
        match self.breach {
            Breach::CheckDigit { expected } => Some(expected),
            _ => None,
        }
    }

    /// What a person should do about a number that a spreadsheet has damaged.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self.damage {
            Some(damage) => Some(damage.hint()),
            None => None,
        }
    }
}

/// A broken rule with what is needed to explain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breach {
    Length { chars: usize },
    Digits { position: usize },
    Prefix,
    CheckDigit { expected: u8 },
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { chars } => write!(f, "it must have 11 digits, not {chars} characters"),
            Self::Digits { position } => {
                write!(f, "character {position} is not one of the digits 0 to 9")
            }
            Self::Prefix => f.write_str("it must start with 10, 15, 17 or 20 (historic: 16)"),
            Self::CheckDigit { expected } => {
                write!(f, "the last digit must be {expected}; check the number for a typing error")
            }
        }
    }
}

/// What a spreadsheet does to a column of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// `20131312955.0`
    Decimal,
    /// `2.0131312955E10`
    Scientific,
}

impl Damage {
    const fn hint(self) -> &'static str {
        match self {
            Self::Decimal => {
                "a spreadsheet turned the number into a decimal; \
                 format the column as text and export it again"
            }
            Self::Scientific => {
                "a spreadsheet turned the number into scientific notation, which may have lost \
                 digits; format the column as text and export it again"
            }
        }
    }

    /// Recognises the marks of a spreadsheet in a text without surrounding white space.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let (head, tail) = text.split_once(['.', ','])?;
        if !all_digits(head) {
            return None;
        }
        if head.len() == 11 && !tail.is_empty() && tail.bytes().all(|byte| byte == b'0') {
            return Some(Self::Decimal);
        }
        let (fraction, exponent) = tail.split_once(['E', 'e'])?;
        let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
        let scientific = head.len() == 1 && all_digits(fraction) && all_digits(exponent);
        scientific.then_some(Self::Scientific)
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The hint as a continuation of an error's text.
struct Advice(Option<Damage>);

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |damage| write!(f, "; {}", damage.hint()))
    }
}
