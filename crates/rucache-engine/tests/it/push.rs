//! Trust in a shared tier's word about changes.

use rucache_core::observer::{Origin, Scope};
use rucache_core::{Change, Count, ErrorKind, Key, Marker, Operation};
use rucache_engine::{PushState, ServedFrom};

use crate::HOUR;
use crate::site::{Process, Site, Told, key};

fn state(process: &Process) -> PushState {
    process.cache.health().push
}

/// A process with a copy of `value`, told of changes.
fn with_copy(site: &Site, value: &str) -> Process {
    let process = site.process(Told::Always);
    process.set(value);
    process.get();
    assert_eq!(process.peek().as_deref(), Some(value));
    process.link.calls();
    process
}

#[test]
fn store_that_tells_nothing_is_never_trusted_and_one_that_could_is_lost_until_it_does() {
    let site = Site::new();
    assert_eq!(state(&site.process(Told::Never)), PushState::None);
    assert_eq!(state(&site.process(Told::NotYet)), PushState::Lost);
    assert_eq!(state(&site.process(Told::Always)), PushState::Trusted);
    assert_eq!(crate::Lab::new().cache.health().push, PushState::None);
}

#[test]
fn trust_begins_once_a_change_of_its_own_has_come_back() {
    let site = Site::new();
    let process = site.process(Told::NotYet);
    process.link.keep_changes();
    process.link.say(&Change::PushRestored);
    site.runtime.run_until_stalled();
    assert_eq!(state(&process), PushState::Unproven);
    assert_eq!(process.link.calls(), [Operation::Write]);
    process.link.tell();
    site.runtime.run_until_stalled();
    assert_eq!(state(&process), PushState::Trusted);
}

#[test]
fn silent_push_is_not_trusted_and_tried_again_until_it_is_heard() {
    let site = Site::new();
    let process = site.process(Told::NotYet);
    process.link.mute();
    process.link.say(&Change::PushRestored);
    site.advance(1_000);
    assert_eq!(state(&process), PushState::Unproven);
    process.set("old");
    process.get();
    let there = site.process(Told::Never);
    there.set("new");
    site.advance(2_000);
    assert_eq!(process.get().as_deref(), Some("new"), "copies age as if nothing were told");
    process.link.unmute();
    site.advance(4_000);
    assert_eq!(state(&process), PushState::Trusted);
}

#[test]
fn copy_made_while_push_was_silent_is_not_trusted_once_it_is_heard() {
    let site = Site::new();
    let (here, there) = (site.process(Told::NotYet), site.process(Told::Never));
    here.link.mute();
    here.link.say(&Change::PushRestored);
    // Silent for a second, tried again five seconds later.
    site.advance(5_500);
    here.set("old");
    assert_eq!(here.get().as_deref(), Some("old"));
    there.set("new");
    here.link.unmute();
    site.advance(600);
    assert_eq!(state(&here), PushState::Trusted);
    site.advance(2_000);
    assert_eq!(here.get().as_deref(), Some("new"));
}

#[test]
fn self_check_that_cannot_write_is_tried_again() {
    let site = Site::new();
    let process = site.process(Told::NotYet);
    process.link.fail(Operation::Write, ErrorKind::Timeout);
    process.link.say(&Change::PushRestored);
    site.runtime.run_until_stalled();
    assert_eq!(state(&process), PushState::Unproven);
    site.advance(5_000);
    assert_eq!(state(&process), PushState::Trusted);
}

#[test]
fn lost_push_makes_copies_good_for_two_seconds_from_when_they_were_made() {
    let site = Site::new();
    let process = with_copy(&site, "old");
    let there = site.process(Told::Never);
    site.advance(1_500);
    process.link.mute();
    process.link.say(&Change::PushLost);
    assert_eq!(state(&process), PushState::Lost);
    there.set("new");
    site.advance(499);
    assert_eq!(process.peek().as_deref(), Some("old"));
    site.advance(1);
    assert_eq!(process.peek(), None);
    let hit = process.now(HOUR).unwrap();
    assert_eq!((&**hit, hit.outcome.from), ("new", ServedFrom::Shared));
}

#[test]
fn copies_from_before_a_reconnect_are_not_trusted_after_it() {
    let site = Site::new();
    let process = with_copy(&site, "old");
    let there = site.process(Told::Never);
    process.link.mute();
    process.link.say(&Change::PushLost);
    there.set("new");
    process.link.unmute();
    process.hears();
    assert_eq!(state(&process), PushState::Trusted);
    assert_eq!((process.peek(), process.get()), (None, Some("new".into())));
}

#[test]
fn push_that_is_lost_while_it_is_proven_is_lost() {
    let site = Site::new();
    let process = site.process(Told::NotYet);
    process.link.keep_changes();
    process.link.say(&Change::PushRestored);
    site.runtime.run_until_stalled();
    process.link.say(&Change::PushLost);
    process.link.tell();
    site.advance(20_000);
    assert_eq!(state(&process), PushState::Lost);
    process.hears();
    assert_eq!(state(&process), PushState::Trusted);
}

#[test]
fn push_that_begins_anew_has_to_prove_itself_anew() {
    let site = Site::new();
    let process = with_copy(&site, "old");
    let there = site.process(Told::Never);
    process.link.mute();
    process.link.say(&Change::Everything);
    process.link.say(&Change::PushRestored);
    process.get();
    there.set("new");
    site.advance(2_000);
    assert_eq!(state(&process), PushState::Unproven);
    assert_eq!(process.get().as_deref(), Some("new"));
}

#[test]
fn told_change_of_a_key_takes_its_copy_and_the_load_that_runs() {
    let site = Site::new();
    let process = with_copy(&site, "old");
    process.link.say(&Change::Entries(vec![key()]));
    assert_eq!(process.peek(), None);
    process.delete();
    let go = process.source.gives_later("older");
    let before = process.start(HOUR);
    let there = site.process(Told::Never);
    there.set("new");
    assert_eq!(*process.now(HOUR).unwrap(), "new");
    go.send(()).unwrap();
    site.runtime.run_until_stalled();
    assert_eq!(before.value(), "older");
    assert_eq!(process.get().as_deref(), Some("new"));
}

#[test]
fn told_changes_are_counted_for_services_that_are_in_use() {
    let site = Site::new();
    let process = with_copy(&site, "old");
    let before = process.cache.stats()[0].1.clone();
    process.link.say(&Change::Entries(vec![key(), Key::parse("nobody:x").unwrap()]));
    process
        .link
        .say(&Change::Markers(vec![Marker::Tag(key()), Marker::Service(key().service_name())]));
    let stats = process.cache.stats();
    assert!(stats.iter().all(|(service, _)| service.as_str() != "nobody"));
    let since = stats[0].1.since(&before);
    let told = [Scope::Key, Scope::Tag, Scope::Namespace]
        .map(|scope| since[Count::Invalidation(scope, Origin::Push)]);
    assert_eq!(told, [1, 1, 1]);
}

#[test]
fn write_whose_echo_comes_late_leaves_no_old_copy() {
    let site = Site::new();
    let process = site.process(Told::Always);
    process.link.keep_changes();
    process.set("one");
    process.get();
    process.set("two");
    assert_eq!(process.get().as_deref(), Some("two"));
    process.link.tell();
    assert_eq!(process.get().as_deref(), Some("two"));
    process.delete();
    assert_eq!(process.get(), None);
}

#[test]
fn cache_that_is_dropped_is_told_nothing_and_tries_nothing() {
    let site = Site::new();
    let process = site.process(Told::NotYet);
    process.link.mute();
    process.link.say(&Change::PushRestored);
    site.advance(1_000);
    let link = process.link.clone();
    drop(process);
    link.calls();
    site.advance(60_000);
    assert_eq!(link.calls(), []);
    assert!(link.listeners().is_empty());
}
