//! What holds however the tiers are arranged: a local one alone, a shared one alone, both.

use std::time::Duration;

use rucache_engine::Loaded;

use crate::site::everywhere;
use crate::{HOUR, tagged, with_stale};

#[test]
fn own_write_is_read_in_every_arrangement() {
    everywhere(|lab| {
        lab.set("one");
        assert_eq!(lab.get().as_deref(), Some("one"));
        lab.set("two");
        assert_eq!(lab.get().as_deref(), Some("two"));
        assert!(lab.delete().existed);
        assert_eq!(lab.get(), None);
        assert!(!lab.delete().existed);
    });
}

#[test]
fn same_key_is_read_as_two_types_through_its_json_form_or_is_a_miss() {
    everywhere(|lab| {
        lab.runtime.block_on(lab.cache.set("name", &7_u8, HOUR)).unwrap();
        let wide = lab.runtime.block_on(lab.cache.get::<u64>("name")).unwrap();
        let text = lab.runtime.block_on(lab.cache.get::<String>("name")).unwrap();
        let back = lab.runtime.block_on(lab.cache.get::<u8>("name")).unwrap();
        assert_eq!((wide, text, back), (Some(7), None, Some(7)));
    });
}

#[test]
fn stale_value_is_removed_for_good_in_every_tier() {
    everywhere(|lab| {
        lab.source.gives("old");
        lab.now(with_stale()).unwrap();
        lab.runtime.advance(Duration::from_secs(3_600));
        assert_eq!(lab.stale().map(|hit| hit.to_string()).as_deref(), Some("old"));
        lab.delete();
        assert!(lab.stale().is_none());
        lab.source.fails("source is down");
        assert!(lab.now(with_stale()).is_err());
    });
}

#[test]
fn expired_value_is_a_fallback_and_nothing_else_for_as_long_as_it_would_have_been() {
    everywhere(|lab| {
        lab.source.gives("old");
        lab.now(with_stale()).unwrap();
        let expire = || lab.runtime.block_on(lab.cache.expire("name")).unwrap();
        lab.runtime.advance(Duration::from_secs(60));
        assert!(expire().existed);
        assert_eq!((lab.peek(), lab.get()), (None, None));
        assert_eq!(lab.stale().map(|hit| hit.to_string()).as_deref(), Some("old"));
        lab.source.fails("source is down");
        let hit = lab.now(with_stale()).unwrap();
        assert_eq!((&**hit, hit.outcome.age), ("old", Duration::from_secs(60)));
        // An hour fresh and a day as a fallback, expired or not.
        lab.runtime.advance(Duration::from_secs(89_939));
        assert!(expire().existed);
        assert!(lab.stale().is_some());
        lab.runtime.advance(Duration::from_secs(1));
        assert!(lab.stale().is_none());
        // A store keeps an entry for a second more: clocks differ.
        lab.runtime.advance(Duration::from_secs(2));
        assert!(!expire().existed);
    });
}

#[test]
fn failing_loads_do_not_extend_the_life_of_a_stale_value() {
    everywhere(|lab| {
        lab.source.gives("old");
        lab.now(with_stale()).unwrap();
        for _ in 0..29 {
            lab.runtime.advance(Duration::from_secs(3_000));
            lab.source.fails("source is down");
            assert_eq!(*lab.now(with_stale()).unwrap(), "old");
        }
        lab.runtime.advance(Duration::from_secs(3_000));
        lab.source.fails("source is down");
        assert!(lab.now(with_stale()).is_err(), "it was loaded 25 hours ago");
    });
}

#[test]
fn stamp_is_taken_before_the_load_in_every_arrangement() {
    everywhere(|lab| {
        let go = lab.source.gives_later("value");
        let reading = lab.start(HOUR);
        lab.runtime.advance(Duration::from_secs(5));
        go.send(()).unwrap();
        lab.runtime.run_until_stalled();
        assert_eq!(reading.ended().unwrap().unwrap().outcome.age, Duration::from_secs(5));
        lab.runtime.advance(Duration::from_secs(3_594));
        let hit = lab.now(HOUR).unwrap();
        assert_eq!(
            (hit.outcome.age, hit.outcome.ttl),
            (Duration::from_secs(3_599), Duration::from_secs(1))
        );
    });
}

#[test]
fn changes_during_a_load_win_in_every_arrangement() {
    for change in ["delete", "set", "expire", "tag", "clear", "clear all", "put nothing"] {
        println!("{change}");
        everywhere(|lab| {
            let go = lab.source.brings_later(tagged("old", &["red"]));
            let before = lab.start(with_stale());
            let cache = lab.cache.clone();
            lab.runtime.block_on(async {
                match change {
                    "delete" => drop(cache.delete("name").await.unwrap()),
                    "set" => drop(cache.set("name", "new", HOUR).await.unwrap()),
                    "expire" => drop(cache.expire("name").await.unwrap()),
                    "tag" => drop(cache.invalidate_tag("red").await.unwrap()),
                    "clear" => drop(cache.clear().await.unwrap()),
                    "clear all" => drop(cache.clear_all().await.unwrap()),
                    _ => drop(cache.put("name", Loaded::<String>::absent(), HOUR).await.unwrap()),
                }
            });
            let late = (change != "set").then(|| {
                let go = lab.source.gives_later("loaded after");
                (lab.start(with_stale()), go)
            });
            go.send(()).unwrap();
            lab.runtime.run_until_stalled();
            let hit = before.ended().unwrap().unwrap();
            assert_eq!((&**hit, hit.outcome.stored), ("old", false));
            if let Some((late, go)) = late {
                lab.runtime.advance(Duration::from_millis(200));
                assert!(late.ended().is_none(), "it waits for a load that began after the change");
                assert!(lab.stale().is_none());
                go.send(()).unwrap();
                lab.runtime.run_until_stalled();
                assert_eq!(late.value(), "loaded after");
                assert_eq!(lab.source.loads(), 2);
            } else {
                assert_eq!(lab.get().as_deref(), Some("new"));
            }
        });
    }
}
