//! Verdicts that there is no value.

use std::time::Duration;

use rucache_core::observer::Tier;
use rucache_core::{Count, Jitter, Ttl};
use rucache_engine::{
    Accept, CacheError, Found, LoadError, Loaded, Policy, ServedFrom, Verdict, Written,
};

use crate::site::{Site, Told, everywhere};
use crate::{HOUR, Lab, with_stale};

/// Two minutes, four, eight, ten at most.
const SHORT: Policy = Policy::negative(Ttl::secs(120), Ttl::secs(600)).with_jitter(Jitter::NONE);

pub(crate) fn none() -> Loaded<String> {
    Loaded::negative("no such taxpayer").with_policy(SHORT)
}

#[track_caller]
pub(crate) fn refused(read: crate::ReadResult) -> Verdict {
    match read {
        Err(CacheError::Load(LoadError::Negative(verdict))) => verdict,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn found(lab: &Lab) -> Option<u32> {
    match lab.look() {
        Found::Negative(verdict) => Some(verdict.negative.attempts),
        Found::Value(hit) => panic!("{hit:?}"),
        Found::Nothing => None,
    }
}

#[track_caller]
pub(crate) fn put(lab: &Lab, loaded: Loaded<String>) {
    let put = lab.cache.put("name", loaded, HOUR);
    assert_eq!(lab.runtime.block_on(put).unwrap(), Written::Done);
}

#[test]
fn verdict_answers_until_it_lapses_and_the_source_is_not_asked() {
    everywhere(|lab| {
        lab.source.brings(none());
        let first = refused(lab.now(HOUR));
        assert_eq!(first.outcome.from, ServedFrom::Load);
        assert_eq!((&*first.negative.reason, first.negative.attempts), ("no such taxpayer", 1));
        lab.runtime.advance(Duration::from_secs(119));
        let again = refused(lab.now(HOUR));
        assert_ne!(again.outcome.from, ServedFrom::Load);
        assert_eq!(
            (again.outcome.age, again.outcome.ttl),
            (Duration::from_secs(119), Duration::from_secs(1))
        );
        assert_eq!(found(lab), Some(1));
        assert_eq!(lab.get(), None);
        assert_eq!(lab.source.loads(), 1);
        lab.runtime.advance(Duration::from_millis(1_100));
        assert_eq!(found(lab), None);
        assert!(lab.stale().is_none());
        lab.source.gives("there is");
        assert_eq!(*lab.now(HOUR).unwrap(), "there is");
    });
}

#[test]
fn verdict_lasts_twice_as_long_with_each_confirmation_up_to_its_limit() {
    everywhere(|lab| {
        let start = lab.runtime.clone();
        let first_seen = rucache_core::Runtime::wall(&start);
        for (attempts, secs) in [(1, 120), (2, 240), (3, 480), (4, 600), (5, 600)] {
            lab.source.brings(none());
            let verdict = refused(lab.now(HOUR));
            assert_eq!(verdict.negative.attempts, attempts);
            assert_eq!(verdict.negative.first_seen, first_seen);
            assert_eq!(verdict.outcome.ttl, Duration::from_secs(secs));
            lab.runtime.advance(Duration::from_secs(secs - 1));
            assert_eq!(found(lab), Some(attempts));
            lab.runtime.advance(Duration::from_millis(1_100));
            assert_eq!(found(lab), None);
        }
        // The record is kept for ten minutes more, and begins anew after that.
        lab.runtime.advance(Duration::from_secs(600));
        lab.source.brings(none());
        assert_eq!(refused(lab.now(HOUR)).negative.attempts, 1);
    });
}

#[test]
fn verdict_lasts_an_hour_at_first_unless_it_says_otherwise_and_not_all_equally_long() {
    let lab = Lab::new();
    let mut lives = Vec::new();
    for name in 0..50 {
        let negative = Loaded::<String>::negative("none");
        let key = name.to_string();
        lab.runtime.block_on(lab.cache.put(&key, negative, HOUR)).unwrap();
        let look = lab.runtime.block_on(lab.cache.look::<String>(&key, Accept::Fresh)).unwrap();
        let Found::Negative(verdict) = look else { panic!("{look:?}") };
        lives.push(verdict.outcome.ttl);
    }
    lives.sort_unstable();
    assert!(lives[0] >= Duration::from_secs(3_240) && lives[49] <= Duration::from_secs(3_960));
    assert!(lives[49] - lives[0] > Duration::from_secs(300), "{lives:?}");
}

#[test]
fn event_that_creates_the_object_removes_the_verdict() {
    everywhere(|lab| {
        for creates in ["delete", "set", "put", "expire", "clear"] {
            put(lab, none());
            assert_eq!(found(lab), Some(1), "{creates}");
            let cache = &lab.cache;
            lab.runtime.block_on(async {
                match creates {
                    "delete" => drop(cache.delete("name").await.unwrap()),
                    "set" => drop(cache.set("name", "there is", HOUR).await.unwrap()),
                    "put" => {
                        let there_is = Loaded::from("there is".to_owned());
                        assert_eq!(cache.put("name", there_is, HOUR).await.unwrap(), Written::Done);
                    }
                    "expire" => drop(cache.expire("name").await.unwrap()),
                    _ => drop(cache.clear().await.unwrap()),
                }
            });
            if !creates.contains("et") && creates != "put" {
                assert_eq!(found(lab), None, "{creates}");
                lab.source.gives("there is");
            } else if creates == "delete" {
                lab.source.gives("there is");
            }
            assert_eq!(*lab.now(HOUR).unwrap(), "there is", "{creates}");
            lab.delete();
        }
    });
}

#[test]
fn verdict_takes_the_place_of_an_older_value_which_is_no_fallback_any_more() {
    everywhere(|lab| {
        lab.source.gives("old");
        lab.now(with_stale()).unwrap();
        lab.runtime.advance(Duration::from_secs(3_600));
        lab.source.brings(none());
        assert_eq!(refused(lab.now(with_stale())).negative.attempts, 1);
        assert!(lab.stale().is_none());
        lab.runtime.advance(Duration::from_secs(120));
        lab.source.fails("source is down");
        let error = lab.now(with_stale()).unwrap_err();
        assert!(matches!(error, CacheError::Load(LoadError::Failed(_))), "{error:?}");
    });
}

#[test]
fn transient_failure_is_never_remembered_as_a_verdict_and_hides_no_stale_value() {
    everywhere(|lab| {
        lab.source.fails("source is down");
        assert!(matches!(lab.now(HOUR), Err(CacheError::Load(LoadError::Failed(_)))));
        assert_eq!(found(lab), None);
        lab.runtime.advance(Duration::from_millis(1_100));
        lab.source.gives("old");
        lab.now(with_stale()).unwrap();
        lab.runtime.advance(Duration::from_secs(3_600));
        lab.source.fails("source is down");
        assert_eq!(*lab.now(with_stale()).unwrap(), "old");
        assert_eq!(lab.stale().map(|hit| hit.to_string()).as_deref(), Some("old"));
    });
}

#[test]
fn failure_after_a_lapsed_verdict_keeps_its_record() {
    everywhere(|lab| {
        lab.source.brings(none());
        refused(lab.now(HOUR));
        lab.runtime.advance(Duration::from_secs(120));
        lab.source.fails("source is down");
        assert!(lab.now(HOUR).is_err());
        lab.runtime.advance(Duration::from_millis(1_100));
        lab.source.brings(none());
        assert_eq!(refused(lab.now(HOUR)).negative.attempts, 2);
    });
}

#[test]
fn verdict_is_shared_and_copied() {
    let site = Site::new();
    let (one, two) = (site.process(Told::Always), site.process(Told::Always));
    one.source.brings(none());
    refused(one.now(HOUR));
    assert_eq!(refused(two.now(HOUR)).outcome.from, ServedFrom::Shared);
    two.link.calls();
    assert_eq!(refused(two.now(HOUR)).outcome.from, ServedFrom::Local);
    assert_eq!((two.link.calls().len(), two.source.loads()), (0, 0));
    one.set("there is");
    assert_eq!(*two.now(HOUR).unwrap(), "there is");
}

#[test]
fn verdict_brought_during_a_change_is_not_stored() {
    everywhere(|lab| {
        let go = lab.source.brings_later(none());
        let before = lab.start(HOUR);
        lab.set("there is");
        go.send(()).unwrap();
        lab.runtime.run_until_stalled();
        let verdict = refused(before.ended().unwrap());
        assert!(!verdict.outcome.stored);
        assert_eq!(lab.get().as_deref(), Some("there is"));
    });
}

#[test]
fn verdict_tells_who_waited_for_anothers_load() {
    everywhere(|lab| {
        let go = lab.source.brings_later(none());
        let callers = [lab.start(HOUR), lab.start(HOUR)];
        go.send(()).unwrap();
        lab.runtime.run_until_stalled();
        let waited = callers.map(|caller| refused(caller.ended().unwrap()).outcome);
        assert_eq!(waited.map(|outcome| outcome.collapsed), [false, true]);
        assert_eq!(waited.map(|outcome| outcome.stored), [true, true]);
    });
}

#[test]
fn long_reason_is_cut_between_characters() {
    everywhere(|lab| {
        put(lab, Loaded::negative("ñ".repeat(200)).with_policy(SHORT));
        let Found::Negative(verdict) = lab.look() else { panic!("a verdict") };
        assert_eq!(verdict.negative.reason, "ñ".repeat(128));
    });
}

#[test]
fn legal_value_null_is_no_verdict_and_a_verdict_is_no_null() {
    everywhere(|lab| {
        lab.runtime.block_on(lab.cache.set("name", &None::<u8>, HOUR)).unwrap();
        let get = || lab.runtime.block_on(lab.cache.get::<Option<u8>>("name")).unwrap();
        assert_eq!(get(), Some(None));
        put(lab, none());
        assert_eq!(get(), None);
        assert!(matches!(
            lab.runtime.block_on(lab.cache.look::<()>("name", Accept::Stale)).unwrap(),
            Found::Negative(_)
        ));
    });
}

#[test]
fn answers_of_verdicts_are_counted_as_such() {
    everywhere(|lab| {
        put(lab, none());
        assert!(lab.now(HOUR).is_err());
        found(lab);
        assert!(lab.cache.peek::<String>("name", Accept::Fresh).unwrap().is_none());
        let counts = &lab.cache.stats()[0].1;
        let peeks_see_it = lab.cache.usage().is_some() && lab.cache.backend().is_none();
        assert!(counts[Count::NegativeHit] >= 2 + u64::from(peeks_see_it), "{counts:?}");
        assert_eq!(counts[Count::Hit(Tier::Local)] + counts[Count::Hit(Tier::Shared)], 0);
    });
}
