//! Collections: full, halved, silent about some, wrong about others.

use super::*;

fn config() -> SourceConfig {
    let mut config = SourceConfig::new(ApiKind::Migo);
    config.retries = 0;
    config
}

fn all_right(answers: &[Answer], rucs: &[Ruc]) -> bool {
    answers.len() == rucs.len() && answers.iter().zip(rucs).all(|(a, ruc)| is_of(a, *ruc))
}

#[test]
fn concurrent_singles_travel_in_one_call() {
    let bench = Bench::new(&config(), Duration::from_millis(200), |asked| Ok(sound(asked)));
    let numbers = rucs(99);
    let (source, asked) = (bench.source.clone(), numbers.clone());
    let answers = bench.within(Duration::from_millis(200), async move {
        join_all(asked.iter().map(|ruc| source.lookup(*ruc))).await
    });
    assert!(all_right(&answers.unwrap(), &numbers));
    assert_eq!(bench.sizes(), [99]);
}

#[test]
fn lone_single_waits_for_nobody() {
    let bench = Bench::new(&config(), Duration::from_millis(200), |asked| Ok(sound(asked)));
    let [ruc] = rucs(1)[..] else { panic!("one number") };
    let source = bench.source.clone();
    let answer = bench.within(Duration::from_millis(200), async move { source.lookup(ruc).await });
    assert!(answer.is_some_and(|answer| is_of(&answer, ruc)));
    assert!(!bench.asked.lock().unwrap()[0].is_collection);
}

#[test]
fn steady_stream_of_singles_is_gathered() {
    let bench = Bench::new(&config(), Duration::from_millis(200), |asked| Ok(sound(asked)));
    let numbers = rucs(500);
    for ruc in &numbers {
        let (source, ruc) = (bench.source.clone(), *ruc);
        bench.runtime.spawn(Box::pin(async move {
            assert!(is_of(&source.lookup(ruc).await, ruc));
        }));
        bench.runtime.advance(Duration::from_millis(1));
    }
    bench.runtime.advance(Duration::from_secs(1));
    let sizes = bench.sizes();
    assert_eq!(sizes.iter().sum::<usize>(), 500);
    assert!(sizes.len() <= 10, "{sizes:?}");
    assert_eq!(bench.count(CallResult::Answered), sizes.len() as u64);
}

#[test]
fn many_go_in_full_calls() {
    let bench = Bench::new(&config(), Duration::from_millis(200), |asked| Ok(sound(asked)));
    let numbers = rucs(5_000);
    let started = bench.runtime.now();
    assert!(all_right(&bench.lookup_many(&numbers), &numbers));
    assert_eq!(bench.sizes(), [100; 50]);
    // 32 calls at once: two rounds.
    let last = bench.asked.lock().unwrap().last().unwrap().at;
    assert_eq!(last.since(started), Duration::from_millis(200));
}

#[test]
fn number_that_spoils_its_batch_is_isolated() {
    let numbers = rucs(100);
    let poison = numbers[42].to_string();
    let bench = Bench::new(&config(), Duration::ZERO, move |asked| {
        if asked.numbers.contains(&poison) { Ok((422, "{}".into())) } else { Ok(sound(asked)) }
    });
    let answers = bench.lookup_many(&numbers);
    assert_eq!(cause(&answers[42]), Some(Cause::Failed));
    let right = answers.iter().zip(&numbers).filter(|(a, ruc)| is_of(a, **ruc)).count();
    assert_eq!(right, 99);
    assert!(bench.sizes().len() <= 15, "{:?}", bench.sizes());
}

#[test]
fn batch_that_cannot_be_saved_is_given_up_soon() {
    let bench = Bench::new(&config(), Duration::ZERO, |_| Ok((422, "{}".into())));
    let answers = bench.lookup_many(&rucs(100));
    assert!(answers.iter().all(|answer| cause(answer) == Some(Cause::Failed)));
    assert!(bench.sizes().len() <= 40, "{:?}", bench.sizes());
    let down = Bench::new(&config(), Duration::ZERO, |_| Ok((500, String::new())));
    down.lookup_many(&rucs(100));
    // The circuit opens.
    assert_eq!(down.sizes().len(), 5);
}

#[test]
fn silence_of_a_collection_is_no_verdict() {
    let numbers = rucs(100);
    let gone: HashSet<String> = numbers[..4].iter().map(Ruc::to_string).collect();
    let bench = Bench::new(&config(), Duration::ZERO, move |asked| {
        if asked.is_collection {
            let there = asked.numbers.iter().filter(|number| !gone.contains(*number));
            return Ok((200, there.map(|number| record(number)).collect::<Value>().to_string()));
        }
        match gone.contains(&asked.numbers[0]) {
            true => Ok((404, r#"{"success":false,"message":"No encontrado"}"#.into())),
            false => Ok(sound(asked)),
        }
    });
    let answers = bench.lookup_many(&numbers);
    assert!(answers[..4].iter().all(|answer| *answer == Answer::NotFound));
    assert!(all_right(&answers[4..], &numbers[4..]));
    // Each of the four was asked for singly, and nobody else.
    assert_eq!(bench.sizes(), [100, 1, 1, 1, 1]);
}

#[test]
fn collection_that_is_silent_about_all_is_confirmed_for_some_and_denies_nothing() {
    let bench = Bench::new(&config(), Duration::ZERO, |asked| {
        if asked.is_collection { Ok((200, "[]".into())) } else { Ok(sound(asked)) }
    });
    let numbers = rucs(100);
    let answers = bench.lookup_many(&numbers);
    assert!(all_right(&answers[..10], &numbers[..10]));
    assert!(answers[10..].iter().all(|answer| cause(answer) == Some(Cause::Failed)));
}

#[test]
fn wrong_and_broken_items_do_not_reach_the_right_ones() {
    let bench = Bench::new(&config(), Duration::ZERO, |asked| {
        if !asked.is_collection {
            return Ok(sound(asked));
        }
        let mut items: Vec<Value> = asked.numbers.iter().map(|number| record(number)).collect();
        items[0] = record("20131312955");
        items[1] = json!("text");
        items[2] = json!({ "success": false, "ruc": asked.numbers[2], "message": "?" });
        items[3] = json!({ "ruc": asked.numbers[3], "ubigeo": {} });
        items.reverse();
        Ok((200, Value::from(items).to_string()))
    });
    let numbers = rucs(100);
    assert!(all_right(&bench.lookup_many(&numbers), &numbers));
    assert_eq!(bench.sizes(), [100, 1, 1, 1, 1]);
}

#[test]
fn number_asked_twice_at_once_is_asked_once() {
    let bench = Bench::new(&config(), Duration::ZERO, |asked| Ok(sound(asked)));
    let [one, two] = rucs(2)[..] else { panic!("two numbers") };
    let answers = bench.lookup_many(&[one, two, one]);
    assert!(all_right(&answers, &[one, two, one]));
    assert_eq!(bench.sizes(), [2]);
}
