//! What an observer is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rucache_core::observer::{LoadResult, Reach, StaleReason, StoreResult, Tier};
use rucache_core::{CacheEvent, Count, ErrorKind, Observer, Operation, Runtime, Ttl};
use rucache_engine::Loaded;

use crate::site::{self, Site, Told};
use crate::{HOUR, Lab, with_stale};

/// Notes events in words.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Observer for Notes {
    fn record(&self, event: &CacheEvent<'_>) {
        let word = match event {
            CacheEvent::CacheCall { .. } => return,
            CacheEvent::LoadEnded { result, .. } => format!("loaded {}", result.as_str()),
            CacheEvent::Store { result, .. } => format!("store {}", result.as_str()),
            CacheEvent::Invalidated { scope, .. } => format!("invalidated {}", scope.as_str()),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(word);
    }
}

impl Notes {
    #[track_caller]
    fn are(&self, expected: &[&str]) {
        let noted = std::mem::take(&mut *self.0.lock().unwrap());
        assert_eq!(noted, expected);
    }
}

fn lab() -> (Lab, Arc<Notes>) {
    let notes = Arc::new(Notes::default());
    let lab = Lab::with(|builder| builder.observer(notes.clone()));
    (lab, notes)
}

/// How often `what` was counted, in all services.
fn counted(lab: &Lab, what: Count) -> u64 {
    lab.cache.stats().iter().map(|(_, counts)| counts[what]).sum()
}

#[test]
fn miss_load_and_hit_are_told_or_counted_once_each() {
    let (lab, notes) = lab();
    lab.source.gives("value");
    lab.now(HOUR).unwrap();
    notes.are(&["loaded success", "store stored"]);
    assert_eq!((counted(&lab, Count::LoadStarted), counted(&lab, Count::Miss)), (1, 1));
    lab.now(HOUR).unwrap();
    notes.are(&[]);
    assert_eq!(counted(&lab, Count::Hit(Tier::Local)), 1);
    lab.runtime.block_on(lab.cache.delete("name")).unwrap();
    notes.are(&["invalidated key"]);
    lab.runtime.block_on(lab.cache.get::<String>("name")).unwrap();
    assert_eq!(counted(&lab, Count::Miss), 2);
}

#[test]
fn stored_verdict_is_told_with_its_reason_wherever_it_comes_from() {
    let stored = "NegativeStored { service: \"default\", reason: \"none\" }";
    let (lab, notes) = lab();
    lab.source.brings(Loaded::negative("none"));
    assert!(lab.now(HOUR).is_err());
    notes.are(&["loaded negative", stored, "store stored"]);
    assert!(lab.now(HOUR).is_err());
    notes.are(&[]);
    let put = lab.cache.put("name", Loaded::<String>::negative("none"), HOUR);
    lab.runtime.block_on(put).unwrap();
    notes.are(&[stored, "store stored"]);

    let notes = Arc::new(Notes::default());
    let process = Site::new().process_with(Told::Never, |builder| builder.observer(notes.clone()));
    process.source.brings(Loaded::negative("none"));
    assert!(process.now(HOUR).is_err());
    let put = process.cache.put("other", Loaded::<String>::negative("none"), HOUR);
    process.runtime.block_on(put).unwrap();
    process.link.fail(Operation::Write, ErrorKind::Full);
    let put = process.cache.put("third", Loaded::<String>::negative("none"), HOUR);
    process.runtime.block_on(put).unwrap();
    let told = std::mem::take(&mut *notes.0.lock().unwrap());
    // What the store did not take is none.
    assert_eq!(told.iter().filter(|told| *told == stored).count(), 2, "{told:?}");
}

#[test]
fn calls_about_maps_and_counters_are_told_with_their_failures() {
    let notes = Arc::new(Notes::default());
    let process = Site::new().process_with(Told::Never, |builder| builder.observer(notes.clone()));
    let (aside, key) = (process.cache.aside().unwrap().clone(), site::key());
    let now = process.runtime.wall();
    let run = |call| process.runtime.block_on(call);
    assert_eq!(run(aside.map_len(&key, now)).unwrap(), 0);
    assert_eq!(run(aside.map_purge(&key, now)).unwrap(), 0);
    process.link.fail(Operation::Add, ErrorKind::Timeout);
    let added = process.runtime.block_on(aside.add_many(&[(key, 1)], Ttl::SHORT));
    assert!(added[0].is_err());
    let told = std::mem::take(&mut *notes.0.lock().unwrap());
    let has = |parts: &[&str]| told.iter().any(|told| parts.iter().all(|part| told.contains(part)));
    assert!(has(&["BackendCall", "MapRead", "error: None"]), "{told:?}");
    assert!(has(&["BackendCall", "MapWrite", "error: None"]), "{told:?}");
    assert!(has(&["BackendCall", "Add", "error: Some(Timeout)"]), "{told:?}");
    assert!(has(&["BackendFailed", "kind: Timeout"]), "{told:?}");
}

#[test]
fn who_waits_is_coalesced_and_who_is_told_of_a_failure_is_not() {
    let (lab, notes) = lab();
    let go = lab.source.gives_later("value");
    let (_first, _second) = (lab.start(HOUR), lab.start(HOUR));
    notes.are(&[]);
    assert_eq!(counted(&lab, Count::Coalesced), 1);
    go.send(()).unwrap();
    lab.runtime.run_until_stalled();
    notes.are(&["loaded success", "store stored"]);
    assert_eq!(counted(&lab, Count::Miss), 2);
    lab.runtime.block_on(lab.cache.delete("name")).unwrap();
    lab.source.fails("down");
    assert!(lab.now(HOUR).is_err());
    assert!(lab.now(HOUR).is_err());
    notes.are(&["invalidated key", "loaded error"]);
    assert_eq!((counted(&lab, Count::Error), counted(&lab, Count::Coalesced)), (2, 1));
}

#[test]
fn stale_superseded_and_refused_have_their_names() {
    let (lab, notes) = lab();
    lab.source.gives("old");
    lab.now(with_stale()).unwrap();
    lab.runtime.advance(Duration::from_secs(3600));
    lab.source.fails("down");
    lab.now(with_stale()).unwrap();
    notes.are(&["loaded success", "store stored", "loaded error"]);
    assert_eq!(counted(&lab, Count::Stale(StaleReason::LoadError)), 1);
    lab.runtime.advance(Duration::from_secs(1));
    let go = lab.source.gives_later("new");
    let _read = lab.start(with_stale());
    lab.runtime.block_on(lab.cache.set("name", "newer", HOUR)).unwrap();
    go.send(()).unwrap();
    lab.runtime.run_until_stalled();
    let superseded = format!("store {}", StoreResult::Superseded.as_str());
    let success = format!("loaded {}", LoadResult::Success.as_str());
    notes.are(&["store stored", &success, &superseded]);
}

#[test]
fn one_in_128_calls_that_the_local_tier_answers_is_timed_and_every_other_call() {
    #[derive(Default)]
    struct Reaches(Mutex<Vec<Reach>>);

    impl Observer for Reaches {
        fn record(&self, event: &CacheEvent<'_>) {
            if let CacheEvent::CacheCall { reach, .. } = event {
                self.0.lock().unwrap().push(*reach);
            }
        }
    }

    let reaches = Arc::new(Reaches::default());
    let lab = Lab::with(|builder| builder.observer(reaches.clone()));
    lab.source.gives("value");
    lab.now(HOUR).unwrap();
    assert_eq!(std::mem::take(&mut *reaches.0.lock().unwrap()), [Reach::Origin]);
    for _ in 0..256 {
        lab.now(HOUR).unwrap();
    }
    assert_eq!(*reaches.0.lock().unwrap(), [Reach::Local; 2]);
}
