//! Callers who leave in the middle of a call.

use futures_util::FutureExt;
use rucache_core::Operation;
use rucache_engine::Written;

use crate::HOUR;
use crate::site::{Process, Site, Told};

/// Operations of the store that a change passes, one after the other.
const STEPS: [Operation; 6] = [
    Operation::Markers,
    Operation::Get,
    Operation::Write,
    Operation::Delete,
    Operation::Expire,
    Operation::Bump,
];

/// A change of one kind, polled until it waits for the store and dropped there.
fn begin_and_leave(process: &Process, change: &str, step: Operation, answers: bool) {
    let gate = if answers { process.link.hold_answer(step) } else { process.link.hold(step) };
    let cache = process.cache.clone();
    let verdict = || rucache_engine::Loaded::<String>::negative("none");
    let mut changing = Box::pin(async move {
        match change {
            "set" => drop(cache.set("name", "new", HOUR).await),
            "verdict" => drop(cache.put("name", verdict(), HOUR).await),
            "delete" => drop(cache.delete("name").await),
            "expire" => drop(cache.expire("name").await),
            "tag" => drop(cache.invalidate_tag("red").await),
            _ => drop(cache.clear().await),
        }
    });
    let _ = (&mut changing).now_or_never();
    process.runtime.run_until_stalled();
    drop(changing);
    gate.open();
    process.runtime.run_until_stalled();
}

#[test]
fn change_that_is_left_in_any_step_leaves_nothing_half_done() {
    for told in [Told::Never, Told::Always] {
        for change in ["set", "verdict", "delete", "expire", "tag", "clear"] {
            for step in STEPS {
                for answers in [false, true] {
                    let site = Site::new();
                    let process = site.process(told);
                    let old = crate::tagged("old", &["red"]);
                    site.runtime.block_on(process.cache.put("name", old, HOUR)).unwrap();
                    process.get();
                    begin_and_leave(&process, change, step, answers);
                    let case = format!("{change} left at {step:?}, {told:?}");
                    // The caller has no word: the old value, or what would be there.
                    let read = process.get();
                    let fits = matches!(read.as_deref(), None | Some("old" | "new"));
                    assert!(fits, "{case}: {read:?}");
                    // What this process reads is what the store has.
                    site.advance(2_000);
                    assert_eq!(process.get(), site.bare_process().get(), "{case}");
                    // No fence and no lease is left behind.
                    process.delete();
                    process.source.gives("loaded");
                    let hit = process.now(HOUR).unwrap();
                    assert_eq!((&**hit, hit.outcome.stored), ("loaded", true), "{case}");
                    let after = process.cache.set("name", "after", HOUR);
                    assert_eq!(site.runtime.block_on(after).unwrap(), Written::Done);
                    assert_eq!(process.get().as_deref(), Some("after"), "{case}");
                    assert_eq!(process.cache.health().stuck_keys, 0);
                }
            }
        }
    }
}

#[test]
fn load_that_runs_while_a_delete_is_left_is_not_stored_over_it() {
    for told in [Told::Never, Told::Always] {
        let site = Site::new();
        let process = site.process(told);
        let go = process.source.gives_later("old");
        let before = process.start(HOUR);
        begin_and_leave(&process, "delete", Operation::Delete, true);
        go.send(()).unwrap();
        site.runtime.run_until_stalled();
        assert_eq!(before.value(), "old");
        assert_eq!((process.get(), site.bare_process().get()), (None, None), "{told:?}");
    }
}

#[test]
fn readers_who_leave_change_nobodys_result() {
    crate::site::everywhere(|lab| {
        let go = lab.source.gives_later("value");
        let mut leaving: Vec<_> = (0..10).map(|_| lab.read(HOUR)).collect();
        for reader in &mut leaving {
            assert!(reader.now_or_never().is_none());
        }
        let staying = lab.start(HOUR);
        drop(leaving);
        lab.runtime.run_until_stalled();
        go.send(()).unwrap();
        lab.runtime.run_until_stalled();
        assert_eq!((staying.value(), lab.source.loads()), ("value".into(), 1));
        assert_eq!(lab.get().as_deref(), Some("value"));
    });
}

#[test]
fn last_reader_who_leaves_leaves_the_value_in_the_cache() {
    crate::site::everywhere(|lab| {
        lab.source.gives("value");
        let mut only = lab.read(HOUR);
        assert!((&mut only).now_or_never().is_none());
        drop(only);
        lab.runtime.run_until_stalled();
        assert_eq!(lab.get().as_deref(), Some("value"));
    });
}

#[test]
fn read_that_is_left_at_the_store_leaves_nothing_behind() {
    let site = Site::new();
    let process = site.process(Told::Never);
    process.set("value");
    site.advance(2_000);
    let gate = process.link.hold_answer(Operation::Get);
    let cache = process.cache.clone();
    let mut reading = Box::pin(async move { cache.get::<String>("name").await });
    assert!((&mut reading).now_or_never().is_none());
    drop(reading);
    gate.open();
    assert_eq!(process.get().as_deref(), Some("value"));
}
