//! One node: its connections, its deadline, its circuit, and what is told of it.

mod clock;
mod health;
mod reads;
mod recovery;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rucache_core::breaker::{Admission, CallOutcome, CircuitState};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};

use crate::client::{Answer, Client, Command, Name};
use crate::error::Trouble;
use crate::{MemcachedConfig, Server};

pub(crate) use clock::Clock;
use health::Health;
pub(crate) use reads::Found;
use reads::Reads;
pub(crate) use recovery::Listeners;

/// One memcached. Its calls end at their deadline, and at once while its circuit is open.
pub(crate) struct Node {
    server: Server,
    timeout: Duration,
    connect_timeout: Duration,
    max_connections: usize,
    clock: Clock,
    health: Mutex<Health>,
    /// Resolved by the first call that needs it; replaced when it does not recover.
    client: Mutex<Arc<OnceCell<Client>>>,
    reads: Reads,
    listeners: Arc<Listeners>,
}

impl Node {
    pub(crate) fn new(
        server: Server,
        config: &MemcachedConfig,
        clock: &Clock,
        listeners: &Arc<Listeners>,
    ) -> Self {
        Self {
            server,
            timeout: config.timeout,
            connect_timeout: config.connect_timeout,
            max_connections: config.max_connections,
            clock: clock.clone(),
            health: Mutex::default(),
            client: Mutex::default(),
            reads: Reads::default(),
            listeners: listeners.clone(),
        }
    }

    /// `host:port`.
    pub(crate) fn name(&self) -> &str {
        self.server.as_str()
    }

    /// Carries out `commands` in their order, in one round trip.
    pub(crate) async fn run(
        self: &Arc<Self>,
        commands: &[Command],
        deadline: Instant,
    ) -> Vec<Result<Answer, Trouble>> {
        if !self.health().takes_calls() {
            return failed(Trouble::CircuitOpen, commands.len());
        }
        self.call(deadline, commands.len(), async |client| client.run(commands).await).await
    }

    /// A sign of life.
    pub(crate) async fn ping(self: &Arc<Self>, deadline: Instant) -> Result<(), Trouble> {
        if !self.health().takes_calls() {
            return Err(Trouble::CircuitOpen);
        }
        let answers = self.call(deadline, 1, async |client| vec![client.ping().await]).await;
        answers.into_iter().next().unwrap_or(Err(Trouble::Garbled))
    }

    /// Whether entries may be read: not while missed invalidations are being delivered.
    pub(crate) fn check_reads(&self) -> Result<(), Trouble> {
        self.health().check_reads()
    }

    /// What stands under each of `names`, with its value, in a round trip apart from others'.
    pub(crate) async fn read_apart(self: &Arc<Self>, names: &[Name], deadline: Instant) -> Found {
        if !self.health().takes_calls() {
            return failed(Trouble::CircuitOpen, names.len());
        }
        let found = self.call(deadline, names.len(), async |client| client.read(names).await).await;
        let broke = |answer: &Result<_, Trouble>| matches!(answer, Err(Trouble::Broken(_)));
        if !found.iter().any(broke) {
            return found;
        }
        // The server closed the connection, perhaps long ago: a read is safe to be sent again, once.
        self.call(deadline, names.len(), async |client| client.read(names).await).await
    }

    /// One exchange, whose outcome is counted.
    async fn call<T>(
        self: &Arc<Self>,
        deadline: Instant,
        answers: usize,
        exchange: impl AsyncFnOnce(Client) -> Vec<Result<T, Trouble>>,
    ) -> Vec<Result<T, Trouble>> {
        let (used, admission) = (self.current(), self.health().admit());
        let called = timeout_at(deadline, async {
            match self.client(&used).await {
                Ok(client) => exchange(client).await,
                Err(trouble) => failed(trouble, answers),
            }
        });
        let results = called.await.unwrap_or_else(|_| failed(Trouble::Deadline, answers));
        let worst = results.iter().filter_map(|result| result.as_ref().err());
        let worst = worst.copied().find(|trouble| trouble.outcome() == CallOutcome::Failed);
        self.record(&used, admission, worst);
        results
    }

    async fn client(&self, used: &OnceCell<Client>) -> Result<Client, Trouble> {
        let resolve = || Client::resolve(self.name(), self.connect_timeout, self.max_connections);
        used.get_or_try_init(resolve).await.cloned()
    }

    /// Counts the outcome of a call over `used`.
    fn record(
        self: &Arc<Self>,
        used: &Arc<OnceCell<Client>>,
        admission: Admission,
        worst: Option<Trouble>,
    ) {
        let mut health = self.health();
        let opened = health.record(admission, worst, self.clock.now(), self.clock.random());
        if health.wants_new_client(worst) {
            self.replace(used);
        }
        drop(health);
        if opened == Some(CircuitState::Open) {
            recovery::start(self);
        }
    }

    /// Lets go of the connections of `used`, unless somebody has done so already. The next call
    /// resolves the address anew.
    fn replace(&self, used: &Arc<OnceCell<Client>>) {
        let mut current = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, used) {
            *current = Arc::default();
        }
    }

    fn current(&self) -> Arc<OnceCell<Client>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed<T>(trouble: Trouble, answers: usize) -> Vec<Result<T, Trouble>> {
    (0..answers).map(|_| Err(trouble)).collect()
}
