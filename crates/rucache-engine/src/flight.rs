//! Flights: at most one running load per key, and the fence that keeps an old load from being
//! stored over something newer.
//!
//! A key has a flight from the moment a load is begun until its result is stored, or, after a
//! failure, until the back-off ends. Whoever changes the key takes its flight off the table: the
//! load then still answers those who wait for it, and stores nothing.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rucache_core::{Key, LocalEntry};
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

/// All flights of a cache.
#[derive(Debug)]
pub(crate) struct Flights {
    shards: Box<[Mutex<HashMap<Key, Flight>>]>,
    hasher: RandomState,
    next_id: AtomicU64,
}

#[derive(Debug)]
struct Flight {
    id: u64,
    progress: watch::Receiver<Progress>,
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
    /// Joins the flight of `key`, or begins one.
    pub(crate) fn join(self: &Arc<Self>, key: &Key) -> Joined {
        let mut shard = self.shard(key);
        if let Some(flight) = shard.get(key) {
            return Joined::Wait(Waiter(flight.progress.clone()));
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (sender, progress) = watch::channel(Progress::Flying { fallback: None });
        shard.insert(key.clone(), Flight { id, progress });
        Joined::Lead(Leader { key: key.clone(), id, sender, flights: self.clone() })
    }

    /// Carries out `change` of the entry of `key`, such that no load begun before it is stored
    /// after it.
    pub(crate) fn fence<R>(&self, key: &Key, change: impl FnOnce() -> R) -> R {
        let mut shard = self.shard(key);
        shard.remove(key);
        change()
    }

    /// Keeps readers who come after a change apart from those who came before it, for a change that
    /// takes time: takes the flight of `key` off the table now, and again when the fence is dropped.
    pub(crate) fn fenced<'a>(self: &'a Arc<Self>, key: &'a Key) -> Fenced<'a> {
        self.fence(key, || ());
        Fenced { flights: self, key }
    }

    /// Takes the flight `id` off the table, if it is still there.
    fn forget(&self, key: &Key, id: u64) {
        let mut shard = self.shard(key);
        if shard.get(key).is_some_and(|flight| flight.id == id) {
            shard.remove(key);
        }
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, HashMap<Key, Flight>> {
        let hash = self.hasher.hash_one(key);
        let place = usize::try_from(hash % SHARDS as u64).unwrap_or(0);
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change under way. What joins a flight while it lasts may see the entry from before it, and
/// is told so by nobody: whoever comes after its end begins anew.
pub(crate) struct Fenced<'a> {
    flights: &'a Arc<Flights>,
    key: &'a Key,
}

impl Drop for Fenced<'_> {
    fn drop(&mut self) {
        self.flights.fence(self.key, || ());
    }
}

/// The duty to load a key and to tell the others. Dropped, it tells them that the load was.
#[derive(Debug)]
pub(crate) struct Leader {
    pub(crate) key: Key,
    id: u64,
    sender: watch::Sender<Progress>,
    flights: Arc<Flights>,
}

impl Leader {
    /// One more caller who waits for this load.
    pub(crate) fn waiter(&self) -> Waiter {
        Waiter(self.sender.subscribe())
    }

    /// Ends the flight with a value: stored by `store` if the key has not changed meanwhile, and
    /// told to all who wait. Whether it was stored.
    pub(crate) fn complete(
        self,
        entry: LocalEntry,
        store: impl FnOnce(LocalEntry) -> bool,
    ) -> bool {
        let stored = {
            let mut shard = self.flights.shard(&self.key);
            let current = self.is_current(&shard);
            if current {
                shard.remove(&self.key);
            }
            current && store(entry.clone())
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
            let shard = self.flights.shard(&self.key);
            if self.is_current(&shard) {
                forget();
            }
        }
        self.fail(LoadError::Absent)
    }

    fn is_current(&self, shard: &HashMap<Key, Flight>) -> bool {
        shard.get(&self.key).is_some_and(|flight| flight.id == self.id)
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.flights.forget(&self.key, self.id);
    }
}

/// A flight that failed and still answers for its key, until dropped.
#[derive(Debug)]
pub(crate) struct FailedFlight(
    #[expect(dead_code, reason = "dropping it ends the back-off")] Leader,
);

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
