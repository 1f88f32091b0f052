//! The circuit breaker of one node: a pure state machine over passed-in time.

use std::time::Duration;

use crate::Mono;

/// Consecutive failures that open the circuit.
const CONSECUTIVE: u32 = 5;
/// Fewest calls in the window before its share of failures counts.
const MIN_CALLS: u32 = 20;
/// Length of the window, in slots of a second.
const SLOTS: usize = 10;
/// Time between probes while the circuit is open, ± 20 %.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// After this long without an answer a probe is taken for lost, and another may start.
const PROBE_LOST: Duration = Duration::from_secs(5);

/// Stops calling a node that fails, and finds out when it is well again.
///
/// Opens after 5 consecutive failures, or when at least half of at least 20 calls within 10 s
/// failed; a call that is too slow counts as failed. While open, one probe at a time is let through
/// every second ± 20 %; the first that succeeds closes it.
///
/// ```
/// use rucache_core::Mono;
/// use rucache_core::breaker::{Breaker, CallOutcome, CircuitState};
///
/// let (mut breaker, now) = (Breaker::default(), Mono::default());
/// let late = breaker.admit(now);
/// for _ in 0..5 {
///     let admission = breaker.admit(now);
///     breaker.record(admission, CallOutcome::Failed, now, 0);
/// }
/// assert_eq!(breaker.state(), CircuitState::Open);
/// breaker.reset();
/// // The call began before all that.
/// assert_eq!(breaker.record(late, CallOutcome::Failed, now, 0), None);
/// ```
#[derive(Debug, Clone)]
pub struct Breaker {
    state: State,
    period: Period,
    consecutive: u32,
    window: [Slot; SLOTS],
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed,
    Open { probe_at: Mono },
    HalfOpen { since: Mono },
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    second: u64,
    calls: u32,
    failures: u32,
}

/// The state of a circuit, as shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CircuitState {
    /// Calls go through.
    Closed,
    /// Calls are skipped.
    Open,
    /// One call is finding out whether the node is well.
    HalfOpen,
}

impl CircuitState {
    /// The state as a stable label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// The time between two changes of a circuit. What becomes of a call counts in the period in which
/// it was admitted, and in no later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Period(u64);

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Make it.
    Pass(Period),
    /// Make it, and report its outcome: it decides whether the circuit closes.
    Probe(Period),
    /// Do not make it.
    Skip,
}

/// What became of an admitted call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// The node answered in time, be it with a refusal.
    Answered,
    /// The node did not answer, or too late.
    Failed,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            state: State::Closed,
            period: Period::default(),
            consecutive: 0,
            window: [Slot::default(); SLOTS],
        }
    }
}

impl Breaker {
    /// The state of the circuit.
    #[must_use]
    pub const fn state(&self) -> CircuitState {
        match self.state {
            State::Closed => CircuitState::Closed,
            State::Open { .. } => CircuitState::Open,
            State::HalfOpen { .. } => CircuitState::HalfOpen,
        }
    }

    /// Whether a call may be made at `now`.
    pub fn admit(&mut self, now: Mono) -> Admission {
        match self.state {
            State::Closed => Admission::Pass(self.period),
            State::Open { probe_at } if now >= probe_at => self.probe(now),
            State::HalfOpen { since } if now.since(since) >= PROBE_LOST => self.probe(now),
            State::Open { .. } | State::HalfOpen { .. } => Admission::Skip,
        }
    }

    /// The same for a call that is not to be a probe.
    #[must_use]
    pub const fn pass(&self) -> Admission {
        match self.state {
            State::Closed => Admission::Pass(self.period),
            State::Open { .. } | State::HalfOpen { .. } => Admission::Skip,
        }
    }

    /// Takes in the outcome of a call that ended at `now`; `random` spreads the probes of a fleet.
    ///
    /// Returns the new state when it changed. Outcomes of calls from before the last change count no
    /// more: they neither close a circuit that has opened nor open one that has closed.
    pub fn record(
        &mut self,
        admission: Admission,
        outcome: CallOutcome,
        now: Mono,
        random: u64,
    ) -> Option<CircuitState> {
        let before = self.period;
        match (self.state, admission) {
            (State::Closed, Admission::Pass(period)) if period == before => {
                self.count(outcome, now, random);
            }
            (State::HalfOpen { .. }, Admission::Probe(period)) if period == before => match outcome
            {
                CallOutcome::Answered => self.reset(),
                CallOutcome::Failed => self.open(now, random),
            },
            _ => {}
        }
        (before != self.period).then_some(self.state())
    }

    /// Opens the circuit at `now`, for whoever knows that the node is not to be called. The time of
    /// the next probe stays where it is open already.
    pub fn trip(&mut self, now: Mono, random: u64) {
        if self.state() != CircuitState::Open {
            self.open(now, random);
        }
    }

    /// Closes the circuit and forgets what was counted, for whoever has found the node well.
    pub fn reset(&mut self) {
        let period = Period(self.period.0 + 1);
        *self = Self { period, ..Self::default() };
    }

    fn probe(&mut self, now: Mono) -> Admission {
        self.enter(State::HalfOpen { since: now });
        Admission::Probe(self.period)
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.period = Period(self.period.0 + 1);
    }

    fn open(&mut self, now: Mono, random: u64) {
        // 0.8 to 1.2 of the interval: 400 ms of spread, drawn from the upper 32 bits.
        let spread = PROBE_EVERY * 2 / 5;
        let share = u32::try_from(random >> 32).unwrap_or(u32::MAX);
        let drawn = u64::try_from(spread.as_nanos()).unwrap_or(u64::MAX) / (1 << 16)
            * (u64::from(share) >> 16);
        let wait = PROBE_EVERY * 4 / 5 + Duration::from_nanos(drawn);
        self.enter(State::Open { probe_at: now.after(wait) });
    }

    fn count(&mut self, outcome: CallOutcome, now: Mono, random: u64) {
        let failed = u32::from(outcome == CallOutcome::Failed);
        self.consecutive = if failed == 1 { self.consecutive + 1 } else { 0 };
        let second = now.as_nanos() / 1_000_000_000;
        let place = usize::try_from(second % SLOTS as u64).unwrap_or(0);
        if let Some(slot) = self.window.get_mut(place) {
            if slot.second != second {
                *slot = Slot { second, ..Slot::default() };
            }
            slot.calls += 1;
            slot.failures += failed;
        }
        let recent = self.window.iter().filter(|slot| slot.second + SLOTS as u64 > second);
        let (calls, failures) = recent
            .fold((0, 0), |(calls, failures), slot| (calls + slot.calls, failures + slot.failures));
        if failed == 1
            && (self.consecutive >= CONSECUTIVE || calls >= MIN_CALLS && failures * 2 >= calls)
        {
            self.open(now, random);
        }
    }
}

#[cfg(test)]
mod tests;
