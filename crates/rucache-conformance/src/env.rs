//! What a clause runs against: a backend, its time, and a namespace nobody else uses.

pub(crate) mod calls;

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rucache_core::{Backend, Key, Runtime, ServiceName, TestRuntime, Timestamp, Ttl};

use crate::Failure;

/// A future that a harness runs to its end, on the stack of the caller.
pub type Job<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A backend under test.
///
/// Every clause gets one of its own and keeps to a random service, so that clauses run at the same
/// time, and again and again against a server that keeps its data.
pub struct Env {
    backend: Arc<dyn Backend>,
    block_on: Box<dyn Fn(Job<'_>) + Send + Sync>,
    advance: Box<dyn Fn(Duration) + Send + Sync>,
    wall: Box<dyn Fn() -> Timestamp + Send + Sync>,
    service: ServiceName,
}

impl Env {
    /// A backend in this process whose time is `runtime`'s: nothing waits, the clock is moved.
    #[must_use]
    pub fn in_process(runtime: &TestRuntime, backend: impl Backend + 'static) -> Self {
        let (runner, clock, wall) = (runtime.clone(), runtime.clone(), runtime.clone());
        Self {
            backend: Arc::new(backend),
            block_on: Box::new(move |job| runner.block_on(job)),
            advance: Box::new(move |span| clock.advance(span)),
            wall: Box::new(move || wall.wall()),
            service: random_service(),
        }
    }

    /// A backend outside of this process: letting time pass is waiting. `block_on` runs a future to
    /// its end on the caller's thread; several threads call it at the same time.
    #[must_use]
    pub fn in_real_time(
        backend: impl Backend + 'static,
        block_on: impl Fn(Job<'_>) + Send + Sync + 'static,
    ) -> Self {
        Self {
            backend: Arc::new(backend),
            block_on: Box::new(block_on),
            advance: Box::new(std::thread::sleep),
            wall: Box::new(real_wall),
            service: random_service(),
        }
    }

    /// The backend itself, for what the calls of this type do not say.
    #[must_use]
    pub fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    /// Runs `future` to its end.
    pub fn run<T: Send>(&self, future: impl Future<Output = T> + Send) -> Result<T, Failure> {
        let mut output = None;
        (self.block_on)(Box::pin(async { output = Some(future.await) }));
        output.ok_or_else(|| Failure::new("the harness's block_on returned before the future did"))
    }

    /// Lets `span` pass.
    pub fn advance(&self, span: Duration) {
        (self.advance)(span);
    }

    /// Lets `ttl` pass, and the two seconds that a store may be late.
    pub fn pass(&self, ttl: Ttl) {
        self.advance(ttl.as_duration() + LATENESS);
    }

    /// The wall clock that the backend lives by.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        (self.wall)()
    }

    /// The service of this run.
    #[must_use]
    pub const fn service(&self) -> &ServiceName {
        &self.service
    }

    /// A service whose name begins with that of this run.
    ///
    /// # Errors
    ///
    /// None: the names are short.
    pub fn sibling_service(&self) -> Result<ServiceName, Failure> {
        let name = format!("{}abc", self.service);
        ServiceName::new(&name).map_err(|invalid| Failure::new(invalid.to_string()))
    }

    /// The key called `name` in the service of this run.
    ///
    /// # Errors
    ///
    /// When `name` is no name of a key.
    pub fn key(&self, name: &str) -> Result<Key, Failure> {
        Key::new(&self.service, name).map_err(|invalid| Failure::new(invalid.to_string()))
    }

    /// The key called `name` in [`sibling_service`](Self::sibling_service).
    ///
    /// # Errors
    ///
    /// When `name` is no name of a key.
    pub fn sibling_key(&self, name: &str) -> Result<Key, Failure> {
        let service = self.sibling_service()?;
        Key::new(&service, name).map_err(|invalid| Failure::new(invalid.to_string()))
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").field("service", &self.service).finish_non_exhaustive()
    }
}

/// How late a store may be in letting something go.
const LATENESS: Duration = Duration::from_secs(2);

/// 64 bits that differ from call to call and from process to process.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(())
}

fn random_service() -> ServiceName {
    let name = format!("c{:016x}", random());
    ServiceName::new(&name).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "a server outside lives by the real wall clock")]
fn real_wall() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    Timestamp::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}
