//! Clearing a service, or everything, in one change.

use std::time::Duration;

use rucache_core::{Change, Key, Marker, Operation, ServiceName};
use rucache_engine::{Cache, CacheError, LoadError, Written};

use crate::site::{Site, Told, everywhere};
use crate::{HOUR, Lab, with_stale};

fn in_service(lab: &Lab, name: &str) -> Cache {
    lab.cache.service(&ServiceName::new(name).unwrap())
}

#[test]
fn clear_is_one_round_trip_however_many_entries_there_are() {
    let site = Site::new();
    let process = site.process(Told::Always);
    let values = (0..1_000).map(|n| (Key::parse(&format!("default:{n}")).unwrap(), n)).collect();
    let set = process.cache.set_many(values, HOUR);
    assert!(site.runtime.block_on(set).iter().all(|set| matches!(set, Ok(Written::Done))));
    process.link.calls();
    process.clear();
    assert_eq!(process.link.calls(), [Operation::Bump]);
    let keys: Vec<Key> = (0..1_000).map(|n| Key::parse(&format!("default:{n}")).unwrap()).collect();
    let found = site.runtime.block_on(process.cache.get_many::<i32>(&keys));
    assert!(found.iter().all(Option::is_none));
    assert_eq!(process.link.calls(), [Operation::Get]);
    assert_eq!(site.runtime.block_on(process.cache.clear_all()).unwrap(), Written::Done);
    assert_eq!(process.link.calls(), [Operation::Bump]);
}

#[test]
fn clear_touches_no_service_whose_name_begins_the_same() {
    everywhere(|lab| {
        let services = ["users", "usersabc", "user"].map(|name| in_service(lab, name));
        for service in &services {
            lab.runtime.block_on(service.set("x", &1, HOUR)).unwrap();
        }
        lab.runtime.block_on(services[0].clear()).unwrap();
        let left: Vec<_> = services
            .iter()
            .map(|service| lab.runtime.block_on(service.get::<i32>("x")).unwrap())
            .collect();
        assert_eq!(left, [None, Some(1), Some(1)]);
        lab.runtime.block_on(services[0].clear_all()).unwrap();
        for service in &services {
            assert_eq!(lab.runtime.block_on(service.get::<i32>("x")).unwrap(), None);
        }
    });
}

#[test]
fn clear_leaves_no_fallback() {
    everywhere(|lab| {
        lab.source.gives("old");
        lab.now(with_stale()).unwrap();
        lab.runtime.advance(Duration::from_secs(3_600));
        lab.clear();
        assert!(lab.stale().is_none());
        lab.source.fails("source is down");
        assert!(lab.now(with_stale()).is_err());
    });
}

#[test]
fn clear_by_another_process_is_seen_at_once_where_told_and_after_two_seconds_elsewhere() {
    for (told, at_once) in [(Told::Always, None), (Told::Never, Some("value"))] {
        let site = Site::new();
        let (here, there) = (site.process(told), site.process(Told::Never));
        there.set("value");
        assert_eq!((here.get(), here.get()), (Some("value".into()), Some("value".into())));
        there.clear();
        assert_eq!(here.peek().as_deref(), at_once);
        site.advance(2_000);
        assert_eq!((here.peek(), here.get()), (None, None), "{told:?}");
    }
}

#[test]
fn clear_frees_the_local_tier() {
    for told in [Told::Never, Told::Always] {
        let site = Site::new();
        let process = site.process(told);
        process.set("value");
        process.get();
        assert_eq!(process.cache.usage().unwrap().entries, 1);
        process.clear();
        site.runtime.run_until_stalled();
        assert_eq!(process.cache.usage().unwrap().entries, 0);
    }
}

#[test]
fn lost_marker_of_a_service_is_made_anew_and_its_entries_are_misses_for_ever() {
    for lost in ["~s:default", "~r"] {
        let site = Site::new();
        let process = site.bare_process();
        process.set("old");
        site.store.forget(lost);
        assert_eq!(process.get(), None);
        // Made anew by this, as something that it never was.
        let other = process.cache.set("other", "new", HOUR);
        site.runtime.block_on(other).unwrap();
        assert_eq!(process.get(), None);
        process.source.gives("new");
        assert_eq!(*process.now(HOUR).unwrap(), "new");
        assert_eq!(process.get().as_deref(), Some("new"));
    }
}

#[test]
fn lost_marker_that_was_raised_brings_nothing_back_to_life() {
    let site = Site::new();
    let process = site.bare_process();
    process.set("old");
    for _ in 0..3 {
        process.clear();
        site.store.forget("~s:default");
        assert_eq!(process.get(), None);
        process.clear();
        assert_eq!(process.get(), None);
    }
}

#[test]
fn clear_ends_a_back_off() {
    everywhere(|lab| {
        lab.source.fails("down");
        assert!(lab.now(HOUR).is_err());
        assert!(lab.now(HOUR).is_err());
        assert_eq!(lab.source.loads(), 1);
        lab.clear();
        let again = lab.now(HOUR);
        // A fleet's note stands where it was; this process does not answer from memory.
        assert!(again.is_err());
        let error = again.unwrap_err();
        let in_process = matches!(error, CacheError::Load(LoadError::Failed(_)));
        assert_eq!(in_process, lab.cache.backend().is_none(), "{error:?}");
    });
}

#[test]
fn who_comes_two_seconds_after_another_process_cleared_does_not_join_an_older_load() {
    for change in [Marker::Root, Marker::Service(ServiceName::default())] {
        let site = Site::new();
        let (here, there) = (site.process(Told::Never), site.process(Told::Never));
        let old = here.source.gives_later("old");
        let before = here.start(HOUR);
        site.advance(100);
        match change {
            Marker::Root => drop(site.runtime.block_on(there.cache.clear_all()).unwrap()),
            _ => there.clear(),
        }
        site.advance(2_000);
        here.source.gives("new");
        let after = here.start(HOUR);
        old.send(()).unwrap();
        site.advance(200);
        assert_eq!((before.value(), after.value()), ("old".into(), "new".into()));
    }
}

#[test]
fn told_change_of_everything_takes_everything() {
    let site = Site::new();
    for change in [Change::Everything, Change::Service(ServiceName::default())] {
        let process = site.process(Told::Always);
        process.set("value");
        process.get();
        assert_eq!(process.peek().as_deref(), Some("value"));
        process.link.say(&change);
        assert_eq!(process.peek(), None);
        assert_eq!(process.get().as_deref(), Some("value"));
    }
}
