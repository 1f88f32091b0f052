//! Looking without being counted: on the way to a load, and for bookkeeping.

use std::time::Duration;

use rucache_core::{Key, Operation, Ttl};
use rucache_engine::{Accept, Found, Loaded, Policy, ServedFrom};

use crate::site::{Site, Told, everywhere};
use crate::{HOUR, Lab};

fn keys() -> Vec<Key> {
    ["value", "verdict", "nothing"]
        .map(|name| Key::parse(&format!("default:{name}")).unwrap())
        .into()
}

/// A value, and a verdict that lapses after a minute.
fn fill(lab: &Lab) {
    lab.runtime.block_on(lab.cache.set("value", "value", HOUR)).unwrap();
    let life = Policy::exact(Ttl::SHORT).with_stale(Ttl::LONG);
    let verdict = Loaded::<String>::negative("none").with_policy(life);
    lab.runtime.block_on(lab.cache.put("verdict", verdict, life)).unwrap();
}

fn reads(lab: &Lab) -> (u64, u64) {
    let counts = lab.cache.stats().into_iter().map(|(_, counts)| counts);
    counts.fold((0, 0), |(hits, misses), counts| (hits + counts.hits(), misses + counts.misses()))
}

#[test]
fn what_is_not_found_is_left_for_the_load_to_count() {
    everywhere(|lab| {
        fill(lab);
        let found = lab.runtime.block_on(lab.cache.find_many::<String>(&keys(), Accept::Fresh));
        assert!(matches!(&found[0], Ok(Found::Value(hit)) if **hit == "value"));
        assert!(matches!(&found[1], Ok(Found::Negative(_))));
        assert!(matches!(&found[2], Ok(Found::Nothing)));
        assert_eq!(reads(lab), (2, 0));
        assert!(matches!(lab.cache.find::<String>("nothing", Accept::Fresh), Ok(Found::Nothing)));
        assert_eq!(reads(lab), (2, 0));
        // Where there is a local tier, it has both now.
        if lab.cache.usage().is_some() {
            assert!(matches!(
                lab.cache.find::<String>("value", Accept::Fresh),
                Ok(Found::Value(_))
            ));
            assert_eq!(reads(lab), (3, 0));
        }
    });
}

#[test]
fn inspection_tells_what_stands_lapsed_or_not_and_counts_nothing() {
    everywhere(|lab| {
        fill(lab);
        let before = lab.cache.usage();
        let inspect = || lab.runtime.block_on(lab.cache.inspect_many::<String>(&keys()));
        let found = inspect();
        assert!(matches!(&found[0], Ok(Found::Value(hit)) if **hit == "value"));
        assert!(
            matches!(&found[1], Ok(Found::Negative(verdict)) if !verdict.outcome.ttl.is_zero())
        );
        assert!(matches!(&found[2], Ok(Found::Nothing)));
        lab.runtime.advance(Duration::from_secs(60));
        let Ok(Found::Negative(lapsed)) = &inspect()[1] else { panic!("it is gone") };
        assert!(
            lapsed.outcome.ttl.is_zero() && matches!(lapsed.outcome.from, ServedFrom::Stale(_))
        );
        assert_eq!((reads(lab), lab.cache.usage()), ((0, 0), before), "not counted, not copied");
    });
}

#[test]
fn inspection_goes_past_copies_and_tells_when_nobody_answers() {
    let site = Site::new();
    let (one, other) = (site.process(Told::Never), site.bare_process());
    fill(&one);
    let value = |lab: &Lab| {
        let mut found = lab.runtime.block_on(lab.cache.inspect_many::<String>(&keys()));
        found.swap_remove(0).map(|found| found.value().map(|hit| hit.to_string()))
    };
    assert_eq!(
        one.runtime.block_on(one.cache.get::<String>("value")).unwrap().as_deref(),
        Some("value")
    );
    one.runtime.block_on(other.cache.set("value", "newer", HOUR)).unwrap();
    assert_eq!(
        one.runtime.block_on(one.cache.get::<String>("value")).unwrap().as_deref(),
        Some("value")
    );
    assert_eq!(value(&one).unwrap().as_deref(), Some("newer"));
    one.link.calls();
    let _ = value(&one);
    assert_eq!(one.link.calls(), [Operation::Get]);
    one.link.down();
    assert!(value(&one).is_err());
}
