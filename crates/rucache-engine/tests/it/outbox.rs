//! Changes that the shared tier did not confirm.

use rucache_core::{ErrorKind, Key, Operation, ServiceName};
use rucache_engine::{Removed, ServedFrom, Written};

use crate::site::{Process, Site, Told};
use crate::{HOUR, tagged, with_stale};

const DEFERRED: Removed = Removed { existed: false, written: Written::Deferred };

fn undelivered(process: &Process) -> usize {
    process.cache.health().undelivered
}

#[test]
fn delete_that_is_not_confirmed_is_delivered_by_itself_and_own_reads_miss_meanwhile() {
    for told in [Told::Never, Told::Always] {
        let site = Site::new();
        let (here, there) = (site.process(told), site.process(Told::Never));
        here.set("old");
        here.link.fail(Operation::Delete, ErrorKind::Unreachable);
        assert_eq!(here.delete(), DEFERRED);
        assert_eq!((here.peek(), here.get(), here.stale().is_none()), (None, None, true));
        here.source.gives("new");
        let hit = here.now(HOUR).unwrap();
        assert_eq!((&**hit, hit.outcome.stored), ("new", false));
        assert_eq!((undelivered(&here), there.get()), (1, Some("old".into())));
        site.advance(1_000);
        assert_eq!(undelivered(&here), 0);
        site.advance(2_000);
        assert_eq!((here.get(), there.get()), (None, None), "{told:?}");
    }
}

#[test]
fn delivery_is_tried_again_until_it_works() {
    let site = Site::new();
    let process = site.process(Told::Never);
    process.set("old");
    process.link.down();
    assert_eq!(process.delete(), DEFERRED);
    site.advance(60_000);
    assert_eq!(undelivered(&process), 1);
    let tries = process.link.calls().iter().filter(|of| **of == Operation::Delete).count();
    assert!((50..=62).contains(&tries), "once a second: {tries}");
    process.link.up();
    site.advance(1_000);
    assert_eq!((undelivered(&process), site.bare_process().get()), (0, None));
    process.link.calls();
    site.advance(60_000);
    assert_eq!(process.link.calls(), [], "nothing more is sent");
    process.link.down();
    assert_eq!(process.delete(), DEFERRED);
    process.link.up();
    site.advance(1_000);
    assert_eq!(undelivered(&process), 0, "and the next one is delivered too");
}

#[test]
fn node_that_comes_back_gets_what_it_missed_before_its_reads_are_open() {
    let site = Site::new();
    let process = site.process(Told::Always);
    process.set("old");
    process.link.down();
    assert_eq!(process.delete(), DEFERRED);
    process.link.up();
    for listener in process.link.listeners() {
        site.runtime.block_on(listener.node_recovering("node")).unwrap();
    }
    assert_eq!((undelivered(&process), site.bare_process().get()), (0, None));
}

#[test]
fn node_that_fails_its_delivery_stays_closed() {
    let site = Site::new();
    let process = site.process(Told::Always);
    process.link.down();
    assert_eq!(process.delete(), DEFERRED);
    for listener in process.link.listeners() {
        let error = site.runtime.block_on(listener.node_recovering("node")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
    }
    assert_eq!(undelivered(&process), 1);
}

#[test]
fn delete_whose_answer_is_lost_is_sent_again() {
    let site = Site::new();
    let process = site.process(Told::Never);
    process.set("old");
    process.link.lose_answer(Operation::Delete);
    assert_eq!(process.delete(), DEFERRED);
    assert_eq!(process.get(), None);
    site.advance(1_000);
    assert_eq!(undelivered(&process), 0);
}

#[test]
fn set_that_is_not_confirmed_is_read_here_and_the_older_value_by_nobody() {
    for told in [Told::Never, Told::Always] {
        let site = Site::new();
        let (here, there) = (site.process(told), site.process(Told::Never));
        here.set("old");
        here.link.fail(Operation::Write, ErrorKind::Interrupted);
        let set = site.runtime.block_on(here.cache.set("name", "new", HOUR)).unwrap();
        assert_eq!((set, here.get().as_deref()), (Written::Deferred, Some("new")));
        site.advance(1_000);
        assert_eq!(undelivered(&here), 0);
        site.advance(2_000);
        assert_eq!(there.get(), None);
        assert!(matches!(here.get().as_deref(), None | Some("new")), "{told:?}");
    }
}

#[test]
fn set_that_is_confirmed_settles_what_was_deferred_before() {
    let site = Site::new();
    let process = site.process(Told::Never);
    process.set("old");
    process.link.fail(Operation::Delete, ErrorKind::Unreachable);
    assert_eq!(process.delete(), DEFERRED);
    process.set("new");
    assert_eq!((undelivered(&process), process.get().as_deref()), (0, Some("new")));
    site.advance(5_000);
    assert_eq!(process.get().as_deref(), Some("new"), "the older delete does not follow it");
}

#[test]
fn expire_that_is_not_confirmed_is_delivered_and_is_no_more_than_that() {
    for told in [Told::Never, Told::Always] {
        let site = Site::new();
        let (here, there) = (site.process(told), site.process(Told::Never));
        here.source.gives("old");
        here.now(with_stale()).unwrap();
        here.get();
        here.link.fail(Operation::Expire, ErrorKind::Unreachable);
        let expired = site.runtime.block_on(here.cache.expire("name")).unwrap();
        assert_eq!(expired, DEFERRED);
        assert_eq!((here.peek(), here.get()), (None, None));
        assert_eq!(here.stale().unwrap().to_string(), "old");
        site.advance(1_000);
        assert_eq!(undelivered(&here), 0);
        assert_eq!((there.get(), there.stale().unwrap().to_string()), (None, "old".to_owned()));
    }
}

#[test]
fn delete_and_expire_that_were_deferred_both_remove() {
    for order in [["delete", "expire"], ["expire", "delete"]] {
        let site = Site::new();
        let process = site.process(Told::Never);
        process.source.gives("old");
        process.now(with_stale()).unwrap();
        process.link.down();
        for change in order {
            let changed = match change {
                "delete" => site.runtime.block_on(process.cache.delete("name")),
                _ => site.runtime.block_on(process.cache.expire("name")),
            };
            assert_eq!(changed.unwrap(), DEFERRED);
        }
        assert_eq!(undelivered(&process), 1, "newest per key");
        process.link.up();
        site.advance(1_000);
        assert!(site.bare_process().stale().is_none(), "{order:?}");
    }
}

#[test]
fn confirmed_expire_does_not_settle_a_deferred_delete() {
    let site = Site::new();
    let process = site.process(Told::Never);
    process.source.gives("old");
    process.now(with_stale()).unwrap();
    process.link.fail(Operation::Delete, ErrorKind::Unreachable);
    assert_eq!(process.delete(), DEFERRED);
    site.runtime.block_on(process.cache.expire("name")).unwrap();
    assert!(process.stale().is_none());
    site.advance(1_000);
    assert!(site.bare_process().stale().is_none());
}

#[test]
fn group_changes_that_are_not_confirmed_are_delivered_and_own_reads_miss_meanwhile() {
    for change in ["tag", "clear", "clear all"] {
        for told in [Told::Never, Told::Always] {
            let site = Site::new();
            let (here, there) = (site.process(told), site.process(Told::Never));
            let put = here.cache.put("name", tagged("old", &["red"]), HOUR);
            site.runtime.block_on(put).unwrap();
            here.get();
            here.link.down();
            let done = match change {
                "tag" => site.runtime.block_on(here.cache.invalidate_tag("red")),
                "clear" => site.runtime.block_on(here.cache.clear()),
                _ => site.runtime.block_on(here.cache.clear_all()),
            };
            assert_eq!(done.unwrap(), Written::Deferred);
            here.link.up();
            assert_eq!((here.peek(), here.get()), (None, None), "{change}, {told:?}");
            assert_eq!(there.get().as_deref(), Some("old"));
            site.advance(1_000);
            assert_eq!(undelivered(&here), 0, "{change}");
            site.advance(2_000);
            assert_eq!((here.get(), there.get()), (None, None), "{change}, {told:?}");
        }
    }
}

#[test]
fn deferred_change_of_one_service_closes_no_other() {
    let site = Site::new();
    let process = site.process(Told::Never);
    let other = process.cache.service(&ServiceName::new("other").unwrap());
    site.runtime.block_on(other.set("name", "value", HOUR)).unwrap();
    process.set("old");
    process.link.down();
    assert_eq!(site.runtime.block_on(process.cache.clear()).unwrap(), Written::Deferred);
    process.link.up();
    site.advance(500);
    let read = site.runtime.block_on(other.get::<String>("name")).unwrap();
    assert_eq!((read.as_deref(), process.get()), (Some("value"), None));
}

#[test]
fn read_that_began_before_the_delivery_does_not_see_the_old_value_after_it() {
    for told in [Told::Never, Told::Always] {
        let site = Site::new();
        let process = site.process(told);
        process.set("old");
        process.link.fail(Operation::Delete, ErrorKind::Unreachable);
        assert_eq!(process.delete(), DEFERRED);
        let gate = process.link.hold_answer(Operation::Get);
        let cache = process.cache.clone();
        let reading = process.apart(async move { cache.get::<String>("name").await });
        site.advance(1_000);
        assert_eq!(undelivered(&process), 0);
        gate.open();
        site.runtime.run_until_stalled();
        let read = reading.lock().unwrap().take().expect("the read has ended").unwrap();
        assert_eq!(read, None, "the delete had returned before the read began");
        assert_eq!((process.peek(), process.get()), (None, None), "{told:?}");
    }
}

#[test]
fn load_during_which_a_delete_was_deferred_is_not_read_from_the_store() {
    let site = Site::new();
    let process = site.process(Told::Never);
    let go = process.source.gives_later("old");
    let before = process.start(HOUR);
    process.link.fail(Operation::Delete, ErrorKind::Unreachable);
    assert_eq!(process.delete(), DEFERRED);
    go.send(()).unwrap();
    site.runtime.run_until_stalled();
    assert_eq!(before.value(), "old");
    assert_eq!(process.get(), None);
    site.advance(1_000);
    assert_eq!((process.get(), site.bare_process().get()), (None, None));
}

#[test]
fn more_than_fits_becomes_a_clear_of_the_service() {
    let site = Site::new();
    let process = site.process(Told::Never);
    process.set("old");
    let other = process.cache.service(&ServiceName::new("other").unwrap());
    site.runtime.block_on(other.set("name", "value", HOUR)).unwrap();
    process.link.down();
    for n in 0..10_001 {
        let key = Key::parse(&format!("default:{n}")).unwrap();
        assert_eq!(site.runtime.block_on(process.cache.delete(&key)).unwrap(), DEFERRED);
    }
    assert_eq!(undelivered(&process), 1, "one change of the whole service");
    process.link.up();
    site.advance(2_000);
    let bare = site.bare_process();
    assert_eq!((undelivered(&process), bare.get()), (0, None));
    let read = site.runtime.block_on(other.get::<String>("name")).unwrap();
    assert_eq!(read.as_deref(), Some("value"));
}

#[test]
fn value_with_tags_up_to_the_limit_is_refused_and_not_deferred() {
    let site = Site::new();
    let process = site.process(Told::Never);
    let tags: Vec<String> = (0..16).map(|n| format!("{n:0>250}")).collect();
    let limit = rucache_core::Backend::capabilities(&*process.link).max_value_len;
    let len = limit - rucache_core::Envelope::overhead(&crate::site::key()) - 2;
    let value = rucache_engine::Loaded::from("x".repeat(len)).with_tags(tags);
    let put = site.runtime.block_on(process.cache.put("name", value, HOUR));
    assert!(matches!(put, Err(rucache_engine::CacheError::TooLarge { .. })), "{put:?}");
    assert_eq!((undelivered(&process), process.get()), (0, None));
}

#[test]
fn request_that_can_never_work_is_an_error_and_not_deferred() {
    let site = Site::new();
    let process = site.process(Told::Never);
    process.link.fail(Operation::Bump, ErrorKind::Unsupported);
    let cleared = site.runtime.block_on(process.cache.clear());
    let Err(rucache_engine::CacheError::Backend(error)) = cleared else { panic!("{cleared:?}") };
    assert_eq!((error.kind(), undelivered(&process)), (ErrorKind::Unsupported, 0));
}

#[test]
fn outage_costs_one_read_each_and_ends_by_itself() {
    let site = Site::new();
    let process = site.process(Told::Never);
    process.set("value");
    site.advance(2_000);
    process.link.down();
    for _ in 0..10 {
        assert_eq!(process.get(), None);
    }
    process.link.up();
    let hit = process.now(HOUR).unwrap();
    assert_eq!((&**hit, hit.outcome.from), ("value", ServedFrom::Shared));
}
