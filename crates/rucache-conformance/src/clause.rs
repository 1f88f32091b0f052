//! A clause of the contract, and the form in which clauses are written down.

use std::fmt;

use crate::{Env, Verdict};

/// One promise of the contract, with the code that finds out whether a backend keeps it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Clause {
    /// Its name, and the name of its test.
    pub name: &'static str,
    /// What it states, in a sentence.
    pub states: &'static str,
    /// Finds out whether it holds.
    pub check: fn(&Env) -> Verdict,
}

impl fmt::Debug for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Declares the clauses of a file: each a function whose doc comment is what it states.
macro_rules! clauses {
    ($($(#[doc = $states:literal])+ fn $name:ident($env:ident) $body:block)+) => {
        pub(super) const CLAUSES: &[$crate::Clause] = &[$($crate::Clause {
            name: stringify!($name),
            states: concat!($($states),+),
            check: $name,
        }),+];

        $($(#[doc = $states])+
        fn $name($env: &$crate::Env) -> $crate::Verdict $body)+
    };
}

pub(crate) use clauses;
