//! A server that begins another life, or another one in its place.

use rucache_core::{Change, ErrorKind, Operation};
use rucache_engine::Written;

use crate::site::{Process, Site, Told};
use crate::{HOUR, tagged};

/// The store is another one now; its reads are closed until the process has repaired it.
fn recover(site: &Site, process: &Process, rewound: bool) -> Result<(), rucache_core::Error> {
    if rewound {
        process.link.say(&Change::Rewound);
    }
    let mut results = Vec::new();
    for listener in process.link.listeners() {
        results.push(site.runtime.block_on(listener.node_recovering("node")));
    }
    results.into_iter().collect()
}

#[test]
fn delete_that_the_server_has_forgotten_is_sent_again() {
    for told in [Told::Never, Told::Always] {
        let site = Site::new();
        let process = site.process(told);
        process.set("old");
        let before = site.store.snapshot();
        process.delete();
        site.store.put_back(before);
        recover(&site, &process, true).unwrap();
        assert_eq!((process.get(), site.bare_process().get()), (None, None), "{told:?}");
    }
}

#[test]
fn expire_that_the_server_has_forgotten_is_sent_again() {
    let site = Site::new();
    let process = site.process(Told::Always);
    process.set("old");
    site.advance(61_000);
    let before = site.store.snapshot();
    site.runtime.block_on(process.cache.expire("name")).unwrap();
    site.store.put_back(before);
    recover(&site, &process, true).unwrap();
    assert_eq!(process.get(), None);
    assert_eq!(site.bare_process().stale().unwrap().to_string(), "old");
}

#[test]
fn value_set_shortly_before_is_not_taken_for_an_older_one() {
    let site = Site::new();
    let process = site.process(Told::Always);
    process.set("old");
    let before = site.store.snapshot();
    process.set("new");
    site.store.put_back(before);
    recover(&site, &process, true).unwrap();
    assert_eq!((process.get(), site.bare_process().get()), (None, None));
}

#[test]
fn raised_markers_that_the_server_has_forgotten_are_raised_above_all_that_was_seen() {
    for change in ["tag", "clear", "clear all"] {
        let site = Site::new();
        let process = site.process(Told::Always);
        let put = process.cache.put("name", tagged("old", &["red"]), HOUR);
        site.runtime.block_on(put).unwrap();
        let before = site.store.snapshot();
        let done = match change {
            "tag" => site.runtime.block_on(process.cache.invalidate_tag("red")),
            "clear" => site.runtime.block_on(process.cache.clear()),
            _ => site.runtime.block_on(process.cache.clear_all()),
        };
        assert_eq!(done.unwrap(), Written::Done);
        // Seen as raised by this.
        let put = process.cache.put("other", tagged("new", &["red"]), HOUR);
        site.runtime.block_on(put).unwrap();
        // Longer ago than what is sent again.
        site.advance(61_000);
        site.store.put_back(before);
        recover(&site, &process, true).unwrap();
        assert_eq!((process.get(), site.bare_process().get()), (None, None), "{change}");
    }
}

#[test]
fn markers_that_stand_as_they_were_seen_are_left_alone() {
    let site = Site::new();
    let process = site.process(Told::Always);
    process.set("value");
    site.advance(61_000);
    process.link.calls();
    recover(&site, &process, true).unwrap();
    assert!(!process.link.calls().contains(&Operation::Bump));
    assert_eq!(process.get().as_deref(), Some("value"));
}

#[test]
fn copies_of_what_a_server_has_forgotten_are_outdated() {
    let site = Site::new();
    let process = site.process(Told::Always);
    let before = site.store.snapshot();
    process.set("value");
    process.get();
    site.store.put_back(before);
    process.link.say(&Change::Rewound);
    assert_eq!((process.peek(), process.get()), (None, None));
}

#[test]
fn repair_that_fails_keeps_the_node_closed_and_is_tried_again() {
    for fails in [Operation::Markers, Operation::Delete] {
        let site = Site::new();
        let process = site.process(Told::Always);
        process.set("old");
        let before = site.store.snapshot();
        process.delete();
        site.store.put_back(before);
        process.link.fail(fails, ErrorKind::Timeout);
        let error = recover(&site, &process, true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        process.link.calls();
        recover(&site, &process, false).unwrap();
        let calls = process.link.calls();
        assert!(calls.contains(&Operation::Markers), "markers are looked at again: {calls:?}");
        assert_eq!(site.bare_process().get(), None);
    }
}

#[test]
fn what_was_confirmed_more_than_a_minute_ago_is_not_sent_again() {
    let site = Site::new();
    let process = site.process(Told::Always);
    process.delete();
    site.advance(60_001);
    process.link.calls();
    recover(&site, &process, true).unwrap();
    assert!(!process.link.calls().contains(&Operation::Delete));
    assert_eq!(process.cache.health().undelivered, 0);
}

#[test]
fn more_than_is_remembered_becomes_a_clear_of_the_service() {
    let site = Site::new();
    let process = site.process(Told::Always);
    process.set("old");
    let before = site.store.snapshot();
    process.delete();
    for n in 0..10_001 {
        let name = format!("filler_{n}");
        site.runtime.block_on(process.cache.delete(&name)).unwrap();
    }
    site.store.put_back(before);
    recover(&site, &process, true).unwrap();
    assert_eq!(site.bare_process().get(), None);
    assert_eq!(process.cache.health().undelivered, 0);
}
