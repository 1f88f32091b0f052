//! A plan of 60 calls per minute, whatever is asked.

use super::*;

fn config() -> SourceConfig {
    let mut config = SourceConfig::new(ApiKind::Migo);
    config.plan.per_minute = NonZeroU32::new(60);
    config.gather = Duration::ZERO;
    config
}

#[test]
fn sixty_per_minute_hold_under_ten_thousand_requests() {
    let bench = Bench::new(&config(), Duration::ZERO, |asked| Ok(sound(asked)));
    let (mut found, mut refused) = (0, 0);
    for ruc in rucs(10_000) {
        match bench.runtime.block_on(bench.source.lookup(ruc)) {
            Answer::Found { .. } => found += 1,
            Answer::Unavailable(unavailable) => {
                refused += 1;
                assert_eq!(unavailable.cause, Cause::RateLimited);
                assert!(unavailable.retry_after.is_some());
            }
            other => panic!("{other:?}"),
        }
        bench.runtime.advance(Duration::from_millis(30));
    }
    let asked = bench.asked.lock().unwrap();
    let minute = Duration::from_secs(60);
    let within =
        |start: Mono| asked.iter().filter(|a| a.at >= start && a.at.since(start) < minute).count();
    let worst = asked.iter().map(|asked| within(asked.at)).max();
    assert_eq!(worst, Some(60));
    assert_eq!((found + refused, found), (10_000, asked.len()));
    // Five minutes.
    assert!(found >= 290, "{found}");
    assert_eq!(usize::try_from(bench.count(CallResult::Withheld)), Ok(refused));
}

#[test]
fn ten_thousand_at_once_are_a_hundred_calls_and_nobody_is_told_a_lie() {
    let bench = Bench::new(&config(), Duration::from_millis(200), |asked| Ok(sound(asked)));
    let numbers = rucs(10_000);
    let (source, asked) = (bench.source.clone(), numbers.clone());
    let answers = bench.within(Duration::from_secs(30), async move {
        join_all(asked.iter().map(|ruc| source.lookup(*ruc))).await
    });
    let answers = answers.unwrap();
    assert_eq!(bench.sizes(), [100; 60]);
    let right = answers.iter().zip(&numbers).filter(|(answer, ruc)| is_of(answer, **ruc)).count();
    let limited = answers.iter().filter(|a| cause(a) == Some(Cause::RateLimited)).count();
    assert_eq!((right, limited), (6_000, 4_000));
}

#[test]
fn retries_count() {
    let mut config = config();
    config.retries = 5;
    config.plan.per_minute = NonZeroU32::new(3);
    let bench = Bench::new(&config, Duration::ZERO, |_| Err(Fault::Connect));
    let answers = bench.lookup_many(&rucs(1));
    assert_eq!(cause(&answers[0]), Some(Cause::Failed));
    // Two of three: one is the reserve.
    assert_eq!(bench.asked.lock().unwrap().len(), 2);
    let [status] = &bench.source.status()[..] else { panic!("one source") };
    assert_eq!(status.minute.map(|minute| minute.limit), Some(3));
}
