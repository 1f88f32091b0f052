//! How a clause is broken.

use std::fmt;

use rucache_core::Error;

/// What a clause found instead of what it states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    text: String,
}

impl Failure {
    /// A failure that `text` describes.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self { text }
    }
}

/// Whether a clause holds.
pub type Verdict = Result<(), Failure>;

/// Fails unless `found` is `wanted`.
pub(crate) fn same<T: PartialEq + fmt::Debug>(what: &str, found: T, wanted: T) -> Verdict {
    if found == wanted {
        return Ok(());
    }
    Err(Failure::new(format!("{what}: found {}, wanted {}", shown(&found), shown(&wanted))))
}

/// Fails unless `holds`.
pub(crate) fn holds(what: &str, holds: impl Into<bool>) -> Verdict {
    if holds.into() { Ok(()) } else { Err(Failure::new(what)) }
}

/// A value of a megabyte tells nobody anything.
fn shown(value: &impl fmt::Debug) -> String {
    let mut text = format!("{value:?}");
    if text.len() > 400 {
        let cut = (0..=400).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(cut);
        text.push('…');
    }
    text
}
