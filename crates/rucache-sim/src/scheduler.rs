//! One thread, virtual time, and chance that decides which ready task runs next.
//!
//! The order in which tasks were woken has no say: the ready ones are kept in the order of their
//! numbers and one is drawn. Whatever wakes in an order of its own making is harmless so.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use rucache_core::{BoxFuture, Mono};

use crate::random::Random;

/// How far ahead of tasks that are ready a timer may go off: as if a processor had been busy.
const LAG: Duration = Duration::from_millis(2);

/// How often that happens, in a thousand steps.
const LAG_PER_MILLE: u64 = 30;

/// Whose task it is: it ends with its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The simulation's own, and what is on its way through the network.
    World,
    /// A process of the fleet, by its number; a restarted one has a new number.
    Process(u64),
}

/// The scheduler of a world. Clones share everything.
#[derive(Clone)]
pub(crate) struct Scheduler(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
}

struct State {
    now: Mono,
    random: Random,
    next_id: u64,
    tasks: HashMap<u64, Task>,
    /// Numbers of the tasks that are ready, ascending.
    ready: Vec<u64>,
    timers: BTreeMap<(Mono, u64), Waker>,
    steps: u64,
    /// A digest of all choices so far.
    digest: u64,
    /// The first panic that nobody caught.
    panicked: Option<String>,
}

struct Task {
    owner: Owner,
    /// Absent while it is being polled.
    future: Option<BoxFuture<()>>,
    waker: Waker,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scheduler {
    pub(crate) fn new(random: Random) -> Self {
        let state = State {
            // Not zero, so that "an hour ago" is a moment too.
            now: Mono::from_nanos(3_600_000_000_000),
            random,
            next_id: 0,
            tasks: HashMap::new(),
            ready: Vec::new(),
            timers: BTreeMap::new(),
            steps: 0,
            digest: 0,
            panicked: None,
        };
        Self(Arc::new(Shared { state: Mutex::new(state) }))
    }

    pub(crate) fn now(&self) -> Mono {
        self.0.lock().now
    }

    /// How many steps were made.
    pub(crate) fn steps(&self) -> u64 {
        self.0.lock().steps
    }

    /// A number that differs as soon as one choice or moment did.
    pub(crate) fn digest(&self) -> u64 {
        self.0.lock().digest
    }

    /// What a task said that panicked, other than on purpose.
    pub(crate) fn panicked(&self) -> Option<String> {
        self.0.lock().panicked.clone()
    }

    pub(crate) fn spawn(&self, owner: Owner, future: BoxFuture<()>) {
        let mut state = self.0.lock();
        let id = state.next_id;
        state.next_id += 1;
        let waker = Waker::from(Arc::new(TaskWaker { id, shared: Arc::downgrade(&self.0) }));
        state.tasks.insert(id, Task { owner, future: Some(future), waker });
        // The highest number so far: the order stands.
        state.ready.push(id);
    }

    /// Ends all tasks of `owner`, as the end of its process would.
    pub(crate) fn kill(&self, owner: Owner) {
        self.drop_tasks(|task| task.owner == owner);
    }

    /// Ends everything: what tasks hold of the scheduler would keep it alive for ever.
    pub(crate) fn shut_down(&self) {
        self.drop_tasks(|_| true);
    }

    fn drop_tasks(&self, doomed: impl Fn(&Task) -> bool) {
        let mut state = self.0.lock();
        let mut ids: Vec<u64> =
            state.tasks.iter().filter(|(_, task)| doomed(task)).map(|(id, _)| *id).collect();
        // The order of their ends is part of the history.
        ids.sort_unstable();
        let dropped: Vec<_> = ids.iter().filter_map(|id| state.tasks.remove(id)).collect();
        state.ready.retain(|id| ids.binary_search(id).is_err());
        drop(state);
        // Without the lock: their ends wake others and stop timers.
        drop(dropped);
    }

    pub(crate) fn sleep(&self, span: Duration) -> Sleep {
        let mut state = self.0.lock();
        let at = state.now.after(span);
        state.next_id += 1;
        Sleep { timer: (at, state.next_id), shared: self.0.clone() }
    }

    /// Runs one ready task or, without any, lets time pass to the next timer; `false` when neither
    /// is left.
    pub(crate) fn step(&self) -> bool {
        let mut state = self.0.lock();
        state.steps += 1;
        let idle = state.ready.is_empty();
        let next = state.timers.keys().next().map(|(at, _)| *at);
        if let Some(at) = next {
            let near = at.since(state.now) <= LAG;
            if idle || (near && state.random.chance(LAG_PER_MILLE)) {
                Self::fire(state, at);
                return true;
            }
        } else if idle {
            return false;
        }
        let len = state.ready.len();
        let drawn = state.random.index(len);
        let id = state.ready.remove(drawn);
        state.note(id);
        let Some(task) = state.tasks.get_mut(&id) else { return true };
        let (Some(mut future), waker) = (task.future.take(), task.waker.clone()) else {
            return true;
        };
        drop(state);
        let polled = catch_unwind(AssertUnwindSafe(|| {
            future.as_mut().poll(&mut Context::from_waker(&waker))
        }));
        self.put_back(id, future, polled);
        true
    }

    fn fire(mut state: MutexGuard<'_, State>, at: Mono) {
        state.now = state.now.max(at);
        let moment = state.now.as_nanos();
        state.note(moment);
        let first_later = (state.now.after(Duration::from_nanos(1)), 0);
        let later = state.timers.split_off(&first_later);
        let due = std::mem::replace(&mut state.timers, later);
        drop(state);
        due.into_values().for_each(Waker::wake);
    }

    fn put_back(
        &self,
        id: u64,
        future: BoxFuture<()>,
        polled: Result<Poll<()>, Box<dyn std::any::Any + Send>>,
    ) {
        let mut state = self.0.lock();
        let mut ended = Some(future);
        match polled {
            Ok(Poll::Pending) => {
                // Unless its owner was ended meanwhile.
                if let Some(task) = state.tasks.get_mut(&id) {
                    task.future = ended.take();
                }
            }
            Ok(Poll::Ready(())) => drop(state.tasks.remove(&id)),
            Err(payload) => {
                state.tasks.remove(&id);
                let said = payload.downcast_ref::<String>().cloned();
                let said = said.or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                state.panicked.get_or_insert(said.unwrap_or_else(|| "a panic".to_owned()));
            }
        }
        drop(state);
        drop(ended);
    }
}

impl State {
    fn note(&mut self, number: u64) {
        self.digest = (self.digest.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn wake(&mut self, id: u64) {
        if self.tasks.contains_key(&id)
            && let Err(place) = self.ready.binary_search(&id)
        {
            self.ready.insert(place, id);
        }
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        f.debug_struct("Scheduler")
            .field("now", &state.now)
            .field("tasks", &state.tasks.len())
            .field("timers", &state.timers.len())
            .finish_non_exhaustive()
    }
}

struct TaskWaker {
    id: u64,
    shared: Weak<Shared>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if let Some(shared) = self.shared.upgrade() {
            shared.lock().wake(self.id);
        }
    }
}

/// Ready once its moment has come.
pub(crate) struct Sleep {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn scheduler(seed: u64) -> Scheduler {
        Scheduler::new(Random::of_part(seed, 0))
    }

    /// The order in which ten tasks that are ready at once run.
    fn order(seed: u64) -> Vec<usize> {
        let (scheduler, ran) = (scheduler(seed), Arc::new(Mutex::new(Vec::new())));
        for number in 0..10 {
            let ran = ran.clone();
            let task = async move { ran.lock().unwrap().push(number) };
            scheduler.spawn(Owner::World, Box::pin(task));
        }
        while scheduler.step() {}
        Arc::try_unwrap(ran).unwrap().into_inner().unwrap()
    }

    #[test]
    fn chance_decides_who_runs_and_the_seed_on_chance() {
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
        let mut sorted = order(1);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn time_passes_to_the_next_timer_and_no_further() {
        let scheduler = scheduler(1);
        let begun = scheduler.now();
        for millis in [30, 10] {
            let nap = scheduler.sleep(Duration::from_millis(millis));
            scheduler.spawn(Owner::World, Box::pin(nap));
        }
        let mut moments = Vec::new();
        while scheduler.step() {
            moments.push(scheduler.now().since(begun).as_millis());
        }
        moments.dedup();
        assert_eq!(moments, [0, 10, 30]);
    }

    #[test]
    fn the_tasks_of_a_killed_process_are_dropped() {
        let scheduler = scheduler(1);
        let alive = Arc::new(());
        for owner in [Owner::World, Owner::Process(1), Owner::Process(2)] {
            let (held, nap) = (alive.clone(), scheduler.sleep(Duration::from_secs(1)));
            let task = async move {
                nap.await;
                drop(held);
            };
            scheduler.spawn(owner, Box::pin(task));
        }
        (0..3).for_each(|_| assert!(scheduler.step()));
        scheduler.kill(Owner::Process(1));
        assert_eq!(Arc::strong_count(&alive), 3);
        scheduler.shut_down();
        assert_eq!(Arc::strong_count(&alive), 1);
    }

    #[test]
    fn a_panic_is_kept_and_harms_no_other_task() {
        let scheduler = scheduler(1);
        let panics = async { std::panic::resume_unwind(Box::new("on purpose")) };
        scheduler.spawn(Owner::World, Box::pin(panics));
        let done = Arc::new(Mutex::new(false));
        let other = done.clone();
        scheduler.spawn(Owner::World, Box::pin(async move { *other.lock().unwrap() = true }));
        while scheduler.step() {}
        assert_eq!(scheduler.panicked().as_deref(), Some("on purpose"));
        assert!(*done.lock().unwrap());
    }
}
