//! The engine's usual runtime: tokio's timers and tasks, the system's clocks.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rucache_core::{BoxFuture, Mono, Runtime, Timestamp};
use tokio::runtime::Handle;

/// [`Runtime`] on tokio.
///
/// On Unix the coarse clock is the kernel's: a few nanoseconds a reading, at most one scheduler tick
/// (1 to 10 ms) behind.
#[derive(Debug)]
pub struct TokioRuntime {
    handle: Handle,
    clock: Clock,
    random: RandomState,
    drawn: AtomicU64,
}

impl TokioRuntime {
    /// The runtime that this code runs in; `None` outside of any.
    #[must_use]
    pub fn current() -> Option<Self> {
        Handle::try_current().ok().map(Self::new)
    }

    /// The runtime behind `handle`.
    #[must_use]
    pub fn new(handle: Handle) -> Self {
        Self { handle, clock: Clock::start(), random: RandomState::new(), drawn: AtomicU64::new(0) }
    }
}

impl Runtime for TokioRuntime {
    fn now(&self) -> Mono {
        self.clock.now()
    }

    fn coarse_now(&self) -> Mono {
        self.clock.coarse_now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn wall(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn sleep(&self, span: Duration) -> BoxFuture<()> {
        // Entered here, so that a caller outside the runtime gets its timer too.
        let _entered = self.handle.enter();
        Box::pin(tokio::time::sleep(span))
    }

    fn spawn(&self, task: BoxFuture<()>) {
        self.handle.spawn(task);
    }

    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        self.handle.spawn_blocking(work);
    }

    fn random(&self) -> u64 {
        // SipHash under a key from the system, over a counter.
        self.random.hash_one(self.drawn.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(unix)]
#[derive(Debug)]
struct Clock;

#[cfg(unix)]
impl Clock {
    fn start() -> Self {
        Self
    }

    fn now(&self) -> Mono {
        Self::read(rustix::time::ClockId::Monotonic)
    }

    fn coarse_now(&self) -> Mono {
        #[cfg(target_os = "linux")]
        return Self::read(rustix::time::ClockId::MonotonicCoarse);
        #[cfg(not(target_os = "linux"))]
        self.now()
    }

    fn read(clock: rustix::time::ClockId) -> Mono {
        let time = rustix::time::clock_gettime(clock);
        // A monotonic clock is never negative.
        let secs = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
        Mono::from_nanos(secs.saturating_mul(1_000_000_000).saturating_add(nanos))
    }
}

#[cfg(not(unix))]
#[derive(Debug)]
struct Clock(std::time::Instant);

#[cfg(not(unix))]
impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    fn now(&self) -> Mono {
        Mono::default().after(self.0.elapsed())
    }

    fn coarse_now(&self) -> Mono {
        self.now()
    }
}
