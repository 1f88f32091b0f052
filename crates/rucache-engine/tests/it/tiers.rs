//! A local tier in front of a shared one.

use rucache_core::{Change, ErrorKind, Key, Operation, Ttl};
use rucache_engine::{Accept, ServedFrom};

use crate::site::{Site, Told, key};
use crate::{HOUR, Started, tagged, with_stale};

#[test]
fn local_hit_asks_the_backend_nothing() {
    let site = Site::new();
    let process = site.process(Told::Always);
    process.set("value");
    assert_eq!(process.get().as_deref(), Some("value"));
    process.link.calls();
    assert_eq!(process.get().as_deref(), Some("value"));
    let hit = process.now(HOUR).unwrap();
    assert_eq!((&**hit, hit.outcome.from), ("value", ServedFrom::Local));
    assert_eq!(process.peek().as_deref(), Some("value"));
    assert_eq!(process.link.calls(), []);
}

#[test]
fn shared_read_without_tags_is_one_round_trip() {
    let site = Site::new();
    let (one, two) = (site.process(Told::Never), site.process(Told::Never));
    one.set("value");
    assert_eq!(two.get().as_deref(), Some("value"));
    assert_eq!(two.link.calls(), [Operation::Get]);
    let bare = site.bare_process();
    assert_eq!(bare.now(HOUR).unwrap().outcome.from, ServedFrom::Shared);
    assert_eq!(bare.link.calls(), [Operation::Get]);
}

#[test]
fn shared_read_with_tags_is_two_round_trips_and_one_while_the_markers_are_told() {
    let site = Site::new();
    let names = ["a", "b", "c"].map(|name| Key::parse(&format!("default:{name}")).unwrap());
    let writer = site.bare_process();
    for name in &names {
        let put = writer.cache.put(name, tagged("value", &["red", "blue"]), HOUR);
        writer.runtime.block_on(put).unwrap();
    }
    let both = [Operation::Get, Operation::Markers];
    for (told, later) in [(Told::Always, &both[..1]), (Told::Never, &both[..])] {
        let reader = site.process(told);
        let read = |key| {
            let read = reader.cache.get::<String>(key);
            assert_eq!(reader.runtime.block_on(read).unwrap().as_deref(), Some("value"));
            reader.link.calls()
        };
        assert_eq!(read(&names[0]), both);
        assert_eq!(read(&names[1]), later);
        let many = reader.cache.get_many::<String>(&names);
        assert!(reader.runtime.block_on(many).iter().all(Option::is_some));
        assert_eq!(reader.link.calls(), later);
    }
}

#[test]
fn cold_load_is_five_round_trips_at_most() {
    let site = Site::new();
    let process = site.process(Told::Always);
    process.source.gives("value");
    process.now(HOUR).unwrap();
    use Operation::{Get, Lease, Markers, Write};
    // The store's markers are new; lease and epoch go together.
    assert_eq!(process.link.calls(), [Get, Markers, Lease, Markers, Write]);
    process.delete();
    process.link.calls();
    process.source.gives("value");
    process.now(HOUR).unwrap();
    assert_eq!(process.link.calls(), [Get, Lease, Markers, Write]);
}

#[test]
fn copy_is_made_by_the_load_where_nothing_is_told_and_by_the_next_read_where_changes_are() {
    for (told, after_load) in [(Told::Never, Some("value")), (Told::Always, None)] {
        let site = Site::new();
        let process = site.process(told);
        process.source.gives("value");
        process.now(HOUR).unwrap();
        assert_eq!(process.peek().as_deref(), after_load, "{told:?}");
        assert_eq!(process.get().as_deref(), Some("value"));
        assert_eq!(process.peek().as_deref(), Some("value"), "{told:?}");
    }
}

#[test]
fn copy_is_good_for_two_seconds_where_nothing_is_told() {
    for told in [Told::Never, Told::NotYet] {
        let site = Site::new();
        let (here, there) = (site.process(told), site.process(Told::Never));
        here.set("old");
        assert_eq!(here.get().as_deref(), Some("old"));
        here.link.mute();
        there.set("new");
        site.advance(1_999);
        assert_eq!(here.get().as_deref(), Some("old"), "{told:?}");
        site.advance(1);
        assert_eq!(here.peek(), None);
        assert_eq!(here.get().as_deref(), Some("new"));
        site.advance(2_000);
        assert_eq!(here.stale().unwrap().outcome.from, ServedFrom::Shared);
    }
}

#[test]
fn copy_is_good_for_its_whole_life_where_changes_are_told() {
    let site = Site::new();
    let process = site.process(Told::Always);
    process.set("value");
    process.get();
    process.link.calls();
    site.advance(3_599_999);
    assert_eq!(process.get().as_deref(), Some("value"));
    assert_eq!(process.link.calls(), []);
    site.advance(1);
    assert_eq!(process.get(), None);
}

#[test]
fn change_by_another_process_is_seen_at_once_where_it_is_told() {
    let site = Site::new();
    let (here, there) = (site.process(Told::Always), site.process(Told::Always));
    here.set("old");
    assert_eq!((here.get(), here.get()), (Some("old".into()), Some("old".into())));
    there.set("new");
    assert_eq!(here.get().as_deref(), Some("new"));
    there.delete();
    assert_eq!((here.peek(), here.get()), (None, None));
}

#[test]
fn read_that_began_before_a_change_leaves_no_copy_after_it() {
    for told in [Told::Never, Told::Always] {
        for change in ["delete", "set", "expire", "tag", "clear", "clear all"] {
            let site = Site::new();
            let process = site.process(told);
            let cache = process.cache.clone();
            let put = cache.put("name", tagged("old", &["red"]), with_stale());
            site.runtime.block_on(put).unwrap();
            site.advance(2_000);
            process.link.say(&Change::Entries(vec![key()]));
            let gate = process.link.hold_answer(Operation::Get);
            let reader = cache.clone();
            let reading = process.apart(async move { reader.get::<String>("name").await });
            site.runtime.block_on(async {
                match change {
                    "delete" => drop(cache.delete("name").await.unwrap()),
                    "set" => drop(cache.set("name", "new", HOUR).await.unwrap()),
                    "expire" => drop(cache.expire("name").await.unwrap()),
                    "tag" => drop(cache.invalidate_tag("red").await.unwrap()),
                    "clear" => drop(cache.clear().await.unwrap()),
                    _ => drop(cache.clear_all().await.unwrap()),
                }
            });
            gate.open();
            site.runtime.run_until_stalled();
            let read = reading.lock().unwrap().take().expect("the read has ended").unwrap();
            assert!(matches!(read.as_deref(), Some("old") | None), "{change}, {told:?}");
            let expected = (change == "set").then_some("new");
            assert_eq!(process.get().as_deref(), expected, "{change}, {told:?}");
        }
    }
}

#[test]
fn load_that_looked_before_a_change_leaves_no_copy_after_it() {
    let site = Site::new();
    let process = site.process(Told::Never);
    process.set("old");
    site.advance(2_000);
    let gate = process.link.hold_answer(Operation::Get);
    let before = process.start(HOUR);
    process.set("new");
    gate.open();
    site.runtime.run_until_stalled();
    assert_eq!(before.value(), "old");
    assert_eq!(process.now(HOUR).unwrap().to_string(), "new");
}

#[test]
fn read_whose_change_is_told_before_its_answer_leaves_no_copy() {
    let site = Site::new();
    let (here, there) = (site.process(Told::Always), site.process(Told::Never));
    there.set("old");
    let gate = here.link.hold_answer(Operation::Get);
    let cache = here.cache.clone();
    let reading = here.apart(async move { cache.get::<String>("name").await });
    there.set("new");
    gate.open();
    site.runtime.run_until_stalled();
    assert_eq!(reading.lock().unwrap().take().unwrap().unwrap().as_deref(), Some("old"));
    assert_eq!((here.peek(), here.get()), (None, Some("new".into())));
}

#[test]
fn read_whose_service_is_cleared_elsewhere_before_its_answer_leaves_no_copy() {
    let site = Site::new();
    let (here, there) = (site.process(Told::Always), site.process(Told::Never));
    there.set("old");
    let gate = here.link.hold_answer(Operation::Get);
    let cache = here.cache.clone();
    let reading = here.apart(async move { cache.get::<String>("name").await });
    there.clear();
    gate.open();
    site.runtime.run_until_stalled();
    assert_eq!(reading.lock().unwrap().take().unwrap().unwrap().as_deref(), Some("old"));
    assert_eq!((here.peek(), here.get()), (None, None));
}

#[test]
fn copy_of_a_slow_load_counts_its_two_seconds_from_the_start_of_the_load() {
    let site = Site::new();
    let (here, there) = (site.process(Told::Never), site.process(Told::Never));
    let go = here.source.gives_later("old");
    let reading = here.start(HOUR);
    site.advance(1_000);
    there.clear();
    site.advance(5_000);
    go.send(()).unwrap();
    site.runtime.run_until_stalled();
    assert_eq!(reading.value(), "old");
    // The clear was done five seconds ago.
    assert_eq!((here.peek(), here.get()), (None, None));
}

#[test]
fn what_another_process_loads_is_read_and_copied() {
    let site = Site::new();
    let (one, two) = (site.process(Told::Always), site.process(Told::Always));
    one.source.gives("value");
    one.now(HOUR).unwrap();
    assert_eq!(two.now(HOUR).unwrap().outcome.from, ServedFrom::Shared);
    assert_eq!(two.now(HOUR).unwrap().outcome.from, ServedFrom::Local);
    assert_eq!(two.source.loads(), 0);
}

#[test]
fn ten_thousand_callers_of_one_cold_key_cause_one_load_over_two_tiers() {
    for told in [Told::Never, Told::Always] {
        let site = Site::new();
        let processes = [site.process(told), site.process(told)];
        let go = processes[0].source.gives_later("value");
        let callers: Vec<Started> =
            (0..10_000).map(|caller| processes[caller % 2].start(HOUR)).collect();
        go.send(()).unwrap();
        site.advance(200);
        assert!(callers.iter().all(|caller| caller.value() == "value"));
        let loads = processes.each_ref().map(|process| process.source.loads());
        assert_eq!(loads, [1, 0], "{told:?}");
    }
}

#[test]
fn load_is_told_as_stored_though_its_echo_comes_before_the_stores_answer() {
    let site = Site::new();
    let process = site.process(Told::Always);
    let gate = process.link.hold_answer(Operation::Write);
    process.source.gives("value");
    let reading = process.start(HOUR);
    gate.open();
    site.runtime.run_until_stalled();
    assert!(reading.ended().unwrap().unwrap().outcome.stored);
    process.source.gives("again");
    process.delete();
    assert!(process.now(HOUR).unwrap().outcome.stored);
}

#[test]
fn outage_is_a_miss_and_what_is_loaded_meanwhile_is_kept_for_two_seconds() {
    let site = Site::new();
    let process = site.process(Told::Never);
    process.link.down();
    assert_eq!(process.get(), None);
    process.source.gives("value");
    let hit = process.now(HOUR).unwrap();
    assert_eq!((&**hit, hit.outcome.stored), ("value", false));
    site.advance(1_999);
    assert_eq!(process.now(HOUR).unwrap().outcome.from, ServedFrom::Local);
    site.advance(1);
    process.source.gives("newer");
    assert_eq!(*process.now(HOUR).unwrap(), "newer");
    process.link.up();
    site.advance(2_000);
    assert_eq!(process.get(), None);
}

#[test]
fn failure_of_one_key_spoils_no_other_of_its_batch() {
    let site = Site::new();
    let process = site.process(Told::Never);
    process.set("value");
    site.advance(2_000);
    let keys = [Key::parse("default:other").unwrap(), key()];
    process.link.spoil(&keys[0]);
    let found = site.runtime.block_on(process.cache.get_many::<String>(&keys));
    assert_eq!(found, [None, Some("value".into())]);
}

#[test]
fn answer_that_is_missing_is_a_failure_and_not_anothers() {
    let site = Site::new();
    let process = site.process(Told::Never);
    process.set("value");
    site.advance(2_000);
    process.link.answer_nothing(Operation::Get);
    assert_eq!(process.get(), None);
    process.link.answer_nothing(Operation::Delete);
    let removed = process.delete();
    assert_eq!(removed.written, rucache_engine::Written::Deferred);
}

#[test]
fn shortest_and_longest_lives_are_neither_for_ever_nor_already_over_at_the_store() {
    let site = Site::new();
    let (one, two) = (site.process(Told::Never), site.process(Told::Never));
    let set = |value: &u8, ttl| {
        site.runtime.block_on(one.cache.set("name", value, ttl)).unwrap();
    };
    let get = || site.runtime.block_on(two.cache.get::<u8>("name")).unwrap();
    set(&1, Ttl::MIN);
    assert_eq!(get(), Some(1));
    site.advance(1);
    assert_eq!(get(), None);
    set(&2, Ttl::MAX);
    site.advance(5 * 365 * 86_400_000);
    assert_eq!(get(), Some(2));
}

#[test]
fn legal_value_null_is_a_value_at_the_store() {
    let site = Site::new();
    let (one, two) = (site.process(Told::Never), site.process(Told::Never));
    site.runtime.block_on(one.cache.set("name", &None::<u8>, HOUR)).unwrap();
    let read = site.runtime.block_on(two.cache.get::<Option<u8>>("name")).unwrap();
    assert_eq!(read, Some(None));
}

#[test]
fn store_that_is_not_reached_in_time_delays_no_caller_past_its_hard_timeout() {
    let site = Site::new();
    let process = site.process(Told::Never);
    let _gate = process.link.hold(Operation::Get);
    let reading = process.start(HOUR);
    site.advance(9_999);
    assert!(reading.ended().is_none());
    site.advance(1);
    let error = reading.ended().unwrap().unwrap_err();
    assert!(error.to_string().contains("no value after 10s"), "{error}");
}

#[test]
fn strict_reads_tell_an_outage_from_a_miss() {
    let site = Site::new();
    let process = site.process_with(Told::Never, |builder| builder.strict_reads());
    assert_eq!(process.get(), None);
    process.link.fail(Operation::Get, ErrorKind::Interrupted);
    let read = site.runtime.block_on(process.cache.read::<String>("name", Accept::Stale));
    let Err(rucache_engine::CacheError::Backend(error)) = read else { panic!("{read:?}") };
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    process.set("value");
    process.link.down();
    assert_eq!(process.get().as_deref(), Some("value"), "the local tier has it");
    process.source.gives("loaded");
    site.advance(2_000);
    assert_eq!(*process.now(HOUR).unwrap(), "loaded", "a read that may load does not need it");
}
