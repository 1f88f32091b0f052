//! Attempts: which failures are tried again, and for how long.

use rucache_core::breaker::CircuitState;

use super::*;

fn config() -> SourceConfig {
    let mut config = SourceConfig::new(ApiKind::Migo);
    config.retries = 2;
    config
}

/// How many attempts a source makes that always answers so.
fn attempts(answer: Result<(u16, &'static str), Fault>) -> usize {
    let bench = Bench::new(&config(), Duration::from_millis(10), move |_| {
        answer.map(|(status, body)| (status, body.to_owned()))
    });
    bench.lookup_many(&rucs(1));
    bench.sizes().len()
}

#[test]
fn only_failures_that_pass_are_tried_again() {
    assert_eq!(attempts(Err(Fault::Connect)), 3);
    assert_eq!(attempts(Err(Fault::Broken)), 3);
    assert_eq!(attempts(Ok((500, "{}"))), 3);
    assert_eq!(attempts(Ok((503, "<html>"))), 3);
    assert_eq!(attempts(Ok((200, "<html>"))), 1);
    assert_eq!(attempts(Ok((200, "{}"))), 1);
    assert_eq!(attempts(Ok((403, "{}"))), 1);
    assert_eq!(attempts(Ok((404, r#"{"success":false}"#))), 1);
    assert_eq!(attempts(Ok((422, "{}"))), 1);
    assert_eq!(attempts(Ok((429, "{}"))), 1);
}

#[test]
fn success_after_a_failure_is_a_success() {
    let seen = AtomicUsize::new(0);
    let bench = Bench::new(&config(), Duration::ZERO, move |asked| {
        match seen.fetch_add(1, Ordering::Relaxed) {
            0 => Err(Fault::Broken),
            _ => Ok(sound(asked)),
        }
    });
    let [ruc] = rucs(1)[..] else { panic!("one number") };
    assert!(is_of(&bench.lookup_many(&[ruc])[0], ruc));
    assert_eq!((bench.count(CallResult::Answered), bench.sizes().len()), (1, 2));
}

#[test]
fn attempts_end_with_the_deadline() {
    let mut config = config();
    config.retries = 100;
    config.timeout = Duration::from_secs(3);
    config.deadline = Duration::from_secs(5);
    let bench = Bench::new(&config, Duration::from_secs(600), |asked| Ok(sound(asked)));
    let source = bench.source.clone();
    let [ruc] = rucs(1)[..] else { panic!("one number") };
    let lookup =
        bench.within(Duration::from_millis(5_100), async move { source.lookup(ruc).await });
    assert_eq!(lookup.as_ref().and_then(cause), Some(Cause::Timeout));
    assert_eq!(bench.sizes().len(), 2);
}

#[test]
fn nobody_waiting_ends_the_attempts_but_not_the_call() {
    let bench = Bench::new(&config(), Duration::from_millis(100), |_| Ok((500, String::new())));
    let [ruc] = rucs(1)[..] else { panic!("one number") };
    let lookup = bench.source.lookup(ruc);
    let source = bench.source.clone();
    drop(lookup);
    let given_up = bench.within(Duration::from_millis(50), async move {
        let asking = std::pin::pin!(source.lookup(ruc));
        let nap = source.runtime().sleep(Duration::from_millis(40));
        matches!(
            futures_util::future::select(asking, nap).await,
            futures_util::future::Either::Right(_)
        )
    });
    assert_eq!(given_up, Some(true));
    bench.runtime.advance(Duration::from_secs(10));
    assert_eq!(bench.sizes().len(), 1);
    assert_eq!(bench.count(CallResult::Failed(Cause::Failed)), 1);
}

#[test]
fn open_circuit_answers_at_once_and_closes_by_itself() {
    let is_well = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let well = is_well.clone();
    let bench = Bench::new(&config(), Duration::ZERO, move |asked| {
        if well.load(Ordering::Relaxed) { Ok(sound(asked)) } else { Err(Fault::Connect) }
    });
    let [ruc] = rucs(1)[..] else { panic!("one number") };
    let lookup = |span| {
        let source = bench.source.clone();
        bench.within(Duration::from_millis(span), async move { source.lookup(ruc).await })
    };
    // Three attempts and two: the circuit opens within the second look-up.
    for _ in 0..2 {
        assert_eq!(lookup(700).as_ref().and_then(cause), Some(Cause::Failed));
    }
    assert_eq!(bench.sizes().len(), 5);
    assert_eq!(lookup(30).as_ref().and_then(cause), Some(Cause::Failed));
    let [status] = &bench.source.status()[..] else { panic!("one source") };
    assert_eq!((status.circuit, bench.sizes().len()), (CircuitState::Open, 5));
    assert_eq!(status.closed.map(|closed| closed.cause), Some(Cause::Failed));
    is_well.store(true, Ordering::Relaxed);
    bench.runtime.advance(Duration::from_millis(1_300));
    assert!(lookup(1).is_some_and(|answer| is_of(&answer, ruc)));
    let [status] = &bench.source.status()[..] else { panic!("one source") };
    assert_eq!((status.circuit, status.closed), (CircuitState::Closed, None));
}

#[test]
fn call_that_finds_no_connection_in_time_is_not_made() {
    let mut config = config();
    config.connections = 1;
    config.timeout = Duration::from_secs(60);
    config.deadline = Duration::from_secs(2);
    let bench = Bench::new(&config, Duration::from_secs(10), |asked| Ok(sound(asked)));
    let (source, full) = (bench.source.clone(), rucs(200));
    let answers =
        bench.within(Duration::from_secs(3), async move { source.lookup_many(&full).await });
    let answers = answers.unwrap();
    assert!(answers[..100].iter().all(|answer| cause(answer) == Some(Cause::Timeout)));
    assert!(answers[100..].iter().all(|answer| cause(answer) == Some(Cause::Overloaded)));
    assert_eq!((bench.sizes().len(), bench.count(CallResult::Withheld)), (1, 1));
}
