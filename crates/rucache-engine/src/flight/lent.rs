//! Keys that somebody outside of this process is loading, under the same locks as flights.

use std::collections::HashMap;

use rucache_core::{Key, Mono};

use super::Flights;

/// Most keys of a shard that are lent at once.
const LENT: usize = 1_024;

/// What is lent of a shard.
#[derive(Debug, Default)]
pub(super) struct Lent(HashMap<Key, Loan>);

#[derive(Debug)]
struct Loan {
    token: u128,
    until: Mono,
}

impl Lent {
    /// Voids the loan of `key`: something newer has happened to it.
    pub(super) fn void(&mut self, key: &Key) {
        // Looked at first: every change comes by, and loans are rare.
        if !self.0.is_empty() {
            self.0.remove(key);
        }
    }
}

impl Flights {
    /// Lends `key` as `token` until `until`, unless it is lent or being loaded already, or `found`
    /// finds something, which is the error then.
    pub(crate) fn lend<R>(
        &self,
        key: &Key,
        token: u128,
        (now, until): (Mono, Mono),
        found: impl FnOnce() -> Option<R>,
    ) -> Result<bool, R> {
        let mut shard = self.shard(key);
        if let Some(found) = found() {
            return Err(found);
        }
        let lent = &mut shard.lent.0;
        if lent.get(key).is_some_and(|loan| now < loan.until) {
            return Ok(false);
        }
        if lent.len() >= LENT {
            lent.retain(|_, loan| now < loan.until);
        }
        let granted = lent.len() < LENT && !shard.flights.contains_key(key);
        if granted {
            shard.lent.0.insert(key.clone(), Loan { token, until });
        }
        Ok(granted)
    }

    /// Carries out `change` of the entry of `key` if it is still lent as `token`.
    pub(crate) fn repay<R>(
        &self,
        key: &Key,
        token: u128,
        now: Mono,
        change: impl FnOnce() -> R,
    ) -> Option<R> {
        let mut shard = self.shard(key);
        shard.lent.0.get(key).filter(|loan| loan.token == token && now < loan.until)?;
        shard.lent.0.remove(key);
        shard.flights.remove(key);
        shard.setbacks.remove(key);
        shard.changes += 1;
        Some(change())
    }
}
