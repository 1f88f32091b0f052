//! What a source says when it is asked for something else than a taxpayer.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::Unavailable;

/// What a source says when it is asked for a `T`.
///
/// Closed on purpose, as [`Answer`](super::Answer) is.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply<T> {
    /// It has it.
    Found(T),
    /// It knows that there is none, or none yet.
    NotFound,
    /// It does not deal with such things.
    NotCovered,
    /// It could not answer.
    Unavailable(Unavailable),
}

/// What a source says of its customer's account: plan, calls left, expiry.
///
/// Sources name these things as they like, so the fields are passed on as they are. What was sent
/// to the source as a secret is not among them.
#[derive(Clone, PartialEq)]
pub struct Account(pub Map<String, Value>);

impl fmt::Debug for Account {
    /// The names of the fields: their values may say who the customer is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What a question would cost at one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The source that would be asked.
    pub source: Arc<str>,
    /// About how many numbers.
    pub numbers: usize,
    /// In how many calls that count against its plan; zero where calls cost nothing.
    pub calls: u64,
}
