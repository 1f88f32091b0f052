//! A decorator that spoils what any backend answers, as a seed decides.

mod backend;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rucache_core::{Answers, Backend, BoxFuture, Error, ErrorKind, Operation, Runtime};

use crate::random::Random;

/// What goes wrong, in thousandths of all answers; an answer is that to one item of a batch.
///
/// The default is calm: nothing does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Chaos {
    /// Nothing is carried out, and the answer is an error of this kind.
    pub failures: Vec<(ErrorKind, u16)>,
    /// It is carried out, but the answer is lost: [`ErrorKind::Interrupted`].
    pub lost_replies: u16,
    /// The answer is [`ErrorKind::Timeout`] at once; a change is carried out all the same, after a
    /// span of at most [`lateness`](Self::lateness).
    pub late: u16,
    /// The longest that a late change takes.
    pub lateness: Duration,
    /// The longest that a call takes; each takes a span between zero and this.
    pub delay: Duration,
}

impl Chaos {
    /// Nothing goes wrong.
    #[must_use]
    pub fn calm() -> Self {
        Self::default()
    }

    /// So many thousandths fail with `kind`, nothing carried out.
    #[must_use]
    pub fn failing(kind: ErrorKind, thousandths: u16) -> Self {
        Self { failures: vec![(kind, thousandths)], ..Self::default() }
    }
}

/// Any backend, with chaos between it and its callers. Calm, it is the backend itself.
///
/// Time and tasks are the runtime's, chance is the seed's: with a runtime that is deterministic, a
/// run can be repeated.
///
/// ```
/// use std::sync::Arc;
/// use rucache_core::{Backend, Companions, ErrorKind, Key, ServiceName, TestRuntime};
/// use rucache_testkit::{Chaos, ChaosBackend};
///
/// async fn half_of_all_reads_fail(store: impl Backend + 'static, key: Key) {
///     let chaos = ChaosBackend::new(store, Arc::new(TestRuntime::new(1)), 1);
///     chaos.set(Chaos::failing(ErrorKind::Unreachable, 500));
///     let answers = chaos.get_many(&[key], Companions::None).await;
///     assert_eq!(answers.len(), 1);
/// }
/// ```
pub struct ChaosBackend<B> {
    inner: Arc<B>,
    runtime: Arc<dyn Runtime>,
    weather: Mutex<Weather>,
}

struct Weather {
    chaos: Chaos,
    random: Random,
    spoiled: u64,
}

/// What happens to one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Pass,
    Fail(ErrorKind),
    LoseReply,
    Late(Duration),
}

impl Fate {
    const fn is_carried_out(self) -> bool {
        matches!(self, Self::Pass | Self::LoseReply)
    }
}

impl Weather {
    fn fate(&mut self) -> Fate {
        let fate = self.draw();
        self.spoiled += u64::from(fate != Fate::Pass);
        fate
    }

    fn draw(&mut self) -> Fate {
        let mut left = self.random.below(1_000);
        let mut falls_in = |thousandths: u16| {
            let falls = left < u64::from(thousandths);
            left = left.saturating_sub(u64::from(thousandths));
            falls
        };
        if let Some((kind, _)) = self.chaos.failures.iter().find(|(_, share)| falls_in(*share)) {
            Fate::Fail(*kind)
        } else if falls_in(self.chaos.lost_replies) {
            Fate::LoseReply
        } else if falls_in(self.chaos.late) {
            Fate::Late(self.random.up_to(self.chaos.lateness))
        } else {
            Fate::Pass
        }
    }
}

impl<B: Backend + 'static> ChaosBackend<B> {
    /// `inner`, calm until [`set`](Self::set) says otherwise.
    #[must_use]
    pub fn new(inner: B, runtime: Arc<dyn Runtime>, seed: u64) -> Self {
        let weather = Weather { chaos: Chaos::calm(), random: Random::new(seed), spoiled: 0 };
        Self { inner: Arc::new(inner), runtime, weather: Mutex::new(weather) }
    }

    /// Goes on under `chaos`.
    pub fn set(&self, chaos: Chaos) {
        self.weather().chaos = chaos;
    }

    /// The backend without its chaos, to see what really happened.
    #[must_use]
    pub fn inner(&self) -> &B {
        &self.inner
    }

    /// How many answers have been spoiled so far.
    #[must_use]
    pub fn spoiled(&self) -> u64 {
        self.weather().spoiled
    }

    /// Carries out a batch, item by item as chance has it.
    async fn batch<I, T, C>(&self, operation: Operation, items: &[I], call: C) -> Answers<T>
    where
        I: Clone + Send + Sync + 'static,
        T: Send + 'static,
        C: Fn(Arc<B>, Vec<I>) -> BoxFuture<Answers<T>> + Send,
    {
        self.wait().await;
        let fates: Vec<Fate> = {
            let mut weather = self.weather();
            items.iter().map(|_| weather.fate()).collect()
        };
        let fated = || items.iter().zip(&fates);
        let chosen = fated().filter(|(_, fate)| fate.is_carried_out());
        let chosen: Vec<I> = chosen.map(|(item, _)| item.clone()).collect();
        for (item, fate) in fated() {
            if let Fate::Late(span) = fate {
                self.later(*span, call(self.inner.clone(), vec![item.clone()]));
            }
        }
        // A batch that is empty from the start is the backend's business too.
        let called = !chosen.is_empty() || items.is_empty();
        let answers = if called { call(self.inner.clone(), chosen).await } else { Vec::new() };
        let mut answers = answers.into_iter();
        let spoil = |fate: &Fate| match (fate, fate.is_carried_out().then(|| answers.next())) {
            (Fate::Pass, Some(Some(answer))) => answer,
            (fate, _) => Err(self.error(*fate, operation)),
        };
        fates.iter().map(spoil).collect()
    }

    /// Carries out a call that has one answer.
    async fn single<T, C>(&self, operation: Operation, call: C) -> Result<T, Error>
    where
        T: Send + 'static,
        C: FnOnce(Arc<B>) -> BoxFuture<Result<T, Error>> + Send,
    {
        self.wait().await;
        let fate = self.weather().fate();
        match fate {
            Fate::Pass => return call(self.inner.clone()).await,
            Fate::LoseReply => drop(call(self.inner.clone()).await),
            Fate::Late(span) => self.later(span, call(self.inner.clone())),
            Fate::Fail(_) => {}
        }
        Err(self.error(fate, operation))
    }

    async fn wait(&self) {
        let span = {
            let mut weather = self.weather();
            let longest = weather.chaos.delay;
            weather.random.up_to(longest)
        };
        if !span.is_zero() {
            self.runtime.sleep(span).await;
        }
    }

    fn later<T: Send + 'static>(&self, span: Duration, call: BoxFuture<T>) {
        let sleep = self.runtime.sleep(span);
        self.runtime.spawn(Box::pin(async move {
            sleep.await;
            call.await;
        }));
    }

    fn error(&self, fate: Fate, operation: Operation) -> Error {
        let kind = match fate {
            Fate::Fail(kind) => kind,
            Fate::Late(_) => ErrorKind::Timeout,
            // An answer that the backend did not give is lost as well.
            Fate::LoseReply | Fate::Pass => ErrorKind::Interrupted,
        };
        Error::new(kind, self.inner.capabilities().name, operation)
    }

    fn weather(&self) -> MutexGuard<'_, Weather> {
        self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B> fmt::Debug for ChaosBackend<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChaosBackend").finish_non_exhaustive()
    }
}
