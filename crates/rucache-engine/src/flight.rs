//! Flights: at most one running load per key, and the fence that keeps an old load from being
//! stored over something newer.
//!
//! A key has a flight from the moment a load is begun until its result is stored, or, after a
//! failure, until the back-off ends. Whoever changes the key takes its flight off the table: the
//! load then still answers those who wait for it, and stores nothing. A flight that was begun before
//! the key's service was cleared, or one of its tags invalidated, is joined by nobody any more.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rucache_core::{Key, LocalEntry, Mono};
use tokio::sync::watch;

use crate::{LoadError, ServedFrom};

/// Locks that the flights are spread over; changes of different keys rarely meet.
const SHARDS: usize = 64;

/// The result of a load, as everybody who waited gets it.
pub(crate) type Completion = Result<Completed, LoadError>;

/// An entry, where it came from, and whether it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Completed {
    pub(crate) entry: LocalEntry,
    pub(crate) from: ServedFrom,
    pub(crate) stored: bool,
}

/// Most keys of a shard whose failures in a row are remembered.
const SETBACKS: usize = 256;

/// All flights of a cache.
#[derive(Debug)]
pub(crate) struct Flights {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    next_id: AtomicU64,
}

#[derive(Debug, Default)]
struct Shard {
    flights: HashMap<Key, Flight>,
    setbacks: HashMap<Key, Setback>,
    /// How often an entry of these keys was changed, or may have been.
    changes: u64,
}

#[derive(Debug)]
struct Flight {
    id: u64,
    /// What the key stood under when the flight began.
    ticket: Ticket,
    begun: Mono,
    progress: watch::Receiver<Progress>,
}

/// Failures of a key in a row.
#[derive(Debug)]
struct Setback {
    failures: u32,
    /// When they are forgotten.
    until: Mono,
}

/// What a key stands under in this process at a moment. Noted before a tier is read or a load begun,
/// it tells afterwards whether what came of it may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// The place of the key's service.
    pub(crate) service: u32,
    /// The guards of everything and of the service.
    pub(crate) sum: u64,
    /// The service's tag epoch.
    pub(crate) epoch: u64,
    /// The changes of the key and its neighbours.
    pub(crate) changes: u64,
}

impl Ticket {
    /// Whether a flight begun under this ticket may be joined by somebody with `later`.
    fn admits(&self, later: &Self) -> bool {
        (self.sum == later.sum && self.epoch == later.epoch) || cfg!(mutant = "flight-guard")
    }
}

/// How far a flight has come, as those who wait for it see it.
#[derive(Debug, Clone)]
enum Progress {
    /// It is under way; a stale value has been found for those who do not want to wait.
    Flying { fallback: Option<LocalEntry> },
    /// It has ended; with a failure the stale value may still serve.
    Ended { completion: Completion, fallback: Option<LocalEntry> },
}

/// What a caller who misses becomes.
#[derive(Debug)]
pub(crate) enum Joined {
    /// The one who loads.
    Lead(Leader),
    /// One who waits for the load of another, or is told of one that just failed.
    Wait(Waiter),
}

impl Default for Flights {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            next_id: AtomicU64::new(0),
        }
    }
}

impl Flights {
    /// Joins the flight of `key`, or begins one under `ticket`.
    pub(crate) fn join(self: &Arc<Self>, key: &Key, ticket: Ticket, now: Mono) -> Joined {
        let mut shard = self.shard(key);
        if let Some(flight) = shard.flights.get(key)
            && flight.ticket.admits(&ticket)
        {
            return Joined::Wait(Waiter(flight.progress.clone()));
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (sender, progress) = watch::channel(Progress::Flying { fallback: None });
        shard.flights.insert(key.clone(), Flight { id, ticket, begun: now, progress });
        Joined::Lead(Leader { key: key.clone(), id, ticket, sender, flights: self.clone() })
    }

    /// Carries out `change` of the entry of `key`, such that nothing that was begun before it is
    /// stored after it.
    pub(crate) fn fence<R>(&self, key: &Key, change: impl FnOnce() -> R) -> R {
        let mut shard = self.shard(key);
        if !cfg!(mutant = "local-fence") {
            shard.flights.remove(key);
        }
        shard.setbacks.remove(key);
        shard.changes += 1;
        change()
    }

    /// How often `key`, or a neighbour, was changed so far.
    pub(crate) fn changes(&self, key: &Key) -> u64 {
        self.shard(key).changes
    }

    /// Carries out `keep` unless `key`, or a neighbour, was changed since `ticket` was taken.
    pub(crate) fn unless_changed(&self, key: &Key, ticket: &Ticket, keep: impl FnOnce()) {
        let shard = self.shard(key);
        if shard.changes == ticket.changes || cfg!(mutant = "copy-ticket") {
            keep();
        }
    }

    /// Ends a change that took time, and was begun with a [`fence`](Self::fence) before `ticket` was
    /// taken: nothing that was begun while it lasted is stored after it. `change` is told whether
    /// the key was left alone meanwhile.
    pub(crate) fn end_change(&self, key: &Key, ticket: &Ticket, change: impl FnOnce(bool)) {
        let mut shard = self.shard(key);
        let unchanged = shard.changes == ticket.changes;
        if !cfg!(mutant = "local-fence") {
            shard.flights.remove(key);
        }
        shard.changes += 1;
        change(unchanged);
    }

    /// Takes note of another failure of `key`: for how long it answers for the key, given the first
    /// and the longest back-off.
    pub(crate) fn set_back(
        &self,
        key: &Key,
        now: Mono,
        (first, longest): (Duration, Duration),
    ) -> (u32, Duration) {
        let mut shard = self.shard(key);
        let before = shard.setbacks.get(key).filter(|setback| now < setback.until);
        let failures = before.map_or(0, |setback| setback.failures).saturating_add(1);
        let times = 1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX);
        let span = first.saturating_mul(times).min(longest.max(first));
        if shard.setbacks.len() >= SETBACKS {
            shard.setbacks.retain(|_, setback| now < setback.until);
        }
        if shard.setbacks.len() < SETBACKS {
            let until = now.after(span.saturating_mul(3));
            shard.setbacks.insert(key.clone(), Setback { failures, until });
        }
        (failures, span)
    }

    /// Takes note that others have failed to load `key` so often.
    pub(crate) fn heard_of_failures(&self, key: &Key, failures: u32, until: Mono) {
        let mut shard = self.shard(key);
        if shard.setbacks.len() < SETBACKS {
            let setback = shard.setbacks.entry(key.clone()).or_insert(Setback { failures, until });
            setback.failures = setback.failures.max(failures);
            setback.until = setback.until.max(until);
        }
    }

    /// Keys whose flights have been under way for longer than `limit`.
    pub(crate) fn stuck(&self, now: Mono, limit: Duration) -> usize {
        let is_stuck = |flight: &&Flight| {
            now.since(flight.begun) > limit
                && matches!(*flight.progress.borrow(), Progress::Flying { .. })
        };
        let stuck = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.flights.values().filter(is_stuck).count()
        };
        self.shards.iter().map(stuck).sum()
    }

    /// Takes the flight `id` off the table, if it is still there.
    fn forget(&self, key: &Key, id: u64) {
        let mut shard = self.shard(key);
        if shard.flights.get(key).is_some_and(|flight| flight.id == id) {
            shard.flights.remove(key);
        }
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        let hash = self.hasher.hash_one(key);
        let place = usize::try_from(hash % SHARDS as u64).unwrap_or(0);
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The duty to load a key and to tell the others. Dropped, it tells them that the load was.
#[derive(Debug)]
pub(crate) struct Leader {
    pub(crate) key: Key,
    pub(crate) ticket: Ticket,
    id: u64,
    sender: watch::Sender<Progress>,
    flights: Arc<Flights>,
}

impl Leader {
    /// One more caller who waits for this load.
    pub(crate) fn waiter(&self) -> Waiter {
        Waiter(self.sender.subscribe())
    }

    /// Ends the flight with a value, told to all who wait; `keep` is carried out if the key has not
    /// changed meanwhile, and says whether it is stored.
    pub(crate) fn complete(self, entry: LocalEntry, keep: impl FnOnce(LocalEntry) -> bool) -> bool {
        let stored = {
            let mut shard = self.flights.shard(&self.key);
            let current = self.is_current(&shard);
            if current {
                shard.flights.remove(&self.key);
                shard.setbacks.remove(&self.key);
                // Copies of what was there before are not to be made any more.
                shard.changes += 1;
            }
            current && keep(entry.clone())
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
        FailedFlight(self)
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
pub(crate) struct FailedFlight(Leader);

impl FailedFlight {
    pub(crate) fn key(&self) -> &Key {
        &self.0.key
    }
}

/// A caller who waits for a load.
#[derive(Debug)]
pub(crate) struct Waiter(watch::Receiver<Progress>);

/// What a waiting caller is told next.
pub(crate) enum News {
    /// There is a stale value, should the load take long.
    Fallback,
    /// The load has ended, with the stale value that there is.
    Ended(Completion, Option<LocalEntry>),
}

impl Waiter {
    /// Whether the load has ended before this caller came.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(*self.0.borrow(), Progress::Ended { .. })
    }

    /// The end of the load, or before it, once, that there is a stale value.
    pub(crate) async fn news(&mut self) -> News {
        loop {
            let progress = self.0.borrow_and_update().clone();
            match progress {
                Progress::Flying { fallback: Some(_) } => return News::Fallback,
                Progress::Ended { completion, fallback } => {
                    return News::Ended(completion, fallback);
                }
                Progress::Flying { fallback: None } => {}
            }
            if self.0.changed().await.is_err() {
                return News::Ended(Err(LoadError::Cancelled), None);
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
    pub(crate) async fn end(&mut self) -> (Completion, Option<LocalEntry>) {
        let ended = |progress: &Progress| matches!(progress, Progress::Ended { .. });
        match self.0.wait_for(ended).await.as_deref() {
            Ok(Progress::Ended { completion, fallback }) => (completion.clone(), fallback.clone()),
            _ => (Err(LoadError::Cancelled), None),
        }
    }
}
