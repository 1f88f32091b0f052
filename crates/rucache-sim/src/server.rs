//! The shared store: one server, whose every command is one step, and which can forget.

mod data;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rucache_core::{Change, Companions, Envelope, Key, Marker, Timestamp};

use crate::random::Random;
use crate::runtime::true_wall;
use crate::scheduler::Scheduler;
use crate::source::Fact;
pub(crate) use data::Data;

/// Somebody to whom the server pushes changes.
pub(crate) trait Audience: Send + Sync {
    /// Something changed just now.
    fn hear(&self, change: &Change);
}

/// What was lost for lack of room.
#[derive(Debug, Clone)]
pub(crate) enum Loss {
    /// An entry with its lease.
    Entry(Key),
    /// A lease, or a back-off note's place, without the entry.
    Lease(Key),
    /// A marker.
    Marker(Marker),
}

/// A server. Its life's number is what a store calls its `run_id`.
pub(crate) struct Server {
    scheduler: Scheduler,
    state: Mutex<State>,
}

struct State {
    life: u64,
    data: Data,
    snapshot: Option<Data>,
    random: Random,
    audience: Vec<Weak<dyn Audience>>,
}

impl Server {
    pub(crate) fn new(scheduler: Scheduler, random: Random) -> Self {
        let state =
            State { life: 0, data: Data::default(), snapshot: None, random, audience: Vec::new() };
        Self { scheduler, state: Mutex::new(state) }
    }

    /// Carries out one command, and pushes what it changed.
    pub(crate) fn carry_out<T>(
        &self,
        command: impl FnOnce(&mut Data, Timestamp, &mut Random) -> T,
    ) -> T {
        let now = true_wall(self.scheduler.now());
        let mut state = self.lock();
        let State { data, random, .. } = &mut *state;
        let answer = command(data, now, random);
        let changes = data.take_changes();
        let audience = state.alive();
        drop(state);
        for change in changes {
            audience.iter().for_each(|one| one.hear(&change));
        }
        answer
    }

    /// Its life's number: another one means that connections are broken and things forgotten.
    pub(crate) fn life(&self) -> u64 {
        self.lock().life
    }

    /// Tells `audience` of changes from now on.
    pub(crate) fn add_audience(&self, audience: Weak<dyn Audience>) {
        self.lock().audience.push(audience);
    }

    /// Keeps what it has now, to be put back.
    pub(crate) fn take_snapshot(&self) {
        let mut state = self.lock();
        state.snapshot = Some(state.data.clone());
    }

    /// Begins a new life with nothing.
    pub(crate) fn restart(&self) {
        let mut state = self.lock();
        state.life += 1;
        state.data = Data::default();
        state.snapshot = None;
    }

    /// Begins a new life with what it had once; `false` when nothing was kept.
    pub(crate) fn restore(&self) -> bool {
        let mut state = self.lock();
        let Some(snapshot) = state.snapshot.take() else { return false };
        state.life += 1;
        state.data = snapshot;
        true
    }

    /// Drops something at random; what it was.
    pub(crate) fn evict(&self, random: &mut Random) -> Option<Loss> {
        self.carry_out(|data, now, _| data.evict(random, now))
    }

    /// The version of the source that it holds under `key`.
    pub(crate) fn stored(&self, key: &Key) -> Option<u64> {
        let now = true_wall(self.scheduler.now());
        let fetched = self.lock().data.get(key, Companions::None, now);
        let envelope = Envelope::decode(&fetched.entry?.value, key).ok()?;
        let fact: Fact = serde_json::from_slice(&envelope.payload).ok()?;
        Some(fact.version)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn alive(&mut self) -> Vec<Arc<dyn Audience>> {
        self.audience.retain(|one| one.strong_count() > 0);
        self.audience.iter().filter_map(Weak::upgrade).collect()
    }
}
