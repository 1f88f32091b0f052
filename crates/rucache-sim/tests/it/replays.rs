//! A seed is a history.

use rucache_sim::{Tiers, replay, run};

#[test]
fn the_same_seed_is_the_same_history() {
    for tiers in Tiers::ALL {
        for seed in 0..5 {
            let (one, other) = (replay(seed, Some(tiers)), replay(seed, Some(tiers)));
            assert_eq!(one.digest, other.digest, "seed {seed}, {tiers}");
            assert!(one.trace == other.trace, "seed {seed}, {tiers}: the traces differ");
            assert!(one.trace.len() > 100, "{} lines", one.trace.len());
        }
    }
}

#[test]
fn keeping_a_trace_changes_nothing() {
    for seed in 0..8 {
        assert_eq!(run(seed, None).digest, replay(seed, None).digest, "seed {seed}");
    }
}

#[test]
fn other_seeds_are_other_histories() {
    assert_ne!(run(1, Some(Tiers::Push)).digest, run(2, Some(Tiers::Push)).digest);
}

#[test]
fn a_report_tells_how_to_see_it_again() {
    let report = replay(3, Some(Tiers::Pull));
    let text = report.to_string();
    assert!(text.starts_with("seed 3 (pull)\ntiers: pull, processes: "), "{text}");
    assert!(text.ends_with("every promise was kept"), "{text}");
}
