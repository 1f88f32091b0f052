//! Numbers that wait for others to travel with.

use std::collections::{HashSet, VecDeque};
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::task::Poll;
use std::time::Duration;

use rucache_core::Mono;
use rucache_ruc::{Answer, Ruc};
use tokio::sync::oneshot;

/// How far back departures tell how fast numbers come, at least, and for how many of the longest
/// waits.
const MEMORY: Duration = Duration::from_secs(1);
const REMEMBERED: u32 = 5;
/// How long the second departure within the memory waits; each further one waits ten times as long.
const FIRST_WAIT: Duration = Duration::from_millis(5);
/// How often the ready tasks get their turn before a departure that need not wait.
const TURNS: u32 = 32;

/// A number, and who waits for its answer.
pub(crate) struct Waiting {
    pub(crate) ruc: Ruc,
    answer: oneshot::Sender<Answer>,
}

impl Waiting {
    pub(crate) fn new(ruc: Ruc) -> (Self, oneshot::Receiver<Answer>) {
        let (answer, receiver) = oneshot::channel();
        (Self { ruc, answer }, receiver)
    }

    pub(crate) fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    pub(crate) fn tell(self, answer: Answer) {
        // Who has gone away is told nothing.
        let _ = self.answer.send(answer);
    }
}

/// The different numbers of `batch`, in the order of their arrival.
pub(crate) fn numbers(batch: &[Waiting]) -> Vec<Ruc> {
    let mut seen = HashSet::new();
    batch.iter().map(|waiting| waiting.ruc).filter(|ruc| seen.insert(*ruc)).collect()
}

/// The numbers that will travel in the next call.
pub(crate) struct Gather {
    limit: usize,
    longest: Duration,
    waiting: Vec<Waiting>,
    /// The different ones among them.
    numbers: HashSet<Ruc>,
    departures: VecDeque<Mono>,
    /// Calls that have left and not come back.
    under_way: usize,
    /// Somebody will call [`Gather::leave`].
    is_timed: bool,
    /// When those who wait have waited long enough.
    due: Mono,
}

/// What is to be done after a number has joined.
pub(crate) enum Next {
    /// Nothing: the departure is arranged for.
    Gathering,
    /// The call is full.
    Depart(Vec<Waiting>),
    /// Call [`Gather::leave`] after this long.
    Wait(Duration),
}

/// What is to be done at the end of a wait.
pub(crate) enum Left {
    /// These leave; there may be none.
    Depart(Vec<Waiting>),
    /// A full call has left meanwhile, and those who came after it wait this much longer.
    Wait(Duration),
}

impl Gather {
    pub(crate) fn new(limit: NonZeroUsize, longest: Duration) -> Self {
        Self {
            limit: limit.get(),
            longest,
            waiting: Vec::new(),
            numbers: HashSet::new(),
            departures: VecDeque::new(),
            under_way: 0,
            is_timed: false,
            due: Mono::from_nanos(0),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn join(&mut self, waiting: Waiting, now: Mono) -> Next {
        self.numbers.insert(waiting.ruc);
        self.waiting.push(waiting);
        if self.numbers.len() >= self.limit {
            return Next::Depart(self.go(now));
        }
        if self.waiting.len() == 1 {
            self.due = now.after(self.wait(now));
        }
        if self.is_timed {
            return Next::Gathering;
        }
        self.is_timed = true;
        Next::Wait(self.due.since(now))
    }

    /// Those who have gathered, at the end of the wait.
    pub(crate) fn leave(&mut self, now: Mono) -> Left {
        if !self.waiting.is_empty() && now < self.due {
            return Left::Wait(self.due.since(now));
        }
        self.is_timed = false;
        Left::Depart(if self.waiting.is_empty() { Vec::new() } else { self.go(now) })
    }

    /// A call has come back.
    pub(crate) fn landed(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    fn go(&mut self, now: Mono) -> Vec<Waiting> {
        self.departures.push_back(now);
        self.under_way += 1;
        self.numbers.clear();
        std::mem::take(&mut self.waiting)
    }

    /// How long the next departure waits: not at all when none was lately, longer the more there
    /// were. Who asks for one after the other never waits: nobody else asks meanwhile.
    fn wait(&mut self, now: Mono) -> Duration {
        if self.under_way == 0 {
            return Duration::ZERO;
        }
        let memory = MEMORY.max(self.longest.saturating_mul(REMEMBERED));
        while self.departures.front().is_some_and(|at| now.since(*at) >= memory) {
            self.departures.pop_front();
        }
        match u32::try_from(self.departures.len()).unwrap_or(u32::MAX).checked_sub(1) {
            None => Duration::ZERO,
            Some(earlier) => {
                self.longest.min(FIRST_WAIT.saturating_mul(10_u32.saturating_pow(earlier.min(9))))
            }
        }
    }
}

/// Lets every ready task have its turn, for as long as `len` grows by it.
pub(crate) async fn settle(len: impl Fn() -> usize) {
    let mut seen = len();
    for turn in 0..TURNS {
        pass().await;
        let now = len();
        // Two turns without growth: a number that is on its way may be one task further.
        if now == seen && turn % 2 == 1 {
            return;
        }
        seen = now;
    }
}

/// Gives way to other tasks once.
async fn pass() {
    let mut passed = false;
    poll_fn(|context| {
        if passed {
            return Poll::Ready(());
        }
        passed = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Mono = Mono::from_nanos(1_000_000_000_000);

    fn gather(limit: usize) -> Gather {
        Gather::new(NonZeroUsize::new(limit).unwrap(), Duration::from_millis(200))
    }

    fn number(index: u64) -> Waiting {
        Waiting::new(Ruc::from_first_ten(2_000_000_000 + index).unwrap()).0
    }

    fn wait(gather: &mut Gather, index: u64, now: Mono) -> Option<Duration> {
        match gather.join(number(index), now) {
            Next::Wait(span) => Some(span),
            Next::Gathering | Next::Depart(_) => None,
        }
    }

    /// How many leave at `now`, or how much longer they wait, in milliseconds.
    fn left(gather: &mut Gather, now: Mono) -> Result<usize, u128> {
        match gather.leave(now) {
            Left::Depart(batch) => Ok(batch.len()),
            Left::Wait(span) => Err(span.as_millis()),
        }
    }

    #[test]
    fn first_leaves_at_once_and_the_next_wait_longer_and_longer() {
        let mut gather = gather(100);
        let mut now = START;
        let mut waits = Vec::new();
        for index in 0..6 {
            let span = wait(&mut gather, index, now).unwrap();
            now = now.after(span);
            assert_eq!(left(&mut gather, now), Ok(1));
            waits.push(span.as_millis());
        }
        assert_eq!(waits, [0, 5, 50, 200, 200, 200]);
        let later = now.after(MEMORY);
        assert_eq!(wait(&mut gather, 9, later), Some(Duration::ZERO));
    }

    #[test]
    fn numbers_that_come_one_after_the_other_do_not_wait() {
        let mut gather = gather(100);
        for index in 0..100 {
            assert_eq!(wait(&mut gather, index, START), Some(Duration::ZERO));
            assert_eq!(left(&mut gather, START), Ok(1));
            gather.landed();
        }
        // The first of two at once, and the second.
        assert_eq!(wait(&mut gather, 200, START), Some(Duration::ZERO));
        assert_eq!(left(&mut gather, START), Ok(1));
        assert_eq!(wait(&mut gather, 201, START), Some(Duration::from_millis(200)));
    }

    #[test]
    fn full_call_leaves_without_waiting_and_the_rest_waits_for_others() {
        let mut gather = gather(3);
        assert_eq!(wait(&mut gather, 1, START), Some(Duration::ZERO));
        assert!(matches!(gather.join(number(2), START), Next::Gathering));
        let Next::Depart(batch) = gather.join(number(3), START) else { panic!("it is full") };
        assert_eq!(batch.len(), 3);
        assert!(matches!(gather.join(number(4), START), Next::Gathering));
        assert_eq!(left(&mut gather, START), Err(5));
        let later = START.after(FIRST_WAIT);
        assert_eq!(left(&mut gather, later), Ok(1));
        assert_eq!(left(&mut gather, later), Ok(0));
    }

    #[test]
    fn number_that_comes_twice_takes_one_place() {
        let mut gather = gather(2);
        let _ = gather.join(number(1), START);
        assert!(matches!(gather.join(number(1), START), Next::Gathering));
        let Next::Depart(batch) = gather.join(number(2), START) else { panic!("it is full") };
        assert_eq!((batch.len(), numbers(&batch).len()), (3, 2));
    }
}
