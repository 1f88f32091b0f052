//! One request for a lease.

use bytes::Bytes;
use rucache_core::{Lease, LeaseRequest, Timestamp};

use super::Proof;
use crate::client::{Changed, Command, Effect, Name, When};
use crate::error::Trouble;
use crate::exptime::Exptime;
use crate::pool::Pool;
use crate::rounds::{Next, Replies, Step};
use crate::slot::{CLAIM, LeaseItem, Standing};

/// A request on its way.
pub(super) struct Asking {
    entry: Name,
    lease: Name,
    life: Exptime,
    turn: Turn,
}

/// What the next round is about.
#[derive(Clone, Copy)]
enum Turn {
    /// A placeholder where nothing is; else what is there.
    Vivify,
    /// Taking the place of something void.
    Claim { cas: u64 },
    /// An item beside the entry that was seen.
    Beside { seen: u64 },
    /// Taking the place of a lease that was given for another state of the entry.
    TakeOver { seen: u64, cas: u64 },
    /// Returning what was won for an entry that has changed.
    GiveBack { cas: u64 },
}

impl Asking {
    pub(super) fn new(pool: &Pool, request: &LeaseRequest, now: Timestamp) -> Self {
        let turn = match request.seen {
            None => Turn::Vivify,
            Some(seen) => Turn::Beside { seen: seen.as_raw() },
        };
        let (entry, lease) = (pool.entry(&request.key), pool.lease(&request.key));
        Self { entry, lease, life: Exptime::of(request.ttl, now), turn }
    }

    fn take(&self, seen: u64, when: When) -> Command {
        let (name, value) = (self.lease.clone(), LeaseItem::Lease { entry: seen }.encode());
        Command::Store { name, value, flags: 0, life: self.life, when }
    }

    fn then(self, turn: Turn) -> Next<Self> {
        Next::Then(Self { turn, ..self })
    }

    fn vivified(self, answers: &mut Replies) -> Result<Next<Self>, Trouble> {
        let standing = Standing::of(answers.item()?.as_ref());
        Ok(match standing {
            Standing::Lease { cas, won: true } => granted(cas, None),
            Standing::Lease { .. } => Next::Done(Lease::Held),
            Standing::Entry { .. } => Next::Done(Lease::Changed),
            Standing::BackingOff { note, .. } => Next::Done(Lease::BackingOff { note }),
            Standing::Void { cas } | Standing::Foreign { cas } => self.then(Turn::Claim { cas }),
            Standing::Free => return Err(Trouble::Garbled),
        })
    }

    fn asked_beside(self, seen: u64, answers: &mut Replies) -> Result<Next<Self>, Trouble> {
        let (won, lease) = (answers.changed()?, answers.item()?);
        let unchanged = Standing::of(answers.item()?.as_ref()) == Standing::Entry { cas: seen };
        let Some(lease) = lease else {
            // It went between the two lines.
            return Ok(Next::Done(if unchanged { Lease::Held } else { Lease::Changed }));
        };
        Ok(match (won.is_done(), unchanged) {
            (true, true) => granted(seen, Some(lease.cas)),
            (true, false) => self.then(Turn::GiveBack { cas: lease.cas }),
            (false, false) => Next::Done(Lease::Changed),
            (false, true) => match LeaseItem::decode(&lease.value) {
                Some(LeaseItem::Lease { entry }) if entry == seen => Next::Done(Lease::Held),
                Some(LeaseItem::Note { entry, note }) if entry == seen => {
                    Next::Done(Lease::BackingOff { note })
                }
                _ => self.then(Turn::TakeOver { seen, cas: lease.cas }),
            },
        })
    }
}

impl Step for Asking {
    type Output = Lease;

    fn commands(&self) -> Vec<Command> {
        let entry = self.entry.clone();
        match self.turn {
            Turn::Vivify => {
                vec![Command::Look { name: entry, value: true, effect: Effect::Lease(self.life) }]
            }
            Turn::Claim { cas } => {
                let (value, when) = (Bytes::new(), When::Cas(cas));
                vec![Command::Store { name: entry, value, flags: CLAIM, life: self.life, when }]
            }
            Turn::Beside { seen } => vec![
                self.take(seen, When::Absent),
                Command::read(self.lease.clone()),
                Command::look(entry),
            ],
            Turn::TakeOver { seen, cas } => vec![self.take(seen, When::Cas(cas))],
            Turn::GiveBack { cas } => {
                vec![Command::Delete { name: self.lease.clone(), cas: Some(cas) }]
            }
        }
    }

    fn next(self, mut answers: Replies) -> Result<Next<Self>, Trouble> {
        match self.turn {
            Turn::Vivify => self.vivified(&mut answers),
            Turn::Beside { seen } => self.asked_beside(seen, &mut answers),
            Turn::Claim { .. } => taken(answers.changed()?, |cas| granted(cas, None)),
            Turn::TakeOver { seen, .. } => {
                taken(answers.changed()?, |cas| granted(seen, Some(cas)))
            }
            Turn::GiveBack { .. } => Ok(Next::Done(Lease::Changed)),
        }
    }
}

fn granted(entry: u64, lease: Option<u64>) -> Next<Asking> {
    Next::Done(Lease::Granted(Proof { entry, lease }.token()))
}

fn taken(changed: Changed, granted: impl Fn(u64) -> Next<Asking>) -> Result<Next<Asking>, Trouble> {
    match changed {
        Changed::Done { cas: Some(cas) } => Ok(granted(cas)),
        Changed::Done { cas: None } => Err(Trouble::Garbled),
        Changed::Missing | Changed::Other => Ok(Next::Done(Lease::Held)),
    }
}
