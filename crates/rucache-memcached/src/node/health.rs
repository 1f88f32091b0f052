//! Whether a node is called, read, and still trusted with its connections: a pure state machine.

use rucache_core::breaker::{Admission, CallOutcome, CircuitState};
use rucache_core::{Breaker, Mono};

use crate::error::Trouble;

/// After so many failures in a row the connections are replaced. All of a pool may be half-open, and
/// each call would meet only one of them.
const PATIENCE: u32 = 2;

/// The health of one node.
#[derive(Debug, Default)]
pub(super) struct Health {
    breaker: Breaker,
    /// Failures since the last answer.
    failures: u32,
    /// From the opening of the circuit until missed invalidations are delivered.
    recovering: bool,
}

impl Health {
    /// Whether calls go through.
    pub(super) fn takes_calls(&self) -> bool {
        self.breaker.state() == CircuitState::Closed
    }

    /// The admission of a call.
    pub(super) const fn admit(&self) -> Admission {
        self.breaker.pass()
    }

    /// Whether entries may be read.
    pub(super) fn check_reads(&self) -> Result<(), Trouble> {
        if !self.takes_calls() {
            Err(Trouble::CircuitOpen)
        } else if self.recovering {
            Err(Trouble::Recovering)
        } else {
            Ok(())
        }
    }

    /// Counts a call admitted so. [`CircuitState::Open`] when it opened the circuit of a node that was well: the
    /// caller begins its recovery.
    pub(super) fn record(
        &mut self,
        admission: Admission,
        failure: Option<Trouble>,
        now: Mono,
        random: u64,
    ) -> Option<CircuitState> {
        self.failures = if failure.is_some() { self.failures + 1 } else { 0 };
        let outcome = failure.map_or(CallOutcome::Answered, |_| CallOutcome::Failed);
        let changed = self.breaker.record(admission, outcome, now, random);
        changed.filter(|state| {
            *state == CircuitState::Open && !std::mem::replace(&mut self.recovering, true)
        })
    }

    /// Whether the connections are to be replaced after a call that failed so.
    pub(super) fn wants_new_client(&self, failure: Option<Trouble>) -> bool {
        match failure {
            // Perhaps it broke while it was idle: the others of its age are gone too.
            Some(Trouble::Broken(_)) => true,
            // Its answers are no longer those to its commands, and it may be in the pool again.
            Some(Trouble::Garbled | Trouble::NotUnderstood) => true,
            _ => self.failures >= PATIENCE,
        }
    }

    /// The admission of a probe where one is due, in which case it must follow.
    pub(super) fn admit_probe(&mut self, now: Mono) -> Option<Admission> {
        let admission = self.breaker.admit(now);
        matches!(admission, Admission::Probe(_)).then_some(admission)
    }

    /// Counts a probe admitted so; whether calls go through again.
    pub(super) fn record_probe(
        &mut self,
        admission: Admission,
        outcome: CallOutcome,
        now: Mono,
        random: u64,
    ) -> bool {
        self.breaker.record(admission, outcome, now, random);
        if outcome == CallOutcome::Answered {
            self.failures = 0;
        }
        self.takes_calls()
    }

    /// Lets entries be read again; `false` when the circuit has opened meanwhile.
    pub(super) fn end_recovery(&mut self) -> bool {
        self.recovering = !self.takes_calls();
        !self.recovering
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Mono = Mono::from_nanos(1_000_000_000_000);

    fn call(health: &mut Health, failure: Option<Trouble>) -> Option<CircuitState> {
        health.record(health.admit(), failure, NOW, 0)
    }

    fn probe(health: &mut Health, outcome: CallOutcome, now: Mono) -> bool {
        let admission = health.admit_probe(now).expect("a probe is due");
        health.record_probe(admission, outcome, now, 0)
    }

    fn opened() -> Health {
        let mut health = Health::default();
        let states = [0; 5].map(|_| call(&mut health, Some(Trouble::Deadline)));
        assert_eq!(states, [None, None, None, None, Some(CircuitState::Open)]);
        health
    }

    #[test]
    fn five_failures_in_a_row_close_the_node() {
        let health = opened();
        assert!(!health.takes_calls());
        assert_eq!(health.check_reads(), Err(Trouble::CircuitOpen));
    }

    #[test]
    fn refusals_leave_the_node_open() {
        let mut health = Health::default();
        assert!((0..50).all(|_| call(&mut health, None).is_none()));
        assert_eq!(health.check_reads(), Ok(()));
    }

    #[test]
    fn node_is_read_only_after_its_recovery() {
        let mut health = opened();
        let later = NOW.after(Duration::from_millis(1_200));
        assert!(!probe(&mut health, CallOutcome::Failed, later));
        let later = later.after(Duration::from_millis(1_200));
        assert!(probe(&mut health, CallOutcome::Answered, later));
        assert!(health.takes_calls());
        assert_eq!(health.check_reads(), Err(Trouble::Recovering));
        assert!(health.end_recovery());
        assert_eq!(health.check_reads(), Ok(()));
    }

    #[test]
    fn circuit_that_opens_during_the_recovery_begins_no_second_one() {
        let mut health = opened();
        let later = NOW.after(Duration::from_millis(1_200));
        assert!(probe(&mut health, CallOutcome::Answered, later));
        assert!((0..5).all(|_| call(&mut health, Some(Trouble::Deadline)).is_none()));
        assert!(!health.end_recovery());
        assert_eq!(health.check_reads(), Err(Trouble::CircuitOpen));
    }

    #[test]
    fn late_failures_do_not_close_a_node_that_is_well_again() {
        let mut health = Health::default();
        let early = health.admit();
        assert!((0..5).any(|_| call(&mut health, Some(Trouble::Deadline)).is_some()));
        let later = NOW.after(Duration::from_millis(1_200));
        assert!(probe(&mut health, CallOutcome::Answered, later) && health.end_recovery());
        for _ in 0..50 {
            assert_eq!(health.record(early, Some(Trouble::Deadline), later, 0), None);
        }
        assert_eq!(health.check_reads(), Ok(()));
    }

    #[test]
    fn connections_are_replaced_after_two_timeouts_or_one_break_or_stray_answer() {
        let mut health = Health::default();
        let deadline = Some(Trouble::Deadline);
        let broken = Some(Trouble::Broken(std::io::ErrorKind::ConnectionReset));
        call(&mut health, deadline);
        assert!(!health.wants_new_client(deadline));
        call(&mut health, deadline);
        assert!(health.wants_new_client(deadline));
        call(&mut health, None);
        assert!(!health.wants_new_client(None));
        call(&mut health, broken);
        assert!(health.wants_new_client(broken));
        call(&mut health, None);
        assert!(health.wants_new_client(Some(Trouble::Garbled)));
    }
}
