//! The contract as the simplest code that keeps it.

mod state;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use rucache_core::{
    Answers, Backend, Capabilities, Change, Companions, Error, ErrorKind, Fetched, Info, Key,
    KeyPage, Lease, LeaseEnd, LeaseHold, LeaseRequest, Listener, MapEntry, MapPage, Marker,
    MarkerRef, MarkerVersion, Operation, Runtime, ServiceName, Timestamp, Ttl, Write, WriteOutcome,
};

use state::State;

const NAME: &str = "model";

/// A backend in a few plain maps under one lock, to be read beside the contract and to be compared
/// with.
///
/// It is unbounded and slow: every operation walks everything it holds.
pub struct Model {
    runtime: Arc<dyn Runtime>,
    state: Mutex<State>,
    listeners: Mutex<Vec<Weak<dyn Listener>>>,
}

impl Model {
    /// An empty model whose time is the runtime's.
    #[must_use]
    pub fn new(runtime: Arc<dyn Runtime>) -> Self {
        Self { runtime, state: Mutex::default(), listeners: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.pass_time(self.runtime.now());
        state
    }

    fn tell(&self, change: &Change) {
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for listener in listeners.iter().filter_map(Weak::upgrade) {
            listener.changed(change.clone());
        }
    }

    fn tell_entry(&self, key: &Key) {
        self.tell(&Change::Entries(vec![key.clone()]));
    }

    fn write(&self, write: &Write) -> Result<WriteOutcome, Error> {
        if write.value.len() > self.capabilities().max_value_len {
            self.state().delete(&write.key);
            self.tell_entry(&write.key);
            return Err(Error::new(ErrorKind::TooLarge, NAME, Operation::Write));
        }
        let outcome = self.state().write(write, self.runtime.now());
        self.tell_entry(&write.key);
        Ok(outcome)
    }
}

#[async_trait]
impl Backend for Model {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(NAME);
        // Of its one process it knows everything.
        capabilities.push = true;
        capabilities.scan = true;
        capabilities
    }

    async fn get_many(&self, keys: &[Key], companions: Companions) -> Answers<Fetched> {
        let state = self.state();
        let fetch = |key| {
            let companions = match companions {
                Companions::None => Fetched::default(),
                Companions::Markers => state.companions(key),
            };
            Ok(Fetched { entry: state.read(key), ..companions })
        };
        keys.iter().map(fetch).collect()
    }

    async fn write_many(&self, writes: &[Write]) -> Answers<WriteOutcome> {
        writes.iter().map(|write| self.write(write)).collect()
    }

    async fn delete_many(&self, keys: &[Key]) -> Answers<bool> {
        let answers = keys.iter().map(|key| Ok(self.state().delete(key))).collect();
        keys.iter().for_each(|key| self.tell_entry(key));
        answers
    }

    async fn expire_many(&self, keys: &[Key]) -> Answers<bool> {
        let answers = keys.iter().map(|key| Ok(self.state().expire(key))).collect();
        keys.iter().for_each(|key| self.tell_entry(key));
        answers
    }

    async fn lease_many(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
        let now = self.runtime.now();
        requests.iter().map(|request| Ok(self.state().lease(request, now))).collect()
    }

    async fn renew_many(&self, holds: &[LeaseHold], ttl: Ttl) -> Answers<bool> {
        let now = self.runtime.now();
        holds.iter().map(|hold| Ok(self.state().renew(hold, ttl, now))).collect()
    }

    async fn release_many(&self, ends: &[LeaseEnd]) -> Answers<bool> {
        let now = self.runtime.now();
        ends.iter().map(|end| Ok(self.state().release(end, now))).collect()
    }

    async fn add_many(&self, additions: &[(Key, u64)], ttl: Ttl) -> Answers<u64> {
        let now = self.runtime.now();
        additions.iter().map(|(key, delta)| Ok(self.state().add(key, *delta, ttl, now))).collect()
    }

    async fn markers(&self, at: &[MarkerRef], seed: MarkerVersion) -> Answers<MarkerVersion> {
        at.iter().map(|reference| Ok(self.state().marker(&reference.marker, seed))).collect()
    }

    async fn bump(&self, markers: &[Marker], seed: MarkerVersion) -> Answers<()> {
        for marker in markers {
            self.state().bump(marker, seed);
        }
        self.tell(&Change::Markers(markers.to_vec()));
        markers.iter().map(|_| Ok(())).collect()
    }

    async fn map_put(&self, map: &Key, entries: &[MapEntry], now: Timestamp) -> Result<u64, Error> {
        let mut state = self.state();
        Ok(count(entries.iter().filter(|entry| state.map_put(map, entry, now)).count()))
    }

    async fn map_remove(
        &self,
        map: &Key,
        members: &[String],
        now: Timestamp,
    ) -> Result<u64, Error> {
        let mut state = self.state();
        Ok(count(members.iter().filter(|member| state.map_remove(map, member, now)).count()))
    }

    async fn map_page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Error> {
        Ok(self.state().map_page(map, cursor, limit, now))
    }

    async fn map_len(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        Ok(count(self.state().members(map, now).len()))
    }

    async fn map_purge(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        Ok(count(self.state().map_purge(map, now)))
    }

    /// All keys of the service on one page.
    async fn scan(
        &self,
        service: &ServiceName,
        _cursor: Option<&str>,
        _limit: usize,
    ) -> Result<KeyPage, Error> {
        let state = self.state();
        let keys = state.entries.keys().filter(|key| key.service() == service.as_str());
        Ok(KeyPage { keys: keys.cloned().collect(), next: None })
    }

    fn subscribe(&self, listener: Weak<dyn Listener>) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn info(&self) -> Result<Info, Error> {
        let mut info = Info::default();
        info.items = Some(count(self.state().entries.len()));
        Ok(info)
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("entries", &self.state().entries.len())
            .finish_non_exhaustive()
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
