//! Tests of `breaker`.

use super::*;

const START: Mono = Mono::from_nanos(1_000_000_000_000);

fn fail(breaker: &mut Breaker, now: Mono) -> Option<CircuitState> {
    let admission = breaker.admit(now);
    breaker.record(admission, CallOutcome::Failed, now, 0)
}

fn opened() -> Breaker {
    let mut breaker = Breaker::default();
    for _ in 0..CONSECUTIVE {
        fail(&mut breaker, START);
    }
    assert_eq!(breaker.state(), CircuitState::Open);
    breaker
}

#[test]
fn fifth_failure_in_a_row_opens() {
    let mut breaker = Breaker::default();
    for _ in 0..4 {
        assert_eq!(fail(&mut breaker, START), None);
    }
    assert_eq!(fail(&mut breaker, START), Some(CircuitState::Open));
    assert_eq!(breaker.admit(START), Admission::Skip);
}

#[test]
fn an_answer_ends_the_row() {
    let mut breaker = Breaker::default();
    for _ in 0..4 {
        fail(&mut breaker, START);
    }
    breaker.record(Admission::Pass, CallOutcome::Answered, START, 0);
    assert_eq!(fail(&mut breaker, START), None);
}

#[test]
fn half_of_twenty_calls_within_ten_seconds_opens() {
    let mut breaker = Breaker::default();
    let mut state = None;
    for call in 0..20 {
        let outcome = if call % 2 == 0 { CallOutcome::Answered } else { CallOutcome::Failed };
        let now = START.after(Duration::from_millis(400 * call));
        state = breaker.record(Admission::Pass, outcome, now, 0);
    }
    assert_eq!(state, Some(CircuitState::Open));
}

#[test]
fn calls_of_more_than_ten_seconds_ago_do_not_count() {
    let mut breaker = Breaker::default();
    for call in 0..100 {
        let outcome = if call % 2 == 0 { CallOutcome::Answered } else { CallOutcome::Failed };
        let now = START.after(Duration::from_secs(call));
        assert_eq!(breaker.record(Admission::Pass, outcome, now, 0), None, "call {call}");
    }
}

#[test]
fn one_probe_at_a_time_after_a_second_more_or_less() {
    for random in [0, u64::MAX / 2, u64::MAX] {
        let mut breaker = Breaker::default();
        for _ in 0..CONSECUTIVE {
            breaker.record(Admission::Pass, CallOutcome::Failed, START, random);
        }
        assert_eq!(breaker.admit(START.after(Duration::from_millis(799))), Admission::Skip);
        let late = START.after(Duration::from_millis(1200));
        assert_eq!(breaker.admit(late), Admission::Probe, "{random}");
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
        assert_eq!(breaker.admit(late), Admission::Skip);
    }
}

#[test]
fn probe_that_answers_closes_and_one_that_fails_does_not() {
    let mut breaker = opened();
    let first = START.after(Duration::from_secs(2));
    assert_eq!(breaker.admit(first), Admission::Probe);
    let failed = breaker.record(Admission::Probe, CallOutcome::Failed, first, 0);
    assert_eq!(failed, Some(CircuitState::Open));
    let second = first.after(Duration::from_secs(2));
    assert_eq!(breaker.admit(second), Admission::Probe);
    let answered = breaker.record(Admission::Probe, CallOutcome::Answered, second, 0);
    assert_eq!(answered, Some(CircuitState::Closed));
    assert_eq!(breaker.admit(second), Admission::Pass);
}

#[test]
fn late_answer_of_an_earlier_call_does_not_close() {
    let mut breaker = opened();
    assert_eq!(breaker.record(Admission::Pass, CallOutcome::Answered, START, 0), None);
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[test]
fn probe_that_never_ends_does_not_keep_the_circuit_open_for_ever() {
    let mut breaker = opened();
    let now = START.after(Duration::from_secs(2));
    assert_eq!(breaker.admit(now), Admission::Probe);
    assert_eq!(breaker.admit(now.after(Duration::from_secs(4))), Admission::Skip);
    assert_eq!(breaker.admit(now.after(Duration::from_secs(5))), Admission::Probe);
}
