//! A runtime whose clock stands still until a test moves it, and whose tasks run when told to.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::{BoxFuture, Runtime};
use crate::{Mono, Timestamp};

/// The wall clock at the start of a test: 2026-01-28T15:00:00Z.
const START: Timestamp = Timestamp::from_millis(1_769_612_400_000);

/// [`Runtime`] for tests: a single thread, a clock moved by hand, seeded randomness.
///
/// Clones share everything. Nothing runs by itself: [`block_on`](Self::block_on),
/// [`run_until_stalled`](Self::run_until_stalled) and [`advance`](Self::advance) run what is ready.
///
/// ```
/// use std::time::Duration;
/// use rucache_core::{Runtime, TestRuntime};
///
/// let runtime = TestRuntime::new(1);
/// let nap = runtime.sleep(Duration::from_millis(20));
/// runtime.advance(Duration::from_millis(20));
/// runtime.block_on(nap);
/// ```
#[derive(Clone)]
pub struct TestRuntime {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
}

struct State {
    now: Mono,
    /// The wall clock at some moment of the monotonic one: both move by the same nanoseconds.
    wall: (Timestamp, Mono),
    seed: u64,
    timers: BTreeMap<(Mono, u64), Waker>,
    next_timer: u64,
    ready: VecDeque<Arc<Task>>,
}

impl State {
    fn wall(&self) -> Timestamp {
        let (wall, at) = self.wall;
        let passed = u64::try_from(self.now.since(at).as_millis()).unwrap_or(u64::MAX);
        Timestamp::from_millis(wall.as_millis().saturating_add(passed))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TestRuntime {
    /// A runtime at its origin, drawing randomness from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        // Not zero, so that "a day ago" is a moment too.
        let now = Mono::from_nanos(1_000_000_000_000_000);
        let state = State {
            now,
            wall: (START, now),
            seed,
            timers: BTreeMap::new(),
            next_timer: 0,
            ready: VecDeque::new(),
        };
        Self { shared: Arc::new(Shared { state: Mutex::new(state) }) }
    }

    /// Moves both clocks forward by `span`, stopping at every timer on the way to run what it wakes.
    pub fn advance(&self, span: Duration) {
        self.run_until_stalled();
        let target = self.now().after(span);
        loop {
            let mut state = self.shared.lock();
            let next = state.timers.keys().map(|(at, _)| *at).next().filter(|at| *at <= target);
            let step_to = next.unwrap_or(target);
            state.now = step_to;
            let now = state.now;
            let later = state.timers.split_off(&(now.after(Duration::from_nanos(1)), 0));
            let due = std::mem::replace(&mut state.timers, later);
            drop(state);
            due.into_values().for_each(Waker::wake);
            self.run_until_stalled();
            if next.is_none() {
                return;
            }
        }
    }

    /// Sets the wall clock, which may step back, without moving the monotonic one.
    pub fn set_wall(&self, wall: Timestamp) {
        let mut state = self.shared.lock();
        state.wall = (wall, state.now);
    }

    /// Runs spawned tasks until none of them is ready.
    pub fn run_until_stalled(&self) {
        loop {
            let Some(task) = self.shared.lock().ready.pop_front() else {
                return;
            };
            task.run();
        }
    }

    /// Runs `future` and every spawned task until `future` is ready. Time does not move by itself.
    ///
    /// # Panics
    ///
    /// When nothing is ready to run and `future` still waits: the test would hang.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let flag = Arc::new(Flag(Mutex::new(true)));
        let waker = Waker::from(flag.clone());
        let mut future = pin!(future);
        loop {
            if flag.take()
                && let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker))
            {
                return output;
            }
            let task = self.shared.lock().ready.pop_front();
            match task {
                Some(task) => task.run(),
                None => assert!(
                    flag.is_set(),
                    "the future waits for something that no ready task will do; \
                     is a call to `advance` missing?"
                ),
            }
        }
    }
}

impl Runtime for TestRuntime {
    fn now(&self) -> Mono {
        self.shared.lock().now
    }

    fn wall(&self) -> Timestamp {
        self.shared.lock().wall()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<()> {
        let mut state = self.shared.lock();
        let at = state.now.after(span);
        state.next_timer += 1;
        Box::pin(Sleep { timer: (at, state.next_timer), shared: self.shared.clone() })
    }

    fn spawn(&self, task: BoxFuture<()>) {
        let runtime = Arc::downgrade(&self.shared);
        let task = Arc::new(Task { future: Mutex::new(Some(task)), runtime });
        self.shared.lock().ready.push_back(task);
    }

    fn random(&self) -> u64 {
        let mut state = self.shared.lock();
        state.seed = state.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        splitmix(state.seed)
    }
}

impl fmt::Debug for TestRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.lock();
        f.debug_struct("TestRuntime")
            .field("now", &state.now)
            .field("wall", &state.wall())
            .field("ready", &state.ready.len())
            .field("timers", &state.timers.len())
            .finish_non_exhaustive()
    }
}

/// Sebastiano Vigna's SplitMix64 finaliser.
const fn splitmix(seed: u64) -> u64 {
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

struct Sleep {
    timer: (Mono, u64),
    shared: Arc<Shared>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.shared.lock();
        if state.now >= self.timer.0 {
            return Poll::Ready(());
        }
        state.timers.insert(self.timer, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.shared.lock().timers.remove(&self.timer);
    }
}

struct Task {
    future: Mutex<Option<BoxFuture<()>>>,
    runtime: Weak<Shared>,
}

impl Task {
    fn run(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let mut slot = self.future.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut future) = slot.take() else {
            return;
        };
        let polled = catch_unwind(AssertUnwindSafe(|| {
            future.as_mut().poll(&mut Context::from_waker(&waker))
        }));
        if matches!(polled, Ok(Poll::Pending)) {
            *slot = Some(future);
        }
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if let Some(shared) = self.runtime.upgrade() {
            shared.lock().ready.push_back(self);
        }
    }
}

struct Flag(Mutex<bool>);

impl Flag {
    fn take(&self) -> bool {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_set(&self) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
}
