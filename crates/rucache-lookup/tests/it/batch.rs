//! Batches: their order, their calls, their records.

use std::time::Duration;

use futures_util::StreamExt;
use rucache_core::Ttl;
use rucache_lookup::{BatchId, BatchOptions, BatchStatus, LookupOptions};
use rucache_ruc::{Answer, Cause, Outcome, Ruc, Unavailable};

use crate::lab::{CONTINENTAL, Home, Lab, SUNAT, number, record};

fn texts(numbers: &[Ruc]) -> Vec<String> {
    numbers.iter().map(ToString::to_string).collect()
}

fn id(text: &str) -> BatchId {
    text.parse().unwrap()
}

#[test]
fn a_hundred_with_eighty_cached_are_one_call_within_a_second() {
    for home in Home::ALL {
        let lab = Lab::at(home, 100, Duration::from_millis(500), LookupOptions::default());
        let numbers: Vec<Ruc> = (0..100).map(number).collect();
        lab.knows(&numbers);
        for cached in &numbers[..80] {
            let text = cached.to_string();
            lab.run(lab.rucs.set(record(&text, &text), None)).unwrap();
        }
        let batch = lab.rucs.batch(&texts(&numbers), BatchOptions::default());
        let result = lab.begin(batch.finish());
        lab.runtime.advance(Duration::from_secs(1));
        let (batch, lookups) = result.lock().unwrap().take().expect("the batch has ended");
        let found: Vec<Ruc> =
            lookups.iter().map(|lookup| lookup.outcome.record().unwrap().ruc()).collect();
        assert_eq!(found, numbers);
        assert_eq!(lab.calls(), [20], "{home:?}");
        assert_eq!((batch.counts.found, batch.cache.hit, batch.cache.miss), (100, 80, 20));
        let migo = lab.cache.stats().into_iter().find(|(name, _)| name.as_str() == "migo");
        let (_, counts) = migo.unwrap();
        assert_eq!((counts.hits(), counts.misses()), (80, 20));
    }
}

#[test]
fn missing_ones_of_many_travel_in_full_calls() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        let numbers: Vec<Ruc> = (0..3_000).map(number).collect();
        lab.knows(&numbers);
        for cached in numbers.iter().filter(|ruc| ruc.as_u64() / 10 % 5 != 0) {
            let text = cached.to_string();
            lab.run(lab.rucs.set(record(&text, &text), None)).unwrap();
        }
        let lookups = lab.run(lab.rucs.lookup_many(&numbers));
        assert!(lookups.iter().all(|lookup| lookup.outcome.record().is_some()));
        assert_eq!(lab.calls(), [100; 6], "{home:?}");
    }
}

#[test]
fn order_is_the_input_s_and_a_duplicate_costs_nothing() {
    let lab = Lab::home(Home::Server);
    lab.answers(SUNAT, Answer::found(record(SUNAT, "SUNAT")));
    lab.answers(CONTINENTAL, Answer::Unavailable(Unavailable::new(Cause::Failed)));
    let input = ["x", SUNAT, CONTINENTAL, SUNAT, "20131312956", "20100070970", SUNAT];
    let (record, lookups) = lab.run(lab.rucs.batch(&input, BatchOptions::default()).finish());
    let outcomes: Vec<_> = lookups.iter().map(|lookup| lookup.outcome.as_str()).collect();
    let expected = ["invalid", "found", "unavailable", "found", "invalid", "not_found", "found"];
    assert_eq!(outcomes, expected);
    assert_eq!(lab.calls(), [3]);
    let counts = record.counts;
    let told = (counts.found, counts.not_found, counts.invalid, counts.unavailable);
    assert_eq!(told, (3, 1, 2, 1));
    assert_eq!((record.total, record.done, record.status), (7, 7, BatchStatus::Done));
}

#[test]
fn stream_tells_arithmetic_first_then_the_cache_then_the_source() {
    let lab = Lab::at(Home::Server, 100, Duration::from_secs(1), LookupOptions::default());
    lab.knows(&[number(1), number(2)]);
    let cached = record(&number(2).to_string(), "CACHED");
    lab.run(lab.rucs.set(cached, None)).unwrap();
    let input = [number(1).to_string(), number(2).to_string(), "x".to_owned()];
    let order = |in_order: bool| {
        let batch = lab.rucs.batch(&input, BatchOptions::default());
        let stream = if in_order { batch.in_order().boxed() } else { batch.boxed() };
        let result = lab.begin(stream.map(|item| item.position).collect::<Vec<_>>());
        lab.runtime.advance(Duration::from_secs(1));
        let positions = result.lock().unwrap().take().unwrap();
        lab.run(lab.rucs.delete(&number(1))).unwrap();
        positions
    };
    assert_eq!(order(false), [2, 1, 0]);
    assert_eq!(order(true), [0, 1, 2]);
}

#[test]
fn record_is_found_by_id_for_a_day() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        lab.knows(&[number(1)]);
        let input = texts(&[number(1), number(2)]);
        let batch = lab.rucs.batch(&input, BatchOptions::default().with_id(id("nightly")));
        let (written, _) = lab.run(batch.finish());
        let read = lab.run(lab.rucs.batch_record(&id("nightly"))).unwrap().unwrap();
        assert_eq!(read, written, "{home:?}");
        assert_eq!((read.runs, read.service.as_str()), (1, "migo"));
        // Under the name of the documents, for whoever reads it plainly.
        let plain: serde_json::Value =
            lab.run(lab.cache.get("batch_migo_nightly")).unwrap().unwrap();
        assert_eq!(plain["counts"]["not_found"], 1);
        assert_eq!(plain["started_at"], "2026-01-28T15:00:00.000Z");
        assert!(lab.run(lab.rucs.batch_record(&id("other"))).unwrap().is_none());
        lab.runtime.advance(Ttl::LONG.as_duration());
        assert!(lab.run(lab.rucs.batch_record(&id("nightly"))).unwrap().is_none());
    }
}

#[test]
fn batch_that_is_dropped_is_interrupted_and_resumed_by_its_id() {
    for home in Home::ALL {
        let lab = Lab::at(home, 10, Duration::from_millis(100), LookupOptions::default());
        let numbers: Vec<Ruc> = (0..1_000).map(number).collect();
        lab.knows(&numbers);
        let input = texts(&numbers);
        let options = BatchOptions::default().with_id(id("b1"));
        let mut batch = lab.rucs.batch(&input, options.clone());
        let first = lab.begin(async move {
            for _ in 0..300 {
                assert!(batch.next().await.is_some());
            }
        });
        lab.runtime.advance(Duration::from_secs(1));
        assert!(first.lock().unwrap().is_some());
        lab.runtime.advance(Duration::from_secs(1));
        let record = lab.run(lab.rucs.batch_record(&id("b1"))).unwrap().unwrap();
        assert_eq!((record.status, record.done), (BatchStatus::Interrupted, 300), "{home:?}");
        let asked = lab.calls().len();
        // What was under way has ended, and is in the cache.
        assert!((30..=64).contains(&asked), "{asked} calls");
        let result = lab.begin(lab.rucs.batch(&input, options).finish());
        lab.runtime.advance(Duration::from_secs(2));
        let (record, lookups) = result.lock().unwrap().take().unwrap();
        assert!(lookups.iter().all(|lookup| lookup.outcome.record().is_some()));
        assert_eq!((record.status, record.runs, record.done), (BatchStatus::Done, 2, 1_000));
        assert_eq!(lab.calls().len(), 100);
        assert!(record.started_at < record.updated_at);
    }
}

#[test]
fn what_the_caller_has_is_left_out_and_another_input_begins_anew() {
    let lab = Lab::home(Home::Process);
    let numbers: Vec<Ruc> = (0..10).map(number).collect();
    let input = texts(&numbers);
    let options = BatchOptions::default().with_id(id("b1"));
    let batch = lab.rucs.batch(&input, options.clone().with_from(7));
    let positions: Vec<_> = lab.run(batch.in_order().map(|item| item.position).collect());
    assert_eq!(positions, [7, 8, 9]);
    let record = lab.run(lab.rucs.batch_record(&id("b1"))).unwrap().unwrap();
    assert_eq!((record.status, record.done, record.skipped), (BatchStatus::Done, 3, 7));
    let (record, lookups) = lab.run(lab.rucs.batch(&input[1..], options.clone()).finish());
    assert_eq!((record.runs, lookups.len()), (1, 9));
    let (record, lookups) = lab.run(lab.rucs.batch(&input[1..], options.with_from(99)).finish());
    assert_eq!((record.runs, record.skipped, lookups.len()), (2, 9, 0));
}

#[test]
fn progress_of_a_long_batch_is_written_while_it_runs() {
    let lab = Lab::at(Home::Server, 1, Duration::from_millis(500), LookupOptions::default());
    let numbers: Vec<Ruc> = (0..200).map(number).collect();
    let options = BatchOptions::default().with_id(id("long"));
    let result = lab.begin(lab.rucs.batch(&texts(&numbers), options).finish());
    lab.runtime.advance(Duration::from_millis(1_600));
    let record = lab.run(lab.rucs.batch_record(&id("long"))).unwrap().unwrap();
    assert_eq!(record.status, BatchStatus::Running);
    assert!((32..=96).contains(&record.done), "{}", record.done);
    assert!(result.lock().unwrap().is_none());
    lab.runtime.advance(Duration::from_secs(3));
    assert!(result.lock().unwrap().is_some());
    assert_eq!(lab.calls().len(), 200);
}

#[test]
fn source_that_takes_any_number_is_asked_in_bounded_calls() {
    let lab = Lab::at(Home::Server, usize::MAX, Duration::ZERO, LookupOptions::default());
    let numbers: Vec<Ruc> = (0..3_000).map(number).collect();
    lab.knows(&numbers);
    let lookups = lab.run(lab.rucs.lookup_many(&numbers));
    assert!(lookups.iter().all(|lookup| lookup.outcome.record().is_some()));
    assert_eq!(lab.calls(), [1_024, 1_024, 952]);
}

#[test]
fn number_that_breaks_a_call_is_isolated() {
    let lab = Lab::home(Home::Server);
    let numbers: Vec<Ruc> = (0..100).map(number).collect();
    lab.knows(&numbers);
    lab.provider.panics_on(numbers[42]);
    let lookups = lab.run(lab.rucs.lookup_many(&numbers));
    let unavailable: Vec<usize> =
        (0..100).filter(|at| matches!(lookups[*at].outcome, Outcome::Unavailable(_))).collect();
    assert_eq!(unavailable, [42]);
    // The whole, then both halves of each half that breaks.
    assert!(lab.calls().len() <= 15, "{:?}", lab.calls());
}

#[test]
fn ids_are_safe_in_paths_and_names() {
    for text in ["", "a b", "a/b", "é", &"a".repeat(65)] {
        assert!(text.parse::<BatchId>().is_err(), "{text:?}");
    }
    let lab = Lab::instant();
    let shared = lab.cache.runtime();
    let (one, other) = (BatchId::random(shared), BatchId::random(shared));
    assert_ne!(one, other);
    assert_eq!(one.to_string().parse::<BatchId>().unwrap(), one);
}
