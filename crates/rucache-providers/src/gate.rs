//! Whether a source is called at all just now.

use std::time::Duration;

use rucache_core::Mono;
use rucache_core::breaker::{Admission, Breaker, CallOutcome, CircuitState};
use rucache_ruc::Unavailable;

use crate::fault::{Fault, Trouble};

/// How long a refusing source is left alone when it does not say: this, doubled by each further
/// refusal, up to the longest.
const FIRST_REST: Duration = Duration::from_secs(2);
const LONGEST_REST: Duration = Duration::from_secs(30);
/// How long a source whose plan is used up is left alone when it does not say.
const QUOTA_REST: Duration = Duration::from_secs(600);
/// When a source behind an open circuit is asked again.
const CIRCUIT_REST: Duration = Duration::from_secs(1);

/// A gate in front of a source, closed for a while by its refusals, and the circuit breaker, opened
/// by failures and refused credentials.
///
/// Both open by themselves: nothing has to be restarted when a source is well again.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    breaker: Breaker,
    /// What opened the circuit.
    last_failure: Option<Fault>,
    closed: Option<Closed>,
    /// Refusals since the last answer.
    refusals: u32,
}

#[derive(Debug, Clone, Copy)]
struct Closed {
    fault: Fault,
    until: Mono,
}

impl Gate {
    /// Why no call may be made at `now`, if none may.
    pub(crate) fn is_closed(&self, now: Mono) -> Option<Trouble> {
        if let Some(Closed { fault, until }) = self.closed.filter(|closed| closed.until > now) {
            return Some(Trouble::new(fault, Some(until.since(now))));
        }
        // Asked of a copy, because a probe that is let through must be made.
        if self.breaker.clone().admit(now) == Admission::Skip {
            return Some(Trouble::new(
                self.last_failure.unwrap_or(Fault::Connect),
                Some(CIRCUIT_REST),
            ));
        }
        None
    }

    /// Lets one call through, or says why not.
    pub(crate) fn admit(&mut self, now: Mono) -> Result<Admission, Trouble> {
        if let Some(trouble) = self.is_closed(now) {
            return Err(trouble);
        }
        Ok(self.breaker.admit(now))
    }

    /// Takes in what became of an admitted call; whether that closed or opened anything.
    pub(crate) fn record(
        &mut self,
        admission: Admission,
        trouble: Option<Trouble>,
        now: Mono,
        random: u64,
    ) -> bool {
        let fault = trouble.map(|trouble| trouble.fault);
        let outcome = match fault.filter(|fault| fault.is_failure()) {
            Some(fault) => {
                self.last_failure = Some(fault);
                CallOutcome::Failed
            }
            None => CallOutcome::Answered,
        };
        let changed = self.breaker.record(admission, outcome, now, random).is_some();
        let rest = match trouble {
            Some(Trouble { fault: Fault::Denied | Fault::RateLimited, retry_after }) => retry_after
                .unwrap_or_else(|| {
                    LONGEST_REST.min(FIRST_REST * 2_u32.saturating_pow(self.refusals.min(8)))
                }),
            Some(Trouble { fault: Fault::QuotaGone, retry_after }) => {
                retry_after.unwrap_or(QUOTA_REST)
            }
            Some(Trouble { fault: Fault::Unready, retry_after: Some(asked) }) => asked,
            None => {
                let was_closed = self.closed.take().is_some();
                self.refusals = 0;
                return changed || was_closed;
            }
            _ => return changed,
        };
        self.refusals = self.refusals.saturating_add(1);
        let until = now.after(rest);
        // Calls that were under way together speak of the same moment: the longest rest counts.
        if let Some(fault) = fault
            && self.closed.is_none_or(|closed| closed.until < until)
        {
            self.closed = Some(Closed { fault, until });
        }
        true
    }

    /// The circuit, and why the gate is closed at `now`.
    pub(crate) fn status(&self, now: Mono) -> (CircuitState, Option<Unavailable>) {
        (self.breaker.state(), self.is_closed(now).map(Unavailable::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Mono = Mono::from_nanos(1_000_000_000_000);

    fn at(millis: u64) -> Mono {
        START.after(Duration::from_millis(millis))
    }

    fn call(gate: &mut Gate, fault: Option<Fault>, millis: u64) -> bool {
        let Ok(admission) = gate.admit(at(millis)) else { return false };
        gate.record(admission, fault.map(Trouble::from), at(millis), 0);
        true
    }

    #[test]
    fn refused_gate_stays_closed_for_as_long_as_the_source_asks() {
        let mut gate = Gate::default();
        let admission = gate.admit(START).unwrap();
        let trouble = Trouble::new(Fault::RateLimited, Some(Duration::from_secs(45)));
        assert!(gate.record(admission, Some(trouble), START, 0));
        let left = gate.is_closed(at(5_000)).unwrap();
        assert_eq!(left, Trouble::new(Fault::RateLimited, Some(Duration::from_secs(40))));
        assert!(gate.is_closed(at(45_000)).is_none());
    }

    #[test]
    fn refusals_in_a_row_close_for_longer_up_to_half_a_minute() {
        let mut gate = Gate::default();
        let mut now = 0;
        let mut rests = Vec::new();
        for _ in 0..6 {
            assert!(call(&mut gate, Some(Fault::RateLimited), now));
            let rest = gate.is_closed(at(now)).unwrap().retry_after.unwrap();
            rests.push(rest.as_millis());
            now += u64::try_from(rest.as_millis()).unwrap();
        }
        assert_eq!(rests, [2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert!(call(&mut gate, None, now));
        assert!(call(&mut gate, Some(Fault::RateLimited), now));
        assert_eq!(gate.is_closed(at(now)).unwrap().retry_after, Some(FIRST_REST));
    }

    #[test]
    fn five_failures_open_the_circuit_and_a_probe_closes_it() {
        let mut gate = Gate::default();
        for millis in 0..5 {
            assert!(call(&mut gate, Some(Fault::Timeout), millis));
        }
        let trouble = gate.is_closed(at(10)).unwrap();
        assert_eq!(trouble, Trouble::new(Fault::Timeout, Some(CIRCUIT_REST)));
        assert_eq!(gate.status(at(10)).0, CircuitState::Open);
        assert!(!call(&mut gate, None, 10));
        assert!(call(&mut gate, None, 1_300));
        assert_eq!(gate.status(at(1_300)), (CircuitState::Closed, None));
    }

    #[test]
    fn refused_credentials_open_the_circuit_too() {
        let mut gate = Gate::default();
        let mut now = 0;
        for _ in 0..5 {
            assert!(call(&mut gate, Some(Fault::Denied), now));
            now += 30_000;
        }
        assert_eq!(gate.status(at(now - 30_000)).0, CircuitState::Open);
        assert!(call(&mut gate, None, now));
        assert_eq!(gate.status(at(now)), (CircuitState::Closed, None));
    }

    #[test]
    fn refused_question_tells_nothing_against_the_source() {
        let mut gate = Gate::default();
        for millis in 0..100 {
            assert!(call(&mut gate, Some(Fault::Refused), millis));
        }
        assert_eq!(gate.status(at(100)), (CircuitState::Closed, None));
    }
}
