//! Fresh, early, stale, gone.

use std::time::Duration;

use rucache_core::{Jitter, Runtime, Ttl};
use rucache_engine::{Accept, LoadError, Policy, ServedFrom, StaleReason, Written};

use crate::{HOUR, Lab, with_stale};

#[test]
fn explicit_ttl_is_exact() {
    let lab = Lab::new();
    lab.runtime.block_on(lab.cache.set("name", "value", HOUR)).unwrap();
    let get = || lab.runtime.block_on(lab.cache.get::<String>("name")).unwrap();
    lab.runtime.advance(Duration::from_millis(3_599_999));
    assert_eq!(get(), Some("value".to_owned()));
    lab.runtime.advance(Duration::from_millis(1));
    assert_eq!(get(), None);
    assert!(lab.cache.peek::<String>("name", Accept::Stale).unwrap().is_none());
}

#[test]
fn shortest_and_longest_lives_are_neither_for_ever_nor_already_over() {
    let lab = Lab::new();
    let get = || lab.runtime.block_on(lab.cache.get::<u8>("name")).unwrap();
    lab.runtime.block_on(lab.cache.set("name", &1_u8, Ttl::MIN)).unwrap();
    assert_eq!(get(), Some(1));
    lab.runtime.advance(Duration::from_millis(1));
    assert_eq!(get(), None);
    lab.runtime.block_on(lab.cache.set("name", &2_u8, Ttl::MAX)).unwrap();
    lab.runtime.advance(Duration::from_secs(99 * 365 * 86_400));
    assert_eq!(get(), Some(2));
}

#[test]
fn hit_tells_age_and_remaining_life() {
    let lab = Lab::new();
    lab.source.gives("value");
    let loaded = lab.now(HOUR).unwrap();
    assert_eq!(loaded.outcome.from, ServedFrom::Load);
    assert!(loaded.outcome.stored);
    lab.runtime.advance(Duration::from_secs(59));
    let hit = lab.now(HOUR).unwrap();
    assert_eq!(hit.outcome.from, ServedFrom::Local);
    assert_eq!(hit.outcome.age, Duration::from_secs(59));
    assert_eq!(hit.outcome.ttl, Duration::from_secs(3541));
    assert_eq!(lab.source.loads(), 1);
}

#[test]
fn stamp_is_taken_before_the_load() {
    let lab = Lab::new();
    let go = lab.source.gives_later("value");
    let read = lab.start(HOUR);
    lab.runtime.advance(Duration::from_secs(5));
    go.send(()).unwrap();
    lab.runtime.run_until_stalled();
    let hit = read.ended().unwrap().unwrap();
    assert_eq!(hit.outcome.age, Duration::from_secs(5));
    assert_eq!(hit.outcome.ttl, Duration::from_secs(3595));
}

#[test]
fn past_the_soft_deadline_a_load_runs_and_its_value_is_served() {
    let lab = Lab::new();
    lab.source.gives("old");
    lab.now(with_stale()).unwrap();
    lab.runtime.advance(Duration::from_secs(3600));
    assert!(lab.cache.peek::<String>("name", Accept::Fresh).unwrap().is_none());
    let allowed = lab.cache.peek::<String>("name", Accept::Stale).unwrap().unwrap();
    assert_eq!(allowed.outcome.from, ServedFrom::Stale(StaleReason::Allowed));
    lab.source.gives("new");
    assert_eq!(*lab.now(with_stale()).unwrap(), "new");
    assert_eq!(lab.source.loads(), 2);
}

#[test]
fn failed_load_falls_back_on_the_stale_value_until_the_hard_deadline() {
    let lab = Lab::new();
    lab.source.gives("old");
    lab.now(with_stale()).unwrap();
    lab.runtime.advance(Duration::from_secs(3600));
    lab.source.fails("source is down");
    let hit = lab.now(with_stale()).unwrap();
    assert_eq!(*hit, "old");
    assert_eq!(hit.outcome.from, ServedFrom::Stale(StaleReason::LoadError));
    assert_eq!(hit.outcome.age, Duration::from_secs(3600));
    lab.runtime.advance(Duration::from_secs(60));
    let hit = lab.cache.peek::<String>("name", Accept::Stale).unwrap().unwrap();
    assert_eq!((hit.outcome.ttl, hit.outcome.stale_for), (Duration::ZERO, Duration::from_secs(60)));
    lab.runtime.advance(Duration::from_secs(86_340));
    lab.source.fails("source is down");
    assert!(lab.now(with_stale()).is_err());
}

#[test]
fn certain_absence_drops_the_stale_value_and_is_no_fallback() {
    let lab = Lab::new();
    lab.source.gives("old");
    lab.now(with_stale()).unwrap();
    lab.runtime.advance(Duration::from_secs(3600));
    lab.source.next(async { Ok(rucache_engine::Loaded::absent()) });
    let error = lab.now(with_stale()).unwrap_err();
    assert!(matches!(error, rucache_engine::CacheError::Load(LoadError::Absent)), "{error:?}");
    assert!(lab.cache.peek::<String>("name", Accept::Stale).unwrap().is_none());
}

#[test]
fn slow_load_falls_back_on_the_stale_value_after_the_soft_timeout_and_still_fills() {
    let lab = Lab::new();
    lab.source.gives("old");
    lab.now(with_stale()).unwrap();
    lab.runtime.advance(Duration::from_secs(3600));
    let go = lab.source.gives_later("new");
    let read = lab.start(with_stale());
    lab.runtime.advance(Duration::from_millis(499));
    assert!(read.ended().is_none());
    lab.runtime.advance(Duration::from_millis(1));
    let hit = read.ended().unwrap().unwrap();
    assert_eq!(*hit, "old");
    assert_eq!(hit.outcome.from, ServedFrom::Stale(StaleReason::SoftTimeout));
    go.send(()).unwrap();
    lab.runtime.run_until_stalled();
    assert_eq!(*lab.now(with_stale()).unwrap(), "new");
    assert_eq!(lab.source.loads(), 2);
}

#[test]
fn read_past_the_early_point_is_a_hit_and_refreshes_once_in_the_background() {
    let lab = Lab::new();
    let policy = with_stale().with_early_refresh(80);
    lab.source.gives("old");
    lab.now(policy).unwrap();
    lab.runtime.advance(Duration::from_secs(2879));
    lab.now(policy).unwrap();
    assert_eq!(lab.source.loads(), 1);
    lab.runtime.advance(Duration::from_secs(1));
    let go = lab.source.gives_later("new");
    for _ in 0..3 {
        assert_eq!(*lab.now(policy).unwrap(), "old");
        lab.runtime.run_until_stalled();
    }
    assert_eq!(lab.source.loads(), 2);
    go.send(()).unwrap();
    lab.runtime.run_until_stalled();
    assert_eq!(*lab.now(policy).unwrap(), "new");
    assert_eq!(lab.source.loads(), 2);
}

#[test]
fn failed_early_refresh_leaves_the_fresh_value() {
    let lab = Lab::new();
    let policy = Policy::exact(HOUR).with_early_refresh(80);
    lab.source.gives("value");
    lab.now(policy).unwrap();
    lab.runtime.advance(Duration::from_secs(3000));
    lab.source.fails("source is down");
    for _ in 0..3 {
        assert_eq!(lab.now(policy).unwrap().outcome.from, ServedFrom::Local);
        lab.runtime.run_until_stalled();
    }
    assert_eq!(lab.source.loads(), 2);
}

#[test]
fn value_may_bring_its_own_policy() {
    let lab = Lab::new();
    let short = rucache_engine::Loaded::from("value".to_owned()).with_policy(Ttl::SHORT);
    lab.source.next(async { Ok(short) });
    lab.now(HOUR).unwrap();
    lab.runtime.advance(Duration::from_secs(60));
    assert!(lab.cache.peek::<String>("name", Accept::Fresh).unwrap().is_none());
}

#[test]
fn jitter_spreads_what_was_loaded_together() {
    let lab = Lab::new();
    let policy = Policy::exact(HOUR).with_jitter(Jitter::percent(10));
    let mut lives = Vec::new();
    for name in 0..100 {
        let key = format!("name_{name}");
        lab.runtime.block_on(lab.cache.set(&key, &name, policy)).unwrap();
        lives.push(lab.cache.peek::<i32>(&key, Accept::Fresh).unwrap().unwrap().outcome.ttl);
    }
    lives.sort_unstable();
    assert!(lives[0] >= Duration::from_secs(3240) && lives[99] <= Duration::from_secs(3960));
    assert!(lives[99] - lives[0] > Duration::from_secs(500), "{lives:?}");
}

#[test]
fn wall_clock_stepping_back_or_forth_moves_no_deadline() {
    let lab = Lab::new();
    lab.source.gives("value");
    lab.now(HOUR).unwrap();
    let wall = lab.runtime.wall();
    for step in [-86_400_000_i64, 86_400_000] {
        let moved = wall.as_millis().saturating_add_signed(step);
        lab.runtime.set_wall(rucache_core::Timestamp::from_millis(moved));
        assert_eq!(lab.now(HOUR).unwrap().outcome.from, ServedFrom::Local);
    }
    lab.runtime.advance(Duration::from_secs(3600));
    lab.source.fails("gone");
    let error = lab.now(HOUR).unwrap_err();
    assert!(matches!(error, rucache_engine::CacheError::Load(LoadError::Failed(_))), "{error:?}");
}

#[test]
fn what_has_expired_is_dropped_as_more_is_stored() {
    let lab = Lab::new();
    let store = |name: String, ttl| {
        assert_eq!(lab.runtime.block_on(lab.cache.set(&name, &0, ttl)).unwrap(), Written::Done);
    };
    (0..1_000).for_each(|n| store(format!("short_{n}"), Ttl::MIN));
    lab.runtime.advance(Duration::from_millis(1));
    assert_eq!(lab.cache.usage().unwrap().entries, 1_000);
    (0..24).for_each(|n| store(format!("long_{n}"), HOUR));
    lab.runtime.run_until_stalled();
    assert_eq!(lab.cache.usage().unwrap().entries, 24);
}
