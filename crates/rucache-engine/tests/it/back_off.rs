//! How long a failed load keeps others from trying again.

use std::time::Duration;

use rucache_engine::{CacheError, LoadError, Timing};

use crate::site::{Site, Told, everywhere};
use crate::{HOUR, Lab, with_stale};

/// Reads every 100 ms for `secs` seconds from a source that always fails; the loads that it took.
fn loads_in(lab: &Lab, secs: u32) -> usize {
    let before = lab.source.loads();
    for _ in 0..secs * 10 {
        assert!(lab.now(HOUR).is_err());
        lab.runtime.advance(Duration::from_millis(100));
    }
    lab.source.loads() - before
}

#[test]
fn back_off_doubles_with_every_failure_up_to_its_limit() {
    everywhere(|lab| {
        // At 0, 1, 3, 7, 15, 31 and 63 seconds, or a moment later where a note has to lapse first.
        assert_eq!(loads_in(lab, 60), 6);
        // 63, 127 and 255; five minutes at most from then on.
        assert_eq!(loads_in(lab, 600), 4);
        let hour = loads_in(lab, 3_600);
        assert!((11..=13).contains(&hour), "{hour}");
    });
}

#[test]
fn limit_and_first_back_off_can_be_set() {
    let timing = Timing::default()
        .with_back_off(Duration::from_millis(200))
        .with_max_back_off(Duration::from_millis(400));
    let lab = Lab::with(|builder| builder.timing(timing));
    // At 0, 0.2, 0.6, 1.0, 1.4 … seconds.
    assert_eq!(loads_in(&lab, 2), 6);
}

#[test]
fn success_ends_the_row() {
    everywhere(|lab| {
        for _ in 0..4 {
            assert!(lab.now(HOUR).is_err());
            lab.runtime.advance(Duration::from_secs(10));
        }
        lab.source.gives("value");
        lab.now(HOUR).unwrap();
        lab.runtime.advance(Duration::from_secs(3_601));
        let loads = lab.source.loads();
        assert!(lab.now(HOUR).is_err());
        lab.runtime.advance(Duration::from_millis(1_100));
        assert!(lab.now(HOUR).is_err());
        assert_eq!(lab.source.loads() - loads, 2, "one second, as after a first failure");
    });
}

#[test]
fn row_is_forgotten_after_three_times_its_back_off_and_the_deadline_of_a_load() {
    let lab = Lab::new();
    for pause in [1, 2, 20] {
        assert!(lab.now(HOUR).is_err());
        lab.runtime.advance(Duration::from_secs(pause));
    }
    let loads = lab.source.loads();
    assert!(lab.now(HOUR).is_err());
    lab.runtime.advance(Duration::from_secs(1));
    assert!(lab.now(HOUR).is_err());
    assert_eq!(lab.source.loads() - loads, 2);
}

#[test]
fn rows_of_different_keys_are_apart() {
    let lab = Lab::new();
    for _ in 0..3 {
        assert!(lab.now(HOUR).is_err());
        lab.runtime.advance(Duration::from_secs(5));
    }
    let other = || {
        let read = lab.cache.get_or_load::<u8, _, _, _>("other", HOUR, || async { Err("down") });
        lab.runtime.block_on(read).unwrap_err()
    };
    other();
    lab.runtime.advance(Duration::from_secs(1));
    lab.source.gives("value");
    let read = lab.cache.get_or_load("other", HOUR, || async { Ok::<_, String>(7) });
    assert_eq!(lab.runtime.block_on(read).unwrap(), 7);
}

#[test]
fn failures_of_one_process_lengthen_the_back_off_of_the_next() {
    let site = Site::new();
    let processes = [site.process(Told::Never), site.process(Told::Never)];
    let mut loads_at = Vec::new();
    let mut loads = 0;
    for step in 0..600 {
        for process in &processes {
            assert!(process.now(HOUR).is_err());
        }
        let now = processes[0].source.loads() + processes[1].source.loads();
        if now > loads {
            loads_at.push(step);
            loads = now;
        }
        site.advance(100);
    }
    // One load each time, and a tick for the note to lapse.
    assert_eq!(loads, loads_at.len());
    assert_eq!(loads_at.len(), 6, "{loads_at:?}");
}

#[test]
fn failure_elsewhere_is_told_as_that_and_a_stale_value_serves() {
    let site = Site::new();
    let (one, two) = (site.process(Told::Never), site.process(Told::Never));
    one.source.fails("source is down");
    assert!(one.now(HOUR).is_err());
    let error = two.now(HOUR).unwrap_err();
    assert!(matches!(error, CacheError::Load(LoadError::FailedElsewhere)), "{error:?}");
    site.advance(1_100);
    two.source.gives("old");
    two.now(with_stale()).unwrap();
    site.advance(3_600_000);
    one.source.fails("source is down");
    assert_eq!(*one.now(with_stale()).unwrap(), "old");
    assert_eq!(*two.now(with_stale()).unwrap(), "old");
    assert_eq!(two.source.loads(), 1);
}

#[test]
fn outage_of_the_store_leaves_the_back_off_of_the_process() {
    let site = Site::new();
    let process = site.process(Told::Never);
    process.link.down();
    assert_eq!(loads_in(&process, 60), 6);
}

#[test]
fn panics_and_deadlines_back_off_as_failures_do() {
    everywhere(|lab| {
        lab.source.next(async { panic!("on purpose") });
        assert!(lab.now(HOUR).is_err());
        lab.source.hangs();
        lab.runtime.advance(Duration::from_millis(1_100));
        let hanging = lab.start(HOUR);
        lab.runtime.advance(Duration::from_secs(8));
        assert!(hanging.ended().unwrap().is_err());
        lab.runtime.advance(Duration::from_millis(1_500));
        assert!(lab.now(HOUR).is_err());
        assert_eq!(lab.source.loads(), 2, "two seconds after the second failure");
        lab.runtime.advance(Duration::from_millis(600));
        lab.source.gives("value");
        assert_eq!(*lab.now(HOUR).unwrap(), "value");
    });
}

#[test]
fn certain_absence_is_asked_for_again_after_the_first_back_off_however_often() {
    everywhere(|lab| {
        for _ in 0..5 {
            lab.source.next(async { Ok(rucache_engine::Loaded::absent()) });
            let error = lab.now(HOUR).unwrap_err();
            assert!(matches!(error, CacheError::Load(LoadError::Absent)), "{error:?}");
            lab.runtime.advance(Duration::from_millis(1_100));
        }
        assert_eq!(lab.source.loads(), 5);
    });
}
