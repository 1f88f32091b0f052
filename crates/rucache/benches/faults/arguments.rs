//! The command line: which rows, which seed, how long a fault lasts.

use std::time::Duration;

use crate::arena::{Context, Site};
use crate::rows::ROWS;

/// How long a fault lasts, unless told.
const SPAN: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(crate) struct Arguments {
    only: Vec<String>,
    on: Vec<String>,
    pub(crate) seed: u64,
    span: Duration,
}

impl Arguments {
    /// `[--only F05[,F06]] [--on redis[,memory]] [--seed N] [--seconds S]`.
    pub(crate) fn read(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut read = Self { only: Vec::new(), on: Vec::new(), seed: 1, span: SPAN };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} takes a value"));
            match word.as_str() {
                "--only" => read.only.extend(value()?.split(',').map(ToOwned::to_owned)),
                "--on" => read.on.extend(value()?.split(',').map(ToOwned::to_owned)),
                "--seed" => read.seed = number(&value()?)?,
                "--seconds" => read.span = Duration::from_secs(number(&value()?)?.max(1)),
                // Cargo's own, to every bench target.
                "--bench" => {}
                other => return Err(format!("no argument {other:?}")),
            }
        }
        let unknown = read.only.iter().find(|id| ROWS.iter().all(|row| row.id != id.as_str()));
        match unknown {
            Some(id) => {
                let ids: Vec<_> = ROWS.iter().map(|row| row.id).collect();
                Err(format!("no row {id}; there are {}", ids.join(", ")))
            }
            None => Ok(read),
        }
    }

    pub(crate) fn takes(&self, id: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == id)
    }

    pub(crate) fn takes_site(&self, site: Site) -> bool {
        self.on.is_empty() || self.on.iter().any(|on| on == site.word())
    }

    pub(crate) const fn context(&self, site: Site) -> Context {
        Context { site, seed: self.seed, span: self.span }
    }
}

fn number(digits: &str) -> Result<u64, String> {
    digits.parse().map_err(|_| format!("not a number: {digits:?}"))
}
