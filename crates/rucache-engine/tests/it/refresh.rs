//! Values refreshed in the background by those who read them.

use std::time::Duration;

use rucache_core::{Operation, Ttl};
use rucache_engine::{Loaded, Policy, ServedFrom};

use crate::site::{Site, Told, everywhere};
use crate::{HOUR, Lab, tagged};

fn policy() -> Policy {
    Policy::exact(HOUR).with_stale(Ttl::LONG).with_early_refresh(80)
}

/// A cache with a value past its early point.
fn early(lab: &Lab) {
    lab.source.gives("old");
    lab.now(policy()).unwrap();
    lab.runtime.advance(Duration::from_secs(3_000));
}

#[test]
fn early_read_is_a_hit_and_starts_one_refresh() {
    everywhere(|lab| {
        early(lab);
        let go = lab.source.gives_later("new");
        for _ in 0..5 {
            let hit = lab.now(policy()).unwrap();
            assert_eq!((&**hit, hit.outcome.ttl), ("old", Duration::from_secs(600)));
            lab.runtime.run_until_stalled();
        }
        assert_eq!(lab.source.loads(), 2);
        go.send(()).unwrap();
        lab.runtime.run_until_stalled();
        assert_eq!(*lab.now(policy()).unwrap(), "new");
        assert_eq!(lab.source.loads(), 2);
    });
}

#[test]
fn nothing_is_refreshed_that_nobody_reads() {
    everywhere(|lab| {
        early(lab);
        lab.runtime.advance(Duration::from_secs(86_400));
        assert_eq!(lab.source.loads(), 1);
    });
}

#[test]
fn read_without_a_load_refreshes_nothing() {
    everywhere(|lab| {
        early(lab);
        assert_eq!(lab.get().as_deref(), Some("old"));
        lab.runtime.run_until_stalled();
        assert_eq!(lab.source.loads(), 1);
    });
}

#[test]
fn one_process_of_the_fleet_refreshes() {
    for told in [Told::Never, Told::Always] {
        let site = Site::new();
        let processes = [(); 3].map(|()| site.process(told));
        early(&processes[0]);
        let go = processes[0].source.gives_later("new");
        for process in &processes {
            for _ in 0..3 {
                assert_eq!(*process.now(policy()).unwrap(), "old");
                site.runtime.run_until_stalled();
            }
        }
        let loads = || processes.each_ref().map(|process| process.source.loads());
        assert_eq!(loads(), [2, 0, 0], "{told:?}");
        go.send(()).unwrap();
        site.runtime.run_until_stalled();
        site.advance(2_000);
        for process in &processes {
            assert_eq!(*process.now(policy()).unwrap(), "new");
        }
        assert_eq!(loads(), [2, 0, 0], "{told:?}");
    }
}

#[test]
fn what_another_process_has_refreshed_is_taken_from_the_store() {
    let site = Site::new();
    let (one, two) = (site.process(Told::Never), site.process(Told::Always));
    early(&one);
    two.now(policy()).unwrap();
    site.runtime.run_until_stalled();
    two.link.mute();
    one.source.gives("new");
    site.advance(1_500);
    one.now(policy()).unwrap();
    site.runtime.run_until_stalled();
    // Nothing was told; the read finds its copy early and looks again before it loads.
    let loads = two.source.loads();
    two.now(policy()).unwrap();
    site.runtime.run_until_stalled();
    assert_eq!(*two.now(policy()).unwrap(), "new");
    assert_eq!(two.source.loads(), loads);
}

#[test]
fn change_during_a_refresh_wins() {
    for change in ["delete", "set", "tag", "clear"] {
        everywhere(|lab| {
            lab.source.brings(tagged("old", &["red"]));
            lab.now(policy()).unwrap();
            lab.runtime.advance(Duration::from_secs(3_000));
            let go = lab.source.brings_later(tagged("refreshed", &["red"]));
            assert_eq!(*lab.now(policy()).unwrap(), "old");
            lab.runtime.run_until_stalled();
            assert_eq!(lab.source.loads(), 2);
            match change {
                "delete" => drop(lab.delete()),
                "set" => lab.set("set"),
                "tag" => lab.invalidate_tag("red"),
                _ => lab.clear(),
            }
            go.send(()).unwrap();
            lab.runtime.run_until_stalled();
            assert_eq!(lab.get().as_deref(), (change == "set").then_some("set"), "{change}");
        });
    }
}

#[test]
fn failed_refresh_leaves_the_fresh_value_and_backs_off() {
    everywhere(|lab| {
        early(lab);
        for _ in 0..10 {
            assert_eq!(*lab.now(policy()).unwrap(), "old");
            lab.runtime.advance(Duration::from_millis(50));
        }
        assert_eq!(lab.source.loads(), 2);
    });
}

#[test]
fn value_that_is_as_it_was_lives_on_as_if_loaded_now() {
    everywhere(|lab| {
        early(lab);
        lab.source.brings(Loaded::not_modified());
        lab.now(policy()).unwrap();
        lab.runtime.run_until_stalled();
        lab.runtime.advance(Duration::from_secs(2_000));
        let hit = lab.now(policy()).unwrap();
        assert_eq!((&**hit, hit.outcome.age), ("old", Duration::from_secs(2_000)));
        assert_eq!(lab.source.loads(), 2);
    });
}

#[test]
fn verdict_of_a_refresh_takes_the_place_of_the_value() {
    everywhere(|lab| {
        early(lab);
        lab.source.brings(Loaded::negative("gone"));
        assert_eq!(*lab.now(policy()).unwrap(), "old");
        lab.runtime.run_until_stalled();
        assert!(lab.now(policy()).is_err());
        assert!(lab.stale().is_none());
    });
}

#[test]
fn not_modified_without_anything_kept_is_a_failed_load() {
    everywhere(|lab| {
        lab.source.brings(Loaded::not_modified());
        assert!(lab.now(HOUR).is_err());
        let put = lab.cache.put("name", Loaded::<String>::not_modified(), HOUR);
        assert!(lab.runtime.block_on(put).is_err());
        lab.delete();
        lab.source.brings(Loaded::negative("none"));
        assert!(lab.now(HOUR).is_err());
        let put = lab.cache.put("name", Loaded::<String>::not_modified(), HOUR);
        assert!(lab.runtime.block_on(put).is_err(), "a verdict is no value");
    });
}

#[test]
fn copy_made_by_a_read_without_a_load_is_refreshed_by_one_with() {
    let site = Site::new();
    let process = site.process(Told::Always);
    process.source.gives("old");
    process.now(policy()).unwrap();
    process.get();
    site.advance(3_000_000);
    process.source.gives("new");
    assert_eq!(process.now(policy()).unwrap().outcome.from, ServedFrom::Local);
    site.runtime.run_until_stalled();
    assert_eq!(process.source.loads(), 2);
    assert_eq!(*process.now(policy()).unwrap(), "new");
}

#[test]
fn refresh_costs_the_caller_no_round_trip() {
    let site = Site::new();
    let process = site.process(Told::Always);
    early(&process);
    process.now(policy()).unwrap();
    site.runtime.run_until_stalled();
    process.link.calls();
    let gate = process.link.hold(Operation::Get);
    site.advance(2_000);
    assert_eq!(process.now(policy()).unwrap().outcome.from, ServedFrom::Local);
    drop(gate);
}
