//! Time and chance as one process of the fleet has them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rucache_core::{BoxFuture, Mono, Runtime, Timestamp};

use crate::random::Random;
use crate::scheduler::{Owner, Scheduler};

/// The wall clock when the simulation's own clock stood at zero: 2026-01-28T15:00:00Z.
const START: u64 = 1_769_612_400_000;

/// A step of the coarse clock.
const TICK: u64 = 4_000_000;

/// The wall clock that everybody should have.
pub(crate) fn true_wall(now: Mono) -> Timestamp {
    Timestamp::from_millis(START + now.as_nanos() / 1_000_000)
}

/// [`Runtime`] of a process: the scheduler's time from an origin of its own.
pub(crate) struct ProcessRuntime {
    scheduler: Scheduler,
    owner: Owner,
    /// Nanoseconds between the scheduler's clock and this process's.
    origin: u64,
    /// Milliseconds by which its wall clock is ahead.
    ahead: u64,
    random: Mutex<Random>,
}

impl ProcessRuntime {
    pub(crate) fn new(scheduler: Scheduler, process: u64, mut random: Random) -> Self {
        Self {
            scheduler,
            owner: Owner::Process(process),
            origin: random.below(1 << 40),
            ahead: random.below(10),
            random: Mutex::new(random),
        }
    }
}

impl Runtime for ProcessRuntime {
    fn now(&self) -> Mono {
        Mono::from_nanos(self.scheduler.now().as_nanos() + self.origin)
    }

    fn coarse_now(&self) -> Mono {
        let now = self.now().as_nanos();
        Mono::from_nanos(now - now % TICK)
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_millis(true_wall(self.scheduler.now()).as_millis() + self.ahead)
    }

    fn sleep(&self, span: Duration) -> BoxFuture<()> {
        Box::pin(self.scheduler.sleep(span))
    }

    fn spawn(&self, task: BoxFuture<()>) {
        self.scheduler.spawn(self.owner, task);
    }

    fn random(&self) -> u64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}
