//! Permits: loads outside of the process, under the same fences, on every kind of cache.

use std::sync::Arc;
use std::time::Duration;

use rucache_conformance::Model;
use rucache_core::{Backend, MapLocal, TestRuntime, Ttl};
use rucache_engine::{Cache, Filled, Leased, Loaded, Permit, Policy};

use crate::{HOUR, Lab};

const LEASE: Ttl = Ttl::secs(30);

/// A cache in one process, one at a backend, and one in two tiers.
fn labs() -> [(&'static str, Lab); 3] {
    let over = |local: bool| {
        let runtime = TestRuntime::new(1);
        let backend: Arc<dyn Backend> = Arc::new(Model::new(Arc::new(runtime.clone())));
        let builder = Cache::on_backend(backend);
        let local = |builder: rucache_engine::CacheBuilder| match local {
            true => builder.local(Arc::new(MapLocal::default())),
            false => builder,
        };
        Lab::of(&runtime, local(builder))
    };
    [("local", Lab::new()), ("shared", over(false)), ("tiers", over(true))]
}

fn lease(lab: &Lab) -> Leased<String> {
    lab.runtime.block_on(lab.cache.lease("name", LEASE, Duration::ZERO)).unwrap()
}

#[track_caller]
fn permit(lab: &Lab) -> Permit {
    match lease(lab) {
        Leased::Granted(permit) => permit,
        other => panic!("no permit: {other:?}"),
    }
}

fn fill(lab: &Lab, permit: Permit, value: &str) -> Filled {
    fill_with(lab, permit, Loaded::new(value.to_owned()))
}

fn fill_with(lab: &Lab, permit: Permit, loaded: Loaded<String>) -> Filled {
    lab.runtime.block_on(lab.cache.fill("name", permit, loaded, Policy::from(HOUR))).unwrap()
}

fn get(lab: &Lab) -> Option<String> {
    lab.runtime.block_on(lab.cache.get("name")).unwrap()
}

#[test]
fn one_caller_gets_the_permit_and_its_fill_is_read_by_all() {
    for (kind, lab) in labs() {
        let granted = permit(&lab);
        assert!(matches!(lease(&lab), Leased::Held), "{kind}");
        assert_eq!(fill(&lab, granted, "value"), Filled::Done, "{kind}");
        assert!(matches!(lease(&lab), Leased::Value(hit) if &**hit == "value"), "{kind}");
        assert_eq!(fill(&lab, granted, "again"), Filled::Superseded, "{kind}: spent");
        assert_eq!(get(&lab).as_deref(), Some("value"), "{kind}");
    }
}

#[test]
fn those_who_wait_get_the_value_that_is_filled_meanwhile() {
    for (kind, lab) in labs() {
        let granted = permit(&lab);
        let cache = lab.cache.clone();
        let waiting =
            lab.apart(async move { cache.lease("name", LEASE, Duration::from_secs(5)).await });
        lab.runtime.advance(Duration::from_secs(2));
        assert!(waiting.lock().unwrap().is_none(), "{kind}");
        fill(&lab, granted, "value");
        lab.runtime.advance(Duration::from_millis(200));
        let leased: Leased<String> = waiting.lock().unwrap().take().expect("it has ended").unwrap();
        assert!(matches!(leased, Leased::Value(hit) if &**hit == "value"), "{kind}");
    }
}

#[test]
fn who_waits_too_long_is_told_so_and_gets_the_permit_once_it_has_run_out() {
    for (kind, lab) in labs() {
        let late = permit(&lab);
        let cache = lab.cache.clone();
        let waiting = lab
            .apart(async move { cache.lease::<String>("name", LEASE, HOUR.as_duration()).await });
        lab.runtime.advance(Duration::from_secs(29));
        assert!(waiting.lock().unwrap().is_none(), "{kind}");
        lab.runtime.advance(Duration::from_secs(2));
        let leased = waiting.lock().unwrap().take().expect("it has ended").unwrap();
        let Leased::Granted(second) = leased else { panic!("{kind}: {leased:?}") };
        assert_eq!(fill(&lab, late, "late"), Filled::Superseded, "{kind}");
        assert_eq!(fill(&lab, second, "value"), Filled::Done, "{kind}");
    }
}

#[test]
fn what_happens_to_the_name_meanwhile_supersedes_the_fill() {
    type Change = fn(&Lab);
    let changes: [(&str, Change, Option<&str>); 5] = [
        ("delete", |lab| drop(lab.runtime.block_on(lab.cache.delete("name"))), None),
        ("expire", |lab| drop(lab.runtime.block_on(lab.cache.expire("name"))), None),
        ("set", |lab| drop(lab.runtime.block_on(lab.cache.set("name", "new", HOUR))), Some("new")),
        ("clear", |lab| drop(lab.runtime.block_on(lab.cache.clear())), None),
        ("clear all", |lab| drop(lab.runtime.block_on(lab.cache.clear_all())), None),
    ];
    for (what, change, left) in changes {
        for (kind, lab) in labs() {
            let granted = permit(&lab);
            change(&lab);
            assert_eq!(fill(&lab, granted, "old"), Filled::Superseded, "{what} on {kind}");
            assert_eq!(get(&lab).as_deref(), left, "{what} on {kind}");
        }
    }
}

#[test]
fn changes_of_other_names_do_not_matter() {
    for (kind, lab) in labs() {
        let granted = permit(&lab);
        for other in 0..500 {
            let name = format!("other {other}");
            lab.runtime.block_on(lab.cache.set(&*name, "value", HOUR)).unwrap();
        }
        let fruit = lab.cache.service(&"fruit".parse().unwrap());
        lab.runtime.block_on(fruit.clear()).unwrap();
        assert_eq!(fill(&lab, granted, "value"), Filled::Done, "{kind}");
    }
}

#[test]
fn tag_that_is_invalidated_meanwhile_supersedes_a_fill_with_tags_only() {
    for (kind, lab) in labs() {
        let tagged = || Loaded::new("value".to_owned()).with_tags(["a"]);
        let granted = permit(&lab);
        lab.runtime.block_on(lab.cache.invalidate_tag("a")).unwrap();
        assert_eq!(fill_with(&lab, granted, tagged()), Filled::Superseded, "{kind}");

        lab.runtime.advance(LEASE.as_duration() + Duration::from_secs(2));
        let granted = permit(&lab);
        lab.runtime.block_on(lab.cache.invalidate_tag("a")).unwrap();
        assert_eq!(fill(&lab, granted, "untagged"), Filled::Done, "{kind}");

        lab.runtime.block_on(lab.cache.delete("name")).unwrap();
        let granted = permit(&lab);
        assert_eq!(fill_with(&lab, granted, tagged()), Filled::Done, "{kind}");
        lab.runtime.block_on(lab.cache.invalidate_tag("a")).unwrap();
        assert_eq!(get(&lab), None, "{kind}");
    }
}

#[test]
fn load_in_the_process_and_a_permit_exclude_one_another() {
    for (kind, lab) in labs() {
        let go = lab.source.gives_later("loaded");
        let read = lab.start(HOUR);
        assert!(matches!(lease(&lab), Leased::Held), "{kind}");
        go.send(()).unwrap();
        lab.runtime.run_until_stalled();
        assert_eq!(read.value(), "loaded", "{kind}");
        assert!(matches!(lease(&lab), Leased::Value(_)), "{kind}");
    }
}

#[test]
fn permit_is_text_and_other_text_is_none() {
    let granted = permit(&Lab::new());
    let text = granted.to_string();
    assert_eq!((text.len(), text.parse()), (80, Ok(granted)));
    for text in ["", "token", &text[1..], &format!("{text}0"), &text.replacen(&text[..1], "+", 1)] {
        assert!(text.parse::<Permit>().is_err(), "{text:?}");
    }
    assert_eq!(format!("{granted:?}"), "Permit(…)");
}
