//! Who is on a flight: the leader who loads, the waiters, and what they are told.

use std::sync::Arc;

use rucache_core::{Key, LocalEntry};
use tokio::sync::watch;

use super::{Flights, Shard, Ticket};
use crate::{LoadError, ServedFrom};

/// The result of a load, as everybody who waited gets it.
pub(crate) type Completion = Result<Completed, LoadError>;

/// An entry, where it came from, and whether it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Completed {
    pub(crate) entry: LocalEntry,
    pub(crate) from: ServedFrom,
    pub(crate) stored: bool,
}

/// How far a flight has come, as those who wait for it see it.
#[derive(Debug, Clone)]
pub(super) enum Progress {
    /// It is under way; a stale value has been found for those who do not want to wait.
    Flying { fallback: Option<LocalEntry> },
    /// It has ended; with a failure the stale value may still serve.
    Ended { completion: Completion, fallback: Option<LocalEntry> },
}

/// The duty to load a key and to tell the others. Dropped, it tells them that the load was.
#[derive(Debug)]
pub(crate) struct Leader {
    pub(crate) key: Key,
    pub(crate) ticket: Ticket,
    /// Whether nobody waits for it: what is there is fresh, and past its early point.
    pub(crate) is_refresh: bool,
    id: u64,
    sender: watch::Sender<Progress>,
    flights: Arc<Flights>,
}

impl Leader {
    /// The leader of the flight `id`, and its progress.
    pub(super) fn of(
        key: Key,
        ticket: Ticket,
        id: u64,
        flights: Arc<Flights>,
    ) -> (Self, watch::Receiver<Progress>) {
        let (sender, progress) = watch::channel(Progress::Flying { fallback: None });
        (Self { key, ticket, is_refresh: false, id, sender, flights }, progress)
    }

    /// One more caller who waits for this load.
    pub(crate) fn waiter(&self) -> Waiter {
        Waiter(self.sender.subscribe())
    }

    /// Ends the flight with a value, told to all who wait; `keep` learns whether the key has not
    /// changed in this process meanwhile, and says whether the value is stored.
    pub(crate) fn complete(
        self,
        entry: LocalEntry,
        keep: impl FnOnce(LocalEntry, bool) -> bool,
    ) -> bool {
        let stored = {
            let mut shard = self.flights.shard(&self.key);
            let current = self.is_current(&shard);
            if current {
                shard.flights.remove(&self.key);
                shard.setbacks.remove(&self.key);
                shard.lent.void(&self.key);
                // Copies of what was there before are not to be made any more.
                shard.changes += 1;
            }
            keep(entry.clone(), current)
        };
        self.end(Ok(Completed { entry, from: ServedFrom::Load, stored }));
        stored
    }

    /// Ends the flight with a value that a tier has already.
    pub(crate) fn complete_from(self, from: ServedFrom, entry: LocalEntry) {
        self.flights.forget(&self.key, self.id);
        self.end(Ok(Completed { entry, from, stored: true }));
    }

    /// Tells those who wait which stale value there is, if any.
    pub(crate) fn offer(&self, fallback: Option<LocalEntry>) {
        self.sender.send_replace(Progress::Flying { fallback });
    }

    /// Takes the flight off the table: it ends for those who wait, and nobody joins it any more.
    pub(crate) fn detach(&self) {
        self.flights.forget(&self.key, self.id);
    }

    fn end(&self, completion: Completion) {
        self.sender.send_modify(|progress| {
            let fallback = match progress {
                Progress::Flying { fallback } | Progress::Ended { fallback, .. } => fallback.take(),
            };
            *progress = Progress::Ended { completion, fallback };
        });
    }

    /// Ends the flight with a failure, which answers for the key for as long as the returned
    /// flight lives.
    pub(crate) fn fail(self, error: LoadError) -> FailedFlight {
        self.end(Err(error));
        FailedFlight { _leader: self }
    }

    /// Ends the flight with the certainty that there is no value; `forget` drops the old one if the
    /// key has not changed meanwhile.
    pub(crate) fn fail_absent(self, forget: impl FnOnce() -> bool) -> FailedFlight {
        {
            let mut shard = self.flights.shard(&self.key);
            if self.is_current(&shard) {
                shard.changes += 1;
                forget();
            }
        }
        self.fail(LoadError::Absent)
    }

    fn is_current(&self, shard: &Shard) -> bool {
        shard.flights.get(&self.key).is_some_and(|flight| flight.id == self.id)
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.flights.forget(&self.key, self.id);
    }
}

/// A flight that failed and still answers for its key, until dropped.
#[derive(Debug)]
pub(crate) struct FailedFlight {
    _leader: Leader,
}

/// A caller who waits for a load.
#[derive(Debug)]
pub(crate) struct Waiter(watch::Receiver<Progress>);

/// The end of a load, with the stale value that there is.
type Ended = (Completion, Option<LocalEntry>);

impl Waiter {
    /// One who waits for a flight with this progress.
    pub(super) fn of(progress: &watch::Receiver<Progress>) -> Self {
        Self(progress.clone())
    }

    /// Whether the load has ended before this caller came.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(*self.0.borrow(), Progress::Ended { .. })
    }

    /// The end of the load, or `None` once there is a stale value to fall back on.
    pub(crate) async fn news(&mut self) -> Option<Ended> {
        loop {
            let progress = self.0.borrow_and_update().clone();
            match progress {
                Progress::Flying { fallback: Some(_) } => return None,
                Progress::Ended { completion, fallback } => {
                    return Some((completion, fallback));
                }
                Progress::Flying { fallback: None } => {}
            }
            if self.0.changed().await.is_err() {
                return Some((Err(LoadError::Cancelled), None));
            }
        }
    }

    /// The stale value that there is now.
    pub(crate) fn fallback(&self) -> Option<LocalEntry> {
        match &*self.0.borrow() {
            Progress::Flying { fallback } | Progress::Ended { fallback, .. } => fallback.clone(),
        }
    }

    /// The end of the load.
    pub(crate) async fn end(&mut self) -> Ended {
        let ended = |progress: &Progress| matches!(progress, Progress::Ended { .. });
        match self.0.wait_for(ended).await.as_deref() {
            Ok(Progress::Ended { completion, fallback }) => (completion.clone(), fallback.clone()),
            _ => (Err(LoadError::Cancelled), None),
        }
    }
}
