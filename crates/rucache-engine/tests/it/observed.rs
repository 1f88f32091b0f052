//! What an observer is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rucache_core::observer::{LoadResult, RequestResult, StoreResult};
use rucache_core::{CacheEvent, Observer};

use crate::{HOUR, Lab, with_stale};

/// Notes events in words.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Observer for Notes {
    fn record(&self, event: &CacheEvent<'_>) {
        let word = match event {
            CacheEvent::Request { result, .. } => format!("request {}", result.as_str()),
            CacheEvent::Coalesced { .. } => "coalesced".to_owned(),
            CacheEvent::LoadStarted { .. } => "load".to_owned(),
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

#[test]
fn miss_load_and_hit_are_told_once_each() {
    let (lab, notes) = lab();
    lab.source.gives("value");
    lab.now(HOUR).unwrap();
    notes.are(&["load", "loaded success", "store stored", "request miss"]);
    lab.now(HOUR).unwrap();
    notes.are(&["request hit"]);
    lab.runtime.block_on(lab.cache.delete("name")).unwrap();
    notes.are(&["invalidated key"]);
    lab.runtime.block_on(lab.cache.get::<String>("name")).unwrap();
    notes.are(&["request miss"]);
}

#[test]
fn who_waits_is_coalesced_and_who_is_told_of_a_failure_is_not() {
    let (lab, notes) = lab();
    let go = lab.source.gives_later("value");
    let (_first, _second) = (lab.start(HOUR), lab.start(HOUR));
    notes.are(&["load", "coalesced"]);
    go.send(()).unwrap();
    lab.runtime.run_until_stalled();
    let both = ["loaded success", "store stored", "request miss", "request miss"];
    notes.are(&both);
    lab.runtime.block_on(lab.cache.delete("name")).unwrap();
    lab.source.fails("down");
    assert!(lab.now(HOUR).is_err());
    assert!(lab.now(HOUR).is_err());
    let failed = ["invalidated key", "load", "loaded error", "request error", "request error"];
    notes.are(&failed);
}

#[test]
fn stale_superseded_and_refused_have_their_names() {
    let (lab, notes) = lab();
    lab.source.gives("old");
    lab.now(with_stale()).unwrap();
    lab.runtime.advance(Duration::from_secs(3600));
    lab.source.fails("down");
    lab.now(with_stale()).unwrap();
    let stale = RequestResult::StaleHit.as_str();
    notes.are(&[
        "load",
        "loaded success",
        "store stored",
        "request miss",
        "load",
        "loaded error",
        &format!("request {stale}"),
    ]);
    lab.runtime.advance(Duration::from_secs(1));
    let go = lab.source.gives_later("new");
    let _read = lab.start(with_stale());
    lab.runtime.block_on(lab.cache.set("name", "newer", HOUR)).unwrap();
    go.send(()).unwrap();
    lab.runtime.run_until_stalled();
    let superseded = format!("store {}", StoreResult::Superseded.as_str());
    let success = format!("loaded {}", LoadResult::Success.as_str());
    notes.are(&["load", "store stored", &success, &superseded, "request miss"]);
}
