//! Tests of `breaker`.

use super::*;

const START: Mono = Mono::from_nanos(1_000_000_000_000);

fn call(breaker: &mut Breaker, outcome: CallOutcome, now: Mono) -> Option<CircuitState> {
    let admission = breaker.admit(now);
    breaker.record(admission, outcome, now, 0)
}

fn fail(breaker: &mut Breaker, now: Mono) -> Option<CircuitState> {
    call(breaker, CallOutcome::Failed, now)
}

/// A probe's admission.
#[track_caller]
fn probe(breaker: &mut Breaker, now: Mono) -> Admission {
    let admission = breaker.admit(now);
    assert!(matches!(admission, Admission::Probe(_)), "{admission:?}");
    admission
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
    call(&mut breaker, CallOutcome::Answered, START);
    assert_eq!(fail(&mut breaker, START), None);
}

#[test]
fn half_of_twenty_calls_within_ten_seconds_opens() {
    let mut breaker = Breaker::default();
    let mut state = None;
    for number in 0..20 {
        let outcome = if number % 2 == 0 { CallOutcome::Answered } else { CallOutcome::Failed };
        let now = START.after(Duration::from_millis(400 * number));
        state = call(&mut breaker, outcome, now);
    }
    assert_eq!(state, Some(CircuitState::Open));
}

#[test]
fn calls_of_more_than_ten_seconds_ago_do_not_count() {
    let mut breaker = Breaker::default();
    for second in 0..100 {
        let outcome = if second % 2 == 0 { CallOutcome::Answered } else { CallOutcome::Failed };
        let now = START.after(Duration::from_secs(second));
        assert_eq!(call(&mut breaker, outcome, now), None, "second {second}");
    }
}

#[test]
fn one_probe_at_a_time_after_a_second_more_or_less() {
    for random in [0, u64::MAX / 2, u64::MAX] {
        let mut breaker = Breaker::default();
        for _ in 0..CONSECUTIVE {
            breaker.record(breaker.pass(), CallOutcome::Failed, START, random);
        }
        assert_eq!(breaker.admit(START.after(Duration::from_millis(799))), Admission::Skip);
        let late = START.after(Duration::from_millis(1200));
        probe(&mut breaker, late);
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
        assert_eq!(breaker.admit(late), Admission::Skip);
    }
}

#[test]
fn probe_that_answers_closes_and_one_that_fails_does_not() {
    let mut breaker = opened();
    let first = START.after(Duration::from_secs(2));
    let admission = probe(&mut breaker, first);
    let failed = breaker.record(admission, CallOutcome::Failed, first, 0);
    assert_eq!(failed, Some(CircuitState::Open));
    let second = first.after(Duration::from_secs(2));
    let admission = probe(&mut breaker, second);
    let answered = breaker.record(admission, CallOutcome::Answered, second, 0);
    assert_eq!(answered, Some(CircuitState::Closed));
    assert!(matches!(breaker.admit(second), Admission::Pass(_)));
}

#[test]
fn late_answer_of_an_earlier_call_does_not_close() {
    let mut breaker = Breaker::default();
    let early = breaker.admit(START);
    for _ in 0..CONSECUTIVE {
        fail(&mut breaker, START);
    }
    assert_eq!(breaker.record(early, CallOutcome::Answered, START, 0), None);
    let later = START.after(Duration::from_secs(2));
    probe(&mut breaker, later);
    assert_eq!(breaker.record(early, CallOutcome::Answered, later, 0), None);
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
}

#[test]
fn late_failures_of_earlier_calls_do_not_open_again() {
    let mut breaker = Breaker::default();
    let early = breaker.admit(START);
    for _ in 0..CONSECUTIVE {
        fail(&mut breaker, START);
    }
    let later = START.after(Duration::from_secs(2));
    let admission = probe(&mut breaker, later);
    breaker.record(admission, CallOutcome::Answered, later, 0);
    for _ in 0..100 {
        assert_eq!(breaker.record(early, CallOutcome::Failed, later, 0), None);
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
    // Nor do they count with those of now.
    (1..CONSECUTIVE).for_each(|_| assert_eq!(fail(&mut breaker, later), None));
    assert_eq!(breaker.record(early, CallOutcome::Failed, later, 0), None);
    assert_eq!(fail(&mut breaker, later), Some(CircuitState::Open));
}

#[test]
fn probe_that_never_ends_does_not_keep_the_circuit_open_for_ever() {
    let mut breaker = opened();
    let now = START.after(Duration::from_secs(2));
    let lost = probe(&mut breaker, now);
    assert_eq!(breaker.admit(now.after(Duration::from_secs(4))), Admission::Skip);
    let later = now.after(Duration::from_secs(5));
    let second = probe(&mut breaker, later);
    // The first one has been given up, and is no proof of anything now.
    assert_eq!(breaker.record(lost, CallOutcome::Failed, later, 0), None);
    assert_eq!(breaker.record(lost, CallOutcome::Answered, later, 0), None);
    let closed = breaker.record(second, CallOutcome::Answered, later, 0);
    assert_eq!(closed, Some(CircuitState::Closed));
}

#[test]
fn tripped_circuit_is_open_until_a_probe_succeeds() {
    let mut breaker = Breaker::default();
    breaker.trip(START, 0);
    assert_eq!((breaker.state(), breaker.pass()), (CircuitState::Open, Admission::Skip));
    // Tripped again, it does not put the probe off.
    let due = START.after(Duration::from_millis(800));
    breaker.trip(due, 0);
    let admission = probe(&mut breaker, due);
    // Tripped while it was half open: the probe says nothing any more.
    breaker.trip(due, 0);
    assert_eq!(breaker.record(admission, CallOutcome::Answered, due, 0), None);
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[test]
fn reset_closes_and_forgets() {
    let mut breaker = opened();
    breaker.reset();
    assert_eq!(breaker.state(), CircuitState::Closed);
    (1..CONSECUTIVE).for_each(|_| assert_eq!(fail(&mut breaker, START), None));
    breaker.reset();
    assert_eq!(fail(&mut breaker, START), None);
}
