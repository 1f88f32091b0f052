//! One load for the fleet, whatever becomes of the lease.

use std::time::Duration;

use rucache_core::{ErrorKind, Operation};
use rucache_engine::{CacheError, LoadError, Loaded};

use crate::site::{Process, Site, Told};
use crate::{HOUR, with_stale};

fn two() -> (Site, Process, Process) {
    let site = Site::new();
    let (one, two) = (site.process(Told::Never), site.process(Told::Never));
    (site, one, two)
}

#[test]
fn lease_ends_with_its_load_however_that_ends() {
    for end in ["value", "failure", "panic", "deadline", "nothing", "too much", "left"] {
        let (site, one, two) = two();
        let source = &one.source;
        match end {
            "value" => source.gives("value"),
            "failure" => source.fails("down"),
            "panic" => source.next(async { panic!("on purpose") }),
            "deadline" | "left" => source.hangs(),
            "nothing" => source.brings(Loaded::absent()),
            _ => source.gives(&"x".repeat(2_000_000)),
        }
        let reading = one.start(HOUR);
        if end == "left" {
            drop(reading);
        }
        site.advance(8_000);
        // What is failed backs off for a second.
        site.advance(1_100);
        two.source.gives("value");
        two.source.gives("value");
        assert_eq!(*two.now(HOUR).unwrap(), "value", "{end}");
        assert_eq!(two.source.loads(), usize::from(end != "value"), "{end}");
    }
}

#[test]
fn lease_of_a_load_that_nothing_can_be_stored_of_is_let_go_at_once() {
    let (_site, one, two) = two();
    // The markers that the entry would stand under cannot be read.
    one.link.fail(Operation::Markers, ErrorKind::Timeout);
    let go = one.source.gives_later("one");
    let reading = one.start(HOUR);
    two.source.gives("two");
    assert_eq!(*two.now(HOUR).unwrap(), "two");
    go.send(()).unwrap();
    one.runtime.run_until_stalled();
    let hit = reading.ended().unwrap().unwrap();
    assert_eq!((&**hit, hit.outcome.stored), ("one", false));
    assert_eq!(two.get().as_deref(), Some("two"));
}

#[test]
fn load_asks_nothing_more_of_a_store_that_let_it_wait_once() {
    use Operation::{Get, Lease, Markers, Release, Write};
    let first_of_its_service: &[_] =
        &[(Get, &[Get][..]), (Markers, &[Get, Markers]), (Lease, &[Get, Markers, Lease, Markers])];
    let later: &[_] = &[
        (Markers, &[Get, Lease, Markers, Release][..]),
        (Write, &[Get, Lease, Markers, Markers, Markers, Write, Release]),
    ];
    for (is_first, cases) in [(true, first_of_its_service), (false, later)] {
        for (silent, calls) in cases {
            let site = Site::new();
            let process = site.process(Told::Never);
            if !is_first {
                site.bare_process().set("old");
                process.delete();
                process.link.calls();
            }
            process.link.fail(*silent, ErrorKind::Timeout);
            process.source.brings(crate::tagged("value", &["red"]));
            let hit = process.now(HOUR).unwrap();
            assert_eq!((&**hit, hit.outcome.stored), ("value", false), "{silent:?}");
            site.runtime.run_until_stalled();
            assert_eq!(process.link.calls(), *calls, "{silent:?}");
        }
    }
}

#[test]
fn read_that_cannot_compare_the_tags_of_an_entry_asks_for_no_lease() {
    let site = Site::new();
    let tagged = || crate::tagged("value", &["red"]);
    site.runtime.block_on(site.bare_process().cache.put("name", tagged(), HOUR)).unwrap();
    let process = site.process(Told::Never);
    process.link.fail(Operation::Markers, ErrorKind::Timeout);
    process.source.brings(tagged());
    assert_eq!(*process.now(HOUR).unwrap(), "value");
    assert_eq!(process.link.calls(), [Operation::Get, Operation::Markers]);
}

#[test]
fn lease_that_the_store_loses_refuses_the_fill() {
    let (site, one, two) = two();
    let go = one.source.gives_later("old");
    let before = one.start(HOUR);
    // The slot of the entry holds nothing but the lease.
    site.store.forget("default:name");
    two.source.gives("new");
    assert_eq!(*two.now(HOUR).unwrap(), "new");
    go.send(()).unwrap();
    site.runtime.run_until_stalled();
    let hit = before.ended().unwrap().unwrap();
    assert_eq!((&**hit, hit.outcome.stored), ("old", false));
    assert_eq!(site.bare_process().get().as_deref(), Some("new"));
}

#[test]
fn lease_that_cannot_be_asked_for_costs_no_load() {
    let (site, one, two) = two();
    one.link.fail(Operation::Lease, ErrorKind::Timeout);
    one.source.gives("value");
    let hit = one.now(HOUR).unwrap();
    assert_eq!((&**hit, hit.outcome.stored), ("value", false));
    two.source.gives("value");
    assert!(two.now(HOUR).unwrap().outcome.stored);
    drop(site);
}

#[test]
fn lease_whose_renewal_fails_for_a_while_is_still_the_holders() {
    let (site, one, two) = two();
    let go = one.source.gives_later("value");
    let first = one.start(HOUR);
    one.link.fail(Operation::Renew, ErrorKind::Timeout);
    site.advance(4_000);
    let second = two.start(HOUR);
    go.send(()).unwrap();
    site.advance(200);
    assert!(first.ended().unwrap().unwrap().outcome.stored);
    assert_eq!((second.value(), two.source.loads()), ("value".into(), 0));
}

#[test]
fn holder_that_is_cut_off_costs_the_fleet_five_seconds_and_one_load_more() {
    let (site, one, two) = two();
    let go = one.source.gives_later("old");
    let first = one.start(HOUR);
    site.advance(100);
    one.link.down();
    two.source.gives("new");
    let second = two.start(HOUR);
    site.advance(4_800);
    assert!(second.ended().is_none());
    site.advance(300);
    assert_eq!(second.value(), "new");
    one.link.up();
    go.send(()).unwrap();
    site.runtime.run_until_stalled();
    assert!(!first.ended().unwrap().unwrap().outcome.stored);
    assert_eq!(two.get().as_deref(), Some("new"));
}

#[test]
fn who_waits_for_another_process_for_as_long_as_a_load_may_take_is_told_so() {
    let (site, one, two) = two();
    one.source.hangs();
    one.source.hangs();
    let _first = one.start(HOUR);
    // Renewed by a holder that never ends its load: its deadline is longer than ours.
    let patient = two.start(HOUR);
    site.advance(7_900);
    assert!(patient.ended().is_none());
    site.advance(2_200);
    let ended = patient.ended().expect("within the hard timeout");
    let error = ended.unwrap_err();
    let told =
        matches!(error, CacheError::Load(LoadError::FailedElsewhere | LoadError::LoadedElsewhere));
    assert!(told, "{error:?}");
}

#[test]
fn fill_whose_answer_is_lost_is_served_and_told_as_not_stored() {
    let (_site, one, two) = two();
    one.link.lose_answer(Operation::Write);
    one.source.gives("value");
    let hit = one.now(HOUR).unwrap();
    assert_eq!((&**hit, hit.outcome.stored), ("value", false));
    assert_eq!(*two.now(HOUR).unwrap(), "value");
}

#[test]
fn fill_that_fails_is_served_and_the_stale_value_lives_on() {
    let (site, one, two) = two();
    one.source.gives("old");
    one.now(with_stale()).unwrap();
    site.advance(3_600_000);
    one.link.fail(Operation::Write, ErrorKind::Full);
    one.source.gives("new");
    assert_eq!(*one.now(with_stale()).unwrap(), "new");
    assert_eq!(two.stale().unwrap().to_string(), "old");
    // The lease runs out by itself.
    site.advance(5_100);
    two.source.gives("newer");
    assert_eq!(*two.now(with_stale()).unwrap(), "newer");
}

#[test]
fn leader_that_is_never_polled_again_blocks_nobody() {
    let (site, one, two) = two();
    one.source.gives("value");
    let mut leader = one.read(HOUR);
    assert!(futures_util::FutureExt::now_or_never(&mut leader).is_none());
    // Held, and never polled.
    let waiting = [one.start(HOUR), two.start(HOUR)];
    site.advance(100);
    assert!(waiting.iter().all(|caller| caller.value() == "value"));
    assert_eq!((one.source.loads(), two.source.loads()), (1, 0));
    drop(leader);
}

#[test]
fn process_that_dies_in_its_load_costs_five_seconds_and_one_load_more() {
    let site = Site::new();
    let survivor = site.process(Told::Never);
    {
        // Its clock stands still: whatever it would do, it does no more.
        let frozen = rucache_core::TestRuntime::new(2);
        let dying =
            crate::Lab::of(&frozen, rucache_engine::Cache::on_backend(survivor.link.clone()));
        dying.source.hangs();
        let _reading = dying.start(HOUR);
        frozen.advance(Duration::from_millis(10));
    }
    survivor.source.gives("value");
    let waiting = survivor.start(HOUR);
    site.advance(4_800);
    assert!(waiting.ended().is_none());
    site.advance(400);
    assert_eq!((waiting.value(), survivor.source.loads()), ("value".into(), 1));
}
