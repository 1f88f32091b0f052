//! Flights: at most one running load per key, and the fence that keeps an old load from being
//! stored over something newer.
//!
//! A key has a flight from the moment a load is begun until its result is stored, or, after a
//! failure, until the back-off ends. Whoever changes the key takes its flight off the table: the
//! load then still answers those who wait for it, and stores nothing. A flight that was begun before
//! the key's service was cleared, or one of its tags invalidated, is joined by nobody any more.

mod crew;
mod lent;

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rucache_core::{Key, Mono};
use tokio::sync::watch;

use crate::Timing;
use crew::Progress;
pub(crate) use crew::{Completed, Completion, FailedFlight, Leader, Waiter};

/// Locks that the flights are spread over; changes of different keys rarely meet.
const SHARDS: usize = 64;

/// Most keys of a shard whose failures in a row are remembered.
const SETBACKS: usize = 256;

/// All flights of a cache.
#[derive(Debug)]
pub(crate) struct Flights {
    shards: Box<[Mutex<Shard>]>,
    /// The same in every run: which keys are neighbours must not be chance.
    hasher: BuildHasherDefault<DefaultHasher>,
    next_id: AtomicU64,
}

#[derive(Debug, Default)]
struct Shard {
    flights: HashMap<Key, Flight>,
    setbacks: HashMap<Key, Setback>,
    /// Keys whose lease this process may hold without knowing, and until when.
    astray: HashMap<Key, Mono>,
    lent: lent::Lent,
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
    /// How often this process has cleared them.
    pub(crate) cleared: u64,
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
            hasher: BuildHasherDefault::default(),
            next_id: AtomicU64::new(0),
        }
    }
}

impl Flights {
    /// Joins the flight of `key`, or begins one under `ticket`.
    pub(crate) fn join(self: &Arc<Self>, key: &Key, ticket: Ticket, now: Mono) -> Joined {
        self.join_in(&mut self.shard(key), key, ticket, now)
    }

    /// The same, if neither `key` nor a neighbour was changed since `ticket` was taken.
    pub(crate) fn join_unchanged(
        self: &Arc<Self>,
        key: &Key,
        ticket: Ticket,
        now: Mono,
    ) -> Option<Joined> {
        let mut shard = self.shard(key);
        let unchanged = shard.changes == ticket.changes;
        unchanged.then(|| self.join_in(&mut shard, key, ticket, now))
    }

    fn join_in(
        self: &Arc<Self>,
        shard: &mut Shard,
        key: &Key,
        ticket: Ticket,
        now: Mono,
    ) -> Joined {
        if let Some(flight) = shard.flights.get(key)
            && flight.ticket.admits(&ticket)
        {
            return Joined::Wait(Waiter::of(&flight.progress));
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (leader, progress) = Leader::of(key.clone(), ticket, id, self.clone());
        shard.flights.insert(key.clone(), Flight { id, ticket, begun: now, progress });
        Joined::Lead(leader)
    }

    /// Carries out `change` of the entry of `key`, such that nothing that was begun before it is
    /// stored after it.
    pub(crate) fn fence<R>(&self, key: &Key, change: impl FnOnce() -> R) -> R {
        let mut shard = self.shard(key);
        if !cfg!(mutant = "local-fence") {
            shard.flights.remove(key);
        }
        shard.setbacks.remove(key);
        shard.astray.remove(key);
        shard.lent.void(key);
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
        shard.lent.void(key);
        shard.changes += 1;
        change(unchanged);
    }

    /// Takes note of another failure of `key`: how many there were in a row, and for how long this
    /// one answers for the key.
    pub(crate) fn set_back(&self, key: &Key, now: Mono, timing: &Timing) -> (u32, Duration) {
        let mut shard = self.shard(key);
        let before = shard.setbacks.get(key).filter(|setback| now < setback.until);
        let failures = before.map_or(0, |setback| setback.failures).saturating_add(1);
        let times = 1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX);
        let longest = timing.max_back_off.max(timing.back_off);
        let span = timing.back_off.saturating_mul(times).min(longest);
        if shard.setbacks.len() >= SETBACKS {
            shard.setbacks.retain(|_, setback| now < setback.until);
        }
        if shard.setbacks.len() < SETBACKS || shard.setbacks.contains_key(key) {
            // The next failure comes after the next load, which may take its time.
            let until = now.after(span.saturating_mul(3) + timing.load_deadline);
            shard.setbacks.insert(key.clone(), Setback { failures, until });
        }
        (failures, span)
    }

    /// Takes note that the answer about the lease of `key` was lost: it may be held by this process,
    /// for nobody, until then.
    pub(crate) fn lease_went_astray(&self, key: &Key, now: Mono, until: Mono) {
        let mut shard = self.shard(key);
        if shard.astray.len() >= SETBACKS {
            shard.astray.retain(|_, until| now < *until);
        }
        if shard.astray.len() < SETBACKS {
            shard.astray.insert(key.clone(), until);
        }
    }

    /// Takes note that the lease of `key` is known to be somebody's, or nobody's.
    pub(crate) fn lease_is_known(&self, key: &Key) {
        self.shard(key).astray.remove(key);
    }

    /// Whether the lease of `key` may be held by this process for nobody.
    pub(crate) fn is_lease_astray(&self, key: &Key, now: Mono) -> bool {
        let mut shard = self.shard(key);
        let astray = shard.astray.get(key).copied();
        if astray.is_some_and(|until| now >= until) {
            shard.astray.remove(key);
        }
        astray.is_some_and(|until| now < until)
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
