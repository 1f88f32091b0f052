//! Who may load: leases, their renewal and their end.
//!
//! The lease of a missing entry is an item in the entry's own place, that of a present one an item
//! beside it. Either way the state of the entry's place, its CAS, is the fence: every write, delete
//! and expire changes it.

mod renew;
mod request;

use bytes::Bytes;
use rucache_core::backend::MAX_NOTE_LEN;
use rucache_core::{
    Answers, Error, Lease, LeaseEnd, LeaseHold, LeaseRequest, LeaseToken, Operation, Ttl,
};

use crate::client::{Command, Name, When};
use crate::error::{Refusal, Trouble};
use crate::exptime::Exptime;
use crate::pool::Pool;
use crate::rounds::{Next, Replies, Step, Task};
use crate::slot::{LeaseItem, NOTE};

use renew::Renewing;
use request::Asking;

/// What a lease's token says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Proof {
    /// The state of the entry's place.
    pub(crate) entry: u64,
    /// The state of the item beside a present entry.
    pub(crate) lease: Option<u64>,
}

impl Proof {
    pub(crate) fn of(token: LeaseToken) -> Self {
        let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
        let (entry, lease) = (half(token.as_raw() >> 64), half(token.as_raw()));
        Self { entry, lease: (lease != 0).then_some(lease) }
    }

    fn token(self) -> LeaseToken {
        let lease = self.lease.unwrap_or_default();
        LeaseToken::from_raw(u128::from(self.entry) << 64 | u128::from(lease))
    }
}

impl Pool {
    pub(crate) async fn ask(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
        let now = self.clock.wall();
        let task =
            |request: &LeaseRequest| self.at_home(&request.key, Asking::new(self, request, now));
        let tasks = requests.iter().map(task).collect();
        self.drive(tasks, self.limit(), Operation::Lease).await
    }

    pub(crate) async fn renew(&self, holds: &[LeaseHold], ttl: Ttl) -> Answers<bool> {
        let now = self.clock.wall();
        let task = |hold: &LeaseHold| self.at_home(&hold.key, Renewing::new(self, hold, ttl, now));
        self.drive(holds.iter().map(task).collect(), self.limit(), Operation::Renew).await
    }

    pub(crate) async fn release(&self, ends: &[LeaseEnd]) -> Answers<bool> {
        let tasks = ends.iter().map(|end| self.releasing(end)).collect();
        self.drive_some(tasks, self.limit(), Operation::Release).await
    }

    fn releasing(&self, end: &LeaseEnd) -> Result<Task<Releasing>, Error> {
        let note = match &end.back_off {
            Some(back_off) if back_off.note.len() > MAX_NOTE_LEN => {
                let len = back_off.note.len();
                return Err(Refusal::BackOffLen { len }.during(Operation::Release));
            }
            Some(back_off) => {
                Some((back_off.note.clone(), Exptime::of(back_off.ttl, self.clock.wall())))
            }
            None => None,
        };
        let (key, proof) = (&end.hold.key, Proof::of(end.hold.token));
        let step = Releasing { entry: self.entry(key), lease: self.lease(key), proof, note };
        Ok(self.at_home(key, step))
    }
}

/// The end of a lease without a write.
struct Releasing {
    entry: Name,
    lease: Name,
    proof: Proof,
    note: Option<(Bytes, Exptime)>,
}

impl Step for Releasing {
    type Output = bool;

    fn commands(&self) -> Vec<Command> {
        let (name, cas) = match self.proof.lease {
            None => (self.entry.clone(), self.proof.entry),
            Some(cas) => (self.lease.clone(), cas),
        };
        let end = match self.note.clone() {
            None => Command::Delete { name, cas: Some(cas) },
            Some((note, life)) => {
                let (value, flags) = match self.proof.lease {
                    None => (note, NOTE),
                    Some(_) => (LeaseItem::Note { entry: self.proof.entry, note }.encode(), 0),
                };
                Command::Store { name, value, flags, life, when: When::Cas(cas) }
            }
        };
        match self.proof.lease {
            None => vec![end],
            Some(_) => vec![Command::look(self.entry.clone()), end],
        }
    }

    fn next(self, mut answers: Replies) -> Result<Next<Self>, Trouble> {
        let stands = match self.proof.lease {
            None => true,
            Some(_) => answers.item()?.is_some_and(|item| item.cas == self.proof.entry),
        };
        Ok(Next::Done(answers.changed()?.is_done() && stands))
    }
}
