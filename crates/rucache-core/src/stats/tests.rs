//! Tests of counters and counts.

use std::collections::BTreeSet;
use std::sync::Barrier;

use super::*;
use crate::observer::{LoadResult, StaleReason, Tier};

const HIT: Count = Count::Hit(Tier::Local);

#[test]
fn every_count_has_its_own_place_and_label() {
    let all: Vec<Count> = Count::all().collect();
    assert_eq!(all.len(), Count::LEN);
    for (place, count) in all.iter().enumerate() {
        assert_eq!(count.place(), place, "{count}");
    }
    let labels: BTreeSet<String> = all.iter().map(Count::to_string).collect();
    assert_eq!(labels.len(), Count::LEN);
    assert!(labels.contains("hit_local") && labels.contains("load_timeout"));
    assert!(labels.contains("invalidation_namespace_push"));
}

#[test]
fn what_is_added_is_read_and_nothing_else() {
    let counters = Counters::default();
    counters.add(Count::Coalesced, 3);
    counters.add(Count::Coalesced, 4);
    let counts = counters.read();
    assert_eq!(counts[Count::Coalesced], 7);
    assert_eq!(counts.total(|_| true), 7);
    assert_eq!(format!("{counts:?}"), r#"{"coalesced": 7}"#);
}

#[test]
fn threads_lose_no_count_and_have_stripes_of_their_own() {
    let counters = Counters::default();
    let together = Barrier::new(STRIPES);
    let stripes: BTreeSet<usize> = thread::scope(|scope| {
        let threads: Vec<_> = (0..STRIPES)
            .map(|_| {
                scope.spawn(|| {
                    together.wait();
                    (0..10_000).for_each(|_| counters.add(Count::Miss, 1));
                    stripe()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(counters.read()[Count::Miss], 160_000);
    // Other tests start threads in between; one number for all would be a hash that lost it.
    assert!(stripes.len() > STRIPES / 2, "{stripes:?}");
    assert!(stripes.iter().all(|stripe| *stripe < STRIPES));
}

#[test]
fn hit_rate_is_cut_to_one_decimal() {
    for (hits, misses, rate) in [
        (1523, 342, 81.6),
        (1, 1, 50.0),
        (0, 0, 0.0),
        (0, 7, 0.0),
        (7, 0, 100.0),
        (999_999, 1, 99.9),
        (u64::MAX / 2, u64::MAX / 2, 50.0),
    ] {
        let counters = Counters::default();
        counters.add(HIT, hits);
        counters.add(Count::Miss, misses);
        let found = counters.read().hit_rate();
        assert!((found - rate).abs() < 1e-9, "{hits} and {misses}: {found}, not {rate}");
    }
}

#[test]
fn stale_and_negative_answers_are_hits_and_errors_are_misses() {
    let counters = Counters::default();
    for count in [
        HIT,
        Count::Hit(Tier::Shared),
        Count::Stale(StaleReason::LoadError),
        Count::NegativeHit,
        Count::Miss,
        Count::Error,
        Count::Bypass,
        Count::Coalesced,
    ] {
        counters.add(count, 1);
    }
    assert_eq!((counters.read().hits(), counters.read().misses()), (4, 2));
}

#[test]
fn loads_in_flight_are_those_that_began_and_did_not_end() {
    let counters = Counters::default();
    counters.add(Count::LoadStarted, 5);
    counters.add(Count::Load(LoadResult::Success), 2);
    counters.add(Count::Load(LoadResult::Panic), 1);
    counters.add(Count::Load(LoadResult::Overloaded), 9);
    assert_eq!(counters.read().loads_in_flight(), 2);
}

#[test]
fn counts_add_up_and_have_a_difference() {
    let counters = Counters::default();
    counters.add(HIT, 2);
    let before = counters.read();
    counters.add(HIT, 3);
    counters.add(Count::Miss, 1);
    let after = counters.read();
    let between = after.since(&before);
    assert_eq!((between[HIT], between[Count::Miss]), (3, 1));
    assert_eq!(before.since(&after), Counts::default());
    let sum: Counts = [&before, &between].into_iter().sum();
    assert_eq!(sum, after);
}

#[test]
fn one_in_128_is_sampled_beginning_with_the_first() {
    let counters = Counters::default();
    let sampled: Vec<u32> = (0..300)
        .filter(|_| {
            let sampled = counters.samples(HIT);
            counters.add(HIT, 1);
            sampled
        })
        .collect();
    assert_eq!(sampled, [0, 128, 256]);
}
