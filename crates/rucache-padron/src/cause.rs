//! Why a line of the register is passed over.

use std::fmt;

use rucache_ruc::Rule;
use serde::{Deserialize, Serialize};

/// Why a line is passed over: the first of these that holds, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// Longer than [`LINE_LIMIT`](crate::LINE_LIMIT) bytes.
    TooLong,
    /// Blank.
    Empty,
    /// Holds a NUL byte: part of the file was not written.
    Nul,
    /// Fewer than fifteen columns, or the trailing pipe is missing.
    MissingColumns,
    /// More than fifteen columns: a pipe stands inside a value.
    StrayPipe,
    /// The number has not eleven characters.
    RucLength,
    /// The number holds something else than digits.
    RucDigits,
    /// The number has a prefix that is not issued, such as 00.
    RucPrefix,
    /// The number's check digit is wrong.
    RucCheckDigit,
    /// There is no name.
    Nameless,
    /// A later line has the same number and wins.
    ///
    /// Only a loaded [`Register`](crate::Register) counts these: finding them takes memory.
    Duplicate,
}

impl Cause {
    /// How many causes there are.
    pub const COUNT: usize = 11;

    /// Every cause, in the order they are looked for.
    pub const ALL: [Self; Self::COUNT] = [
        Self::TooLong,
        Self::Empty,
        Self::Nul,
        Self::MissingColumns,
        Self::StrayPipe,
        Self::RucLength,
        Self::RucDigits,
        Self::RucPrefix,
        Self::RucCheckDigit,
        Self::Nameless,
        Self::Duplicate,
    ];

    /// The stable name: `too_long`, `empty` …
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Empty => "empty",
            Self::Nul => "nul",
            Self::MissingColumns => "missing_columns",
            Self::StrayPipe => "stray_pipe",
            Self::RucLength => "ruc_length",
            Self::RucDigits => "ruc_digits",
            Self::RucPrefix => "ruc_prefix",
            Self::RucCheckDigit => "ruc_check_digit",
            Self::Nameless => "nameless",
            Self::Duplicate => "duplicate",
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl From<Rule> for Cause {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Length => Self::RucLength,
            Rule::Prefix => Self::RucPrefix,
            Rule::CheckDigit => Self::RucCheckDigit,
            // The rules may grow; what is left of them speaks of the characters.
            _ => Self::RucDigits,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Cause;

    #[test]
    fn causes_are_numbered_and_named_once() {
        for (place, cause) in Cause::ALL.into_iter().enumerate() {
            assert_eq!(cause.index(), place);
            let json = serde_json::to_string(&cause).unwrap();
            assert_eq!(json, format!("\"{cause}\""));
        }
    }
}
