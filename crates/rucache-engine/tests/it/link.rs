//! The way from a process to a store: counts calls, fails them, holds them up, and tells of changes
//! when the test wants.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use async_trait::async_trait;
use rucache_core::emulation::Emulated;
use rucache_core::{
    Answers, Backend, Capabilities, Change, Companions, Error, ErrorKind, Fetched, Info, Key,
    KeyPage, Lease, LeaseEnd, LeaseHold, LeaseRequest, Listener, MapEntry, MapPage, Marker,
    MarkerRef, MarkerVersion, Operation, ServiceName, Timestamp, Ttl, Write, WriteOutcome,
};
use tokio::sync::oneshot;

use crate::map_store::MapStore;

/// A process's way to the store.
pub(crate) struct Link {
    store: Arc<Emulated<MapStore>>,
    pushes: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    listeners: Vec<Weak<dyn Listener>>,
    calls: Vec<Operation>,
    faults: VecDeque<(Operation, Fault)>,
    down: Option<ErrorKind>,
    spoiled: Option<Key>,
    tells: Tells,
}

/// What becomes of a call.
enum Fault {
    /// It fails, and nothing happens.
    Fails(ErrorKind),
    /// It is carried out, and its answer is lost.
    LosesAnswer,
    /// It brings no answers at all.
    AnswersNothing,
    /// It is carried out once the gate is open.
    Waits(oneshot::Receiver<()>),
    /// It is carried out, and answers once the gate is open.
    AnswersLate(oneshot::Receiver<()>),
}

/// When changes are told.
#[derive(Default)]
enum Tells {
    #[default]
    AtOnce,
    Later(Vec<Change>),
    Never,
}

/// A call that is held up, until it is opened or dropped.
pub(crate) struct Gate(oneshot::Sender<()>);

impl Gate {
    pub(crate) fn open(self) {
        drop(self.0);
    }
}

impl Link {
    pub(crate) fn new(store: &Arc<Emulated<MapStore>>, pushes: bool) -> Arc<Self> {
        let link = Arc::new(Self { store: store.clone(), pushes, state: Mutex::default() });
        let listener: Weak<dyn Listener> = Arc::<Self>::downgrade(&link);
        store.subscribe(listener);
        link
    }

    /// The calls since the last time.
    pub(crate) fn calls(&self) -> Vec<Operation> {
        std::mem::take(&mut self.state().calls)
    }

    /// The next `operation` fails without effect.
    pub(crate) fn fail(&self, operation: Operation, kind: ErrorKind) {
        self.state().faults.push_back((operation, Fault::Fails(kind)));
    }

    /// The next `operation` takes effect, and nobody learns that.
    pub(crate) fn lose_answer(&self, operation: Operation) {
        self.state().faults.push_back((operation, Fault::LosesAnswer));
    }

    /// The next `operation` brings fewer answers than it was asked for.
    pub(crate) fn answer_nothing(&self, operation: Operation) {
        self.state().faults.push_back((operation, Fault::AnswersNothing));
    }

    /// The next `operation` takes effect when the gate is opened.
    pub(crate) fn hold(&self, operation: Operation) -> Gate {
        let (sender, gate) = oneshot::channel();
        self.state().faults.push_back((operation, Fault::Waits(gate)));
        Gate(sender)
    }

    /// The next `operation` takes effect at once, and answers when the gate is opened.
    pub(crate) fn hold_answer(&self, operation: Operation) -> Gate {
        let (sender, gate) = oneshot::channel();
        self.state().faults.push_back((operation, Fault::AnswersLate(gate)));
        Gate(sender)
    }

    /// Every call fails, and nothing is told, until the link is [`up`](Self::up) again.
    pub(crate) fn down(&self) {
        self.state().down = Some(ErrorKind::Unreachable);
    }

    pub(crate) fn up(&self) {
        self.state().down = None;
    }

    /// Reads of this key fail, whatever else is in their batch.
    pub(crate) fn spoil(&self, key: &Key) {
        self.state().spoiled = Some(key.clone());
    }

    /// Changes are kept back until [`tell`](Self::tell).
    pub(crate) fn keep_changes(&self) {
        self.state().tells = Tells::Later(Vec::new());
    }

    /// Tells the changes that were kept back, and all others at once.
    pub(crate) fn tell(&self) {
        let kept = std::mem::take(&mut self.state().tells);
        if let Tells::Later(changes) = kept {
            changes.into_iter().for_each(|change| self.say(&change));
        }
    }

    /// Changes are not told any more, and nobody notices.
    pub(crate) fn mute(&self) {
        self.state().tells = Tells::Never;
    }

    pub(crate) fn unmute(&self) {
        self.state().tells = Tells::AtOnce;
    }

    /// Tells `change` as an adapter does of its own accord.
    pub(crate) fn say(&self, change: &Change) {
        for listener in self.listeners() {
            listener.changed(change.clone());
        }
    }

    pub(crate) fn listeners(&self) -> Vec<Arc<dyn Listener>> {
        self.state().listeners.iter().filter_map(Weak::upgrade).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn begin(&self, operation: Operation) -> Option<Fault> {
        let mut state = self.state();
        state.calls.push(operation);
        if let Some(kind) = state.down {
            return Some(Fault::Fails(kind));
        }
        let at = state.faults.iter().position(|(of, _)| *of == operation)?;
        state.faults.remove(at).map(|(_, fault)| fault)
    }

    async fn carry<T>(
        &self,
        operation: Operation,
        requests: usize,
        call: impl Future<Output = Answers<T>>,
    ) -> Answers<T> {
        let failed = |kind| {
            let error = || Err(Error::new(kind, "link", operation));
            std::iter::repeat_with(error).take(requests).collect()
        };
        match self.begin(operation) {
            None => call.await,
            Some(Fault::Fails(kind)) => failed(kind),
            Some(Fault::LosesAnswer) => {
                drop(call.await);
                failed(ErrorKind::Timeout)
            }
            Some(Fault::AnswersNothing) => Vec::new(),
            Some(Fault::Waits(gate)) => {
                drop(gate.await);
                call.await
            }
            Some(Fault::AnswersLate(gate)) => {
                let answers = call.await;
                drop(gate.await);
                answers
            }
        }
    }
}

/// The store tells the link; the link tells its process.
#[async_trait]
impl Listener for Link {
    fn changed(&self, change: Change) {
        let mut state = self.state();
        if !self.pushes || state.down.is_some() {
            return;
        }
        match &mut state.tells {
            Tells::AtOnce => {}
            Tells::Later(kept) => return kept.push(change),
            Tells::Never => return,
        }
        drop(state);
        self.say(&change);
    }

    fn node_down(&self, _: &str) {}

    async fn node_recovering(&self, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn node_up(&self, _: &str) {}
}

#[async_trait]
impl Backend for Link {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.store.capabilities();
        capabilities.push = self.pushes;
        capabilities
    }

    async fn get_many(&self, keys: &[Key], companions: Companions) -> Answers<Fetched> {
        let call = self.store.get_many(keys, companions);
        let mut answers = self.carry(Operation::Get, keys.len(), call).await;
        let spoiled = self.state().spoiled.clone();
        for (key, answer) in keys.iter().zip(&mut answers) {
            if Some(key) == spoiled.as_ref() {
                *answer = Err(Error::new(ErrorKind::Timeout, "link", Operation::Get));
            }
        }
        answers
    }

    async fn write_many(&self, writes: &[Write]) -> Answers<WriteOutcome> {
        self.carry(Operation::Write, writes.len(), self.store.write_many(writes)).await
    }

    async fn delete_many(&self, keys: &[Key]) -> Answers<bool> {
        self.carry(Operation::Delete, keys.len(), self.store.delete_many(keys)).await
    }

    async fn expire_many(&self, keys: &[Key]) -> Answers<bool> {
        self.carry(Operation::Expire, keys.len(), self.store.expire_many(keys)).await
    }

    async fn lease_many(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
        self.carry(Operation::Lease, requests.len(), self.store.lease_many(requests)).await
    }

    async fn renew_many(&self, holds: &[LeaseHold], ttl: Ttl) -> Answers<bool> {
        self.carry(Operation::Renew, holds.len(), self.store.renew_many(holds, ttl)).await
    }

    async fn release_many(&self, ends: &[LeaseEnd]) -> Answers<bool> {
        self.carry(Operation::Release, ends.len(), self.store.release_many(ends)).await
    }

    async fn add_many(&self, additions: &[(Key, u64)], ttl: Ttl) -> Answers<u64> {
        self.carry(Operation::Add, additions.len(), self.store.add_many(additions, ttl)).await
    }

    async fn markers(&self, at: &[MarkerRef], seed: MarkerVersion) -> Answers<MarkerVersion> {
        self.carry(Operation::Markers, at.len(), self.store.markers(at, seed)).await
    }

    async fn bump(&self, markers: &[Marker], seed: MarkerVersion) -> Answers<()> {
        self.carry(Operation::Bump, markers.len(), self.store.bump(markers, seed)).await
    }

    async fn map_put(&self, map: &Key, entries: &[MapEntry], now: Timestamp) -> Result<u64, Error> {
        self.store.map_put(map, entries, now).await
    }

    async fn map_remove(
        &self,
        map: &Key,
        members: &[String],
        now: Timestamp,
    ) -> Result<u64, Error> {
        self.store.map_remove(map, members, now).await
    }

    async fn map_page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Error> {
        self.store.map_page(map, cursor, limit, now).await
    }

    async fn map_len(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        self.store.map_len(map, now).await
    }

    async fn map_purge(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        self.store.map_purge(map, now).await
    }

    async fn scan(
        &self,
        service: &ServiceName,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<KeyPage, Error> {
        self.store.scan(service, cursor, limit).await
    }

    fn subscribe(&self, listener: Weak<dyn Listener>) {
        self.state().listeners.push(listener);
    }

    async fn ping(&self) -> Result<(), Error> {
        let answered = self.carry(Operation::Ping, 1, async { vec![self.store.ping().await] });
        answered.await.pop().unwrap_or(Ok(()))
    }

    async fn info(&self) -> Result<Info, Error> {
        self.store.info().await
    }
}
