//! Entries invalidated together by their tags.

use std::time::Duration;

use rucache_core::{Change, Key, Marker, Operation, ServiceName};
use rucache_engine::{Accept, CacheError, LoadError, Loaded, Written};

use crate::site::{Site, Told, everywhere, key};
use crate::{HOUR, Lab, tagged, with_stale};

fn put(lab: &Lab, name: &str, loaded: Loaded<String>) {
    let put = lab.cache.put(name, loaded, HOUR);
    assert_eq!(lab.runtime.block_on(put).unwrap(), Written::Done);
}

#[track_caller]
fn get(lab: &Lab, name: &str) -> Option<String> {
    lab.runtime.block_on(lab.cache.get::<String>(name)).unwrap()
}

#[test]
fn invalidation_takes_all_that_carry_the_tag_and_nothing_else() {
    everywhere(|lab| {
        put(lab, "both", tagged("1", &["red", "blue"]));
        put(lab, "red", tagged("2", &["red"]));
        put(lab, "blue", tagged("3", &["blue"]));
        put(lab, "none", tagged("4", &[]));
        let other = lab.cache.service(&ServiceName::new("other").unwrap());
        lab.runtime.block_on(other.put("red", tagged("5", &["red"]), HOUR)).unwrap();
        lab.invalidate_tag("red");
        let names = ["both", "red", "blue", "none"];
        let left = names.map(|name| get(lab, name));
        assert_eq!(left, [None, None, Some("3".into()), Some("4".into())]);
        let other = lab.runtime.block_on(other.get::<String>("red")).unwrap();
        assert_eq!(other.as_deref(), Some("5"), "a tag is its service's");
        put(lab, "red", tagged("6", &["red"]));
        assert_eq!(get(lab, "red").as_deref(), Some("6"));
        lab.invalidate_tag("blue");
        assert_eq!(get(lab, "blue"), None);
        assert_eq!(get(lab, "red").as_deref(), Some("6"));
    });
}

#[test]
fn invalidation_is_seen_by_other_processes_at_once_where_told_and_after_two_seconds_elsewhere() {
    for (told, at_once) in [(Told::Always, None), (Told::Never, Some("value"))] {
        let site = Site::new();
        let (here, there) = (site.process(told), site.process(Told::Never));
        put(&there, "name", tagged("value", &["red"]));
        assert_eq!((here.get(), here.get()), (Some("value".into()), Some("value".into())));
        there.invalidate_tag("red");
        assert_eq!(here.peek().as_deref(), at_once);
        site.advance(2_000);
        assert_eq!((here.peek(), here.get()), (None, None), "{told:?}");
    }
}

#[test]
fn stale_value_whose_tag_was_invalidated_is_no_fallback() {
    everywhere(|lab| {
        lab.source.brings(tagged("old", &["red"]));
        lab.now(with_stale()).unwrap();
        lab.runtime.advance(Duration::from_secs(3_600));
        assert!(lab.stale().is_some());
        lab.invalidate_tag("red");
        assert!(lab.stale().is_none());
        lab.source.fails("source is down");
        assert!(lab.now(with_stale()).is_err());
    });
}

#[test]
fn invalidation_of_any_tag_during_a_load_hampers_no_load_without_tags() {
    everywhere(|lab| {
        let go = lab.source.gives_later("value");
        let reading = lab.start(HOUR);
        lab.invalidate_tag("red");
        go.send(()).unwrap();
        lab.runtime.run_until_stalled();
        assert!(reading.ended().unwrap().unwrap().outcome.stored);
        assert_eq!(lab.get().as_deref(), Some("value"));
    });
}

#[test]
fn invalidation_by_another_process_during_a_load_keeps_it_from_being_stored() {
    for told in [Told::Never, Told::Always] {
        let site = Site::new();
        let (here, there) = (site.process(told), site.process(Told::Never));
        let go = here.source.brings_later(tagged("old", &["red"]));
        let before = here.start(HOUR);
        there.invalidate_tag("red");
        go.send(()).unwrap();
        site.runtime.run_until_stalled();
        let hit = before.ended().unwrap().unwrap();
        assert_eq!((&**hit, hit.outcome.stored), ("old", false));
        assert_eq!((here.peek(), here.get(), there.get()), (None, None, None), "{told:?}");
        // The lease was let go with it.
        there.source.gives("new");
        assert_eq!(*there.now(HOUR).unwrap(), "new");
    }
}

#[test]
fn invalidation_between_the_load_and_its_fill_keeps_it_from_being_read() {
    for told in [Told::Never, Told::Always] {
        let site = Site::new();
        let (here, there) = (site.process(told), site.process(Told::Never));
        let gate = here.link.hold(Operation::Write);
        here.source.brings(tagged("old", &["red"]));
        let before = here.start(HOUR);
        there.invalidate_tag("red");
        gate.open();
        site.runtime.run_until_stalled();
        assert_eq!(before.value(), "old");
        site.advance(2_000);
        assert_eq!((here.get(), there.get()), (None, None), "{told:?}");
    }
}

#[test]
fn at_most_sixteen_tags_of_at_most_256_bytes_are_taken() {
    everywhere(|lab| {
        let many = |count: usize| (0..count).map(|tag| tag.to_string());
        let with = |tags: Vec<String>| Loaded::from("value".to_owned()).with_tags(tags);
        put(lab, "name", with(many(16).collect()));
        assert_eq!(lab.get().as_deref(), Some("value"));
        for tags in [many(17).collect(), vec!["x".repeat(257)], vec![String::new()]] {
            let put = lab.cache.put("other", with(tags.clone()), HOUR);
            let error = lab.runtime.block_on(put).unwrap_err();
            assert!(matches!(error, CacheError::Tags(_)), "{error:?}");
            lab.source.brings(with(tags));
            lab.delete();
            let error = lab.now(HOUR).unwrap_err();
            assert!(matches!(error, CacheError::Load(LoadError::Failed(_))), "{error:?}");
        }
        for tag in ["", &*"x".repeat(257)] {
            let error = lab.runtime.block_on(lab.cache.invalidate_tag(tag)).unwrap_err();
            assert!(matches!(error, CacheError::Key(_)), "{error:?}");
        }
        lab.invalidate_tag("15");
        assert_eq!(lab.get(), None);
    });
}

#[test]
fn value_that_is_as_it_was_keeps_its_tags() {
    everywhere(|lab| {
        lab.source.brings(tagged("value", &["red", "blue"]));
        lab.now(with_stale()).unwrap();
        for _ in 0..20 {
            lab.runtime.advance(Duration::from_secs(3_600));
            lab.source.brings(Loaded::not_modified().with_tags(["red"]));
            let hit = lab.now(with_stale()).unwrap();
            assert_eq!(
                (&**hit, hit.outcome.age, hit.outcome.stored),
                ("value", Duration::ZERO, true)
            );
        }
        assert_eq!(lab.get().as_deref(), Some("value"));
        lab.invalidate_tag("blue");
        assert!(lab.stale().is_none());
    });
}

#[test]
fn value_that_is_as_it_was_is_none_once_its_tag_was_invalidated() {
    everywhere(|lab| {
        lab.source.brings(tagged("value", &["red"]));
        lab.now(with_stale()).unwrap();
        lab.runtime.advance(Duration::from_secs(3_600));
        let go = lab.source.brings_later(Loaded::not_modified());
        let before = lab.start(with_stale());
        lab.invalidate_tag("red");
        go.send(()).unwrap();
        lab.runtime.run_until_stalled();
        assert!(!before.ended().unwrap().unwrap().outcome.stored);
        assert!(lab.stale().is_none());
    });
}

#[test]
fn lost_marker_of_a_tag_is_made_anew_and_its_entries_are_misses_for_ever() {
    let site = Site::new();
    let process = site.bare_process();
    put(&process, "name", tagged("old", &["red"]));
    site.store.forget("~t:default:red");
    assert_eq!(process.get(), None);
    put(&process, "other", tagged("new", &["red"]));
    assert_eq!(get(&process, "other").as_deref(), Some("new"));
    assert_eq!(process.get(), None);
}

#[test]
fn copy_of_a_marker_is_not_used_once_changes_are_not_told() {
    let site = Site::new();
    let (here, there) = (site.process(Told::Always), site.process(Told::Never));
    put(&there, "name", tagged("value", &["red"]));
    put(&there, "other", tagged("value", &["red"]));
    assert_eq!(here.get().as_deref(), Some("value"));
    here.link.mute();
    here.link.say(&Change::PushLost);
    there.invalidate_tag("red");
    assert_eq!(get(&here, "other"), None);
    here.link.unmute();
    here.hears();
    assert_eq!((here.get(), get(&here, "other")), (None, None));
}

#[test]
fn marker_that_was_read_before_its_change_was_told_leaves_no_copy() {
    let site = Site::new();
    let (here, there) = (site.process(Told::Always), site.process(Told::Never));
    put(&there, "name", tagged("value", &["red"]));
    let gate = here.link.hold_answer(Operation::Markers);
    let cache = here.cache.clone();
    let reading = here.apart(async move { cache.get::<String>("name").await });
    there.invalidate_tag("red");
    gate.open();
    site.runtime.run_until_stalled();
    assert_eq!(reading.lock().unwrap().take().unwrap().unwrap().as_deref(), Some("value"));
    assert_eq!((here.peek(), here.get()), (None, None));
}

#[test]
fn marker_that_cannot_be_read_makes_the_entry_a_miss_and_no_other() {
    let site = Site::new();
    let process = site.bare_process();
    put(&process, "name", tagged("value", &["red"]));
    put(&process, "plain", tagged("value", &[]));
    process.link.fail(Operation::Markers, rucache_core::ErrorKind::Timeout);
    let keys = [key(), Key::parse("default:plain").unwrap()];
    let found = site.runtime.block_on(process.cache.get_many::<String>(&keys));
    assert_eq!(found, [None, Some("value".into())]);
    assert_eq!(process.get().as_deref(), Some("value"));
}

#[test]
fn told_change_of_a_tag_that_nobody_has_met_is_taken() {
    let site = Site::new();
    let process = site.process(Told::Always);
    for marker in [Marker::Tag(Key::parse("nobody:red").unwrap()), Marker::Tag(key())] {
        process.link.say(&Change::Markers(vec![marker]));
    }
    put(&process, "name", tagged("value", &["red"]));
    assert_eq!(process.get().as_deref(), Some("value"));
}

#[test]
fn tags_hold_for_verdicts_too() {
    everywhere(|lab| {
        lab.source.brings(Loaded::negative("none").with_tags(["red"]));
        assert!(lab.now(HOUR).is_err());
        lab.invalidate_tag("red");
        lab.source.gives("there is");
        lab.runtime.advance(Duration::from_secs(2));
        assert_eq!(*lab.now(HOUR).unwrap(), "there is");
    });
}

#[test]
fn read_that_allows_stale_values_does_not_see_an_invalidated_one() {
    everywhere(|lab| {
        put(lab, "name", tagged("value", &["red"]));
        lab.invalidate_tag("red");
        let peeked = lab.cache.peek::<String>("name", Accept::Stale).unwrap();
        assert!(peeked.is_none() && lab.stale().is_none());
    });
}
