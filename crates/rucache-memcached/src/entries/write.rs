//! One write, under its precondition.

use bytes::Bytes;
use rucache_core::{LeaseToken, Precondition, Timestamp, Write, WriteOutcome};

use crate::client::{Changed, Command, Name, When};
use crate::error::Trouble;
use crate::exptime::Exptime;
use crate::leases::Proof;
use crate::pool::Pool;
use crate::rounds::{Next, Replies, Step};
use crate::slot::{ENTRY, Standing};

/// A write on its way; it comes to nothing where the value is too long.
pub(super) struct Writing {
    name: Name,
    value: Bytes,
    life: Exptime,
    turn: Turn,
}

/// What the next round is about.
enum Turn {
    /// Storing, which decides.
    Store(When),
    /// Storing where nothing is, if nothing is.
    Add,
    /// What is there, where an add found something.
    Look,
    /// Storing in the place of what is no entry.
    Claim { cas: u64 },
    /// Spending the lease of a present entry. It comes first: that is what refuses a late fill whose
    /// entry nobody has touched.
    Spend { lease: Name, proof: Proof },
    /// Removing what a value too long should have replaced.
    Remove,
}

impl Writing {
    pub(super) fn new(pool: &Pool, write: &Write, now: Timestamp, max: usize) -> Self {
        let turn = match write.when {
            _ if write.value.len() > max => Turn::Remove,
            Precondition::Always => Turn::Store(When::Always),
            Precondition::Absent => Turn::Add,
            Precondition::Version(version) => Turn::Store(When::Cas(version.as_raw())),
            Precondition::Lease(token) => Self::fill(pool, write, token),
        };
        let value = if matches!(turn, Turn::Remove) { Bytes::new() } else { write.value.clone() };
        Self { name: pool.entry(&write.key), value, life: Exptime::of(write.ttl, now), turn }
    }

    fn fill(pool: &Pool, write: &Write, token: LeaseToken) -> Turn {
        let proof = Proof::of(token);
        match proof.lease {
            None => Turn::Store(When::Cas(proof.entry)),
            Some(_) => Turn::Spend { lease: pool.lease(&write.key), proof },
        }
    }

    fn store(&self, when: When) -> Command {
        let (name, value) = (self.name.clone(), self.value.clone());
        Command::Store { name, value, flags: ENTRY, life: self.life, when }
    }

    fn then(self, turn: Turn) -> Next<Self> {
        Next::Then(Self { turn, ..self })
    }
}

impl Step for Writing {
    type Output = Option<WriteOutcome>;

    fn commands(&self) -> Vec<Command> {
        vec![match &self.turn {
            Turn::Store(when) => self.store(*when),
            Turn::Add => self.store(When::Absent),
            Turn::Look => Command::look(self.name.clone()),
            Turn::Claim { cas } => self.store(When::Cas(*cas)),
            Turn::Spend { lease, proof } => {
                Command::Delete { name: lease.clone(), cas: proof.lease }
            }
            Turn::Remove => Command::Delete { name: self.name.clone(), cas: None },
        }]
    }

    fn next(self, mut answers: Replies) -> Result<Next<Self>, Trouble> {
        if let Turn::Look = self.turn {
            return Ok(match Standing::of(answers.item()?.as_ref()) {
                Standing::Entry { .. } => Next::Done(Some(WriteOutcome::Refused)),
                Standing::Free => self.then(Turn::Add),
                Standing::Lease { cas, .. }
                | Standing::BackingOff { cas, .. }
                | Standing::Void { cas }
                | Standing::Foreign { cas } => self.then(Turn::Claim { cas }),
            });
        }
        let changed = answers.changed()?;
        Ok(match (&self.turn, changed) {
            (Turn::Remove, _) => Next::Done(None),
            (Turn::Spend { proof, .. }, Changed::Done { .. }) => {
                let entry = proof.entry;
                self.then(Turn::Store(When::Cas(entry)))
            }
            (_, Changed::Done { .. }) => Next::Done(Some(WriteOutcome::Stored)),
            // Somebody else was there first: what it is decides.
            (Turn::Add | Turn::Claim { .. }, _) => self.then(Turn::Look),
            (_, _) => Next::Done(Some(WriteOutcome::Refused)),
        })
    }
}
