//! The renewal of one lease.

use rucache_core::{LeaseHold, Timestamp, Ttl};

use super::Proof;
use crate::client::{Command, Effect, Item, Name};
use crate::error::Trouble;
use crate::exptime::Exptime;
use crate::pool::Pool;
use crate::rounds::{Next, Replies, Step};

/// A renewal on its way: a look, then a touch, which knows no condition. Where it met something else
/// than the lease, the life that this had is given back.
pub(super) struct Renewing {
    entry: Name,
    lease: Name,
    proof: Proof,
    ttl: Ttl,
    now: Timestamp,
    turn: Turn,
}

/// What the next round is about.
#[derive(Clone, Copy)]
enum Turn {
    Look,
    Touch,
    Undo { left: i64 },
}

impl Renewing {
    pub(super) fn new(pool: &Pool, hold: &LeaseHold, ttl: Ttl, now: Timestamp) -> Self {
        let (entry, lease) = (pool.entry(&hold.key), pool.lease(&hold.key));
        Self { entry, lease, proof: Proof::of(hold.token), ttl, now, turn: Turn::Look }
    }

    /// The name and the state of the item that is the lease.
    fn held(&self) -> (Name, u64) {
        match self.proof.lease {
            None => (self.entry.clone(), self.proof.entry),
            Some(cas) => (self.lease.clone(), cas),
        }
    }

    fn touch(&self, life: Exptime) -> Vec<Command> {
        vec![Command::Look { name: self.held().0, value: false, effect: Effect::Touch(life) }]
    }

    /// Whether the item lives at least as long as asked: a renewal never shortens.
    fn suffices(&self, item: &Item) -> bool {
        let asked = self.ttl.as_secs_ceil().saturating_add(1);
        item.left.is_some_and(|left| u64::try_from(left).map_or(left == -1, |left| left >= asked))
    }
}

impl Step for Renewing {
    type Output = bool;

    fn commands(&self) -> Vec<Command> {
        match self.turn {
            Turn::Look => {
                let mut commands = vec![Command::look(self.entry.clone())];
                if self.proof.lease.is_some() {
                    commands.push(Command::look(self.lease.clone()));
                }
                commands
            }
            Turn::Touch => self.touch(Exptime::of(self.ttl, self.now)),
            Turn::Undo { left } => self.touch(match u64::try_from(left) {
                // Zero would be for ever; it had less than a second.
                Ok(left) => Exptime::secs(left.max(1), self.now),
                Err(_) => Exptime::NEVER,
            }),
        }
    }

    fn next(self, mut answers: Replies) -> Result<Next<Self>, Trouble> {
        let (_, cas) = self.held();
        match self.turn {
            Turn::Look => {
                let entry = answers.item()?.filter(|item| item.cas == self.proof.entry);
                let held = match self.proof.lease {
                    None => entry,
                    Some(_) => answers.item()?.filter(|item| entry.is_some() && item.cas == cas),
                };
                Ok(match held {
                    None => Next::Done(false),
                    Some(item) if self.suffices(&item) => Next::Done(true),
                    Some(_) => Next::Then(Self { turn: Turn::Touch, ..self }),
                })
            }
            Turn::Touch => Ok(match answers.item()? {
                None => Next::Done(false),
                Some(item) if item.cas == cas => Next::Done(true),
                Some(item) => {
                    let left = item.left.ok_or(Trouble::Garbled)?;
                    Next::Then(Self { turn: Turn::Undo { left }, ..self })
                }
            }),
            Turn::Undo { .. } => Ok(Next::Done(false)),
        }
    }
}
