//! Histories in which a promise is broken, and those in which none is.

use std::time::Duration;

use rucache_core::{Change, Key};
use rucache_engine::{Accept, ServedFrom, StaleReason};

use super::*;
use crate::random::Random;
use crate::setup::{PUSH_DELAY, Tiers};

/// A book of two processes at peace over a store that pushes.
fn book() -> Book {
    let mut setup = Setup::draw(&mut Random::of_part(1, 1), Tiers::Push);
    setup.policy = rucache_engine::Policy::exact(rucache_core::Ttl::SHORT);
    let mut book = Book::new(Arc::new(setup), true);
    book.now = Mono::default().after(Duration::from_secs(100));
    for process in [1, 2] {
        book.process_began(process, 0);
        book.push(process, true);
    }
    later(&mut book, 10_000);
    book
}

fn key() -> Key {
    Key::parse("ruc:k1").unwrap()
}

fn later(book: &mut Book, millis: u64) {
    book.now = book.now.after(Duration::from_millis(millis));
}

fn load(book: &mut Book, process: u64) -> (LoadId, Fact) {
    let call = book.called(process, What::Load(key()));
    book.load_began(call, &key(), vec!["red"])
}

fn loaded(book: &mut Book, process: u64) -> Fact {
    let (load, fact) = load(book, process);
    book.load_ended(load, LoadEnd::Value);
    fact
}

fn change(book: &mut Book, process: u64, what: What, end: ChangeEnd) {
    book.commit(&key());
    let call = book.called(process, what);
    book.changed(call, end);
}

fn read(book: &mut Book, process: u64, fact: &Fact, from: ServedFrom) {
    let call = book.called(process, What::Read(key(), Accept::Stale));
    let Fact { key: of, version, id } = fact.clone();
    let age = Duration::from_secs(3_600);
    let seen = Seen { key: of, version, id, from, collapsed: false, age };
    book.answered(call, vec![(key(), Answer::Value(seen))]);
}

#[track_caller]
fn broken(book: &Book, promise: Option<&str>) {
    let violation = book.violation();
    assert_eq!(violation.map(|violation| violation.promise), promise, "{violation:?}");
}

#[test]
fn what_was_loaded_before_a_confirmed_delete_is_read_no_more() {
    for (end, promise) in [(ChangeEnd::Done, Some("I1")), (ChangeEnd::Deferred, None)] {
        let mut book = book();
        let fact = loaded(&mut book, 1);
        read(&mut book, 1, &fact, ServedFrom::Shared);
        broken(&book, None);
        change(&mut book, 1, What::Delete(key()), end);
        read(&mut book, 1, &fact, ServedFrom::Shared);
        broken(&book, promise);
    }
}

#[test]
fn what_began_before_a_change_may_still_answer_whom_it_kept_waiting() {
    let mut book = book();
    let (load, fact) = load(&mut book, 1);
    let waiting = book.called(1, What::Load(key()));
    change(&mut book, 1, What::Delete(key()), ChangeEnd::Done);
    book.load_ended(load, LoadEnd::Value);
    let Fact { key: of, version, id } = fact;
    let (from, age) = (ServedFrom::Load, Duration::ZERO);
    let seen = Seen { key: of, version, id, from, collapsed: true, age };
    book.answered(waiting, vec![(key(), Answer::Value(seen))]);
    broken(&book, None);
}

#[test]
fn an_expired_value_is_a_fallback_only() {
    for (from, promise) in
        [(ServedFrom::Stale(StaleReason::LoadError), None), (ServedFrom::Local, Some("I1"))]
    {
        let mut book = book();
        let fact = loaded(&mut book, 1);
        change(&mut book, 1, What::Expire(key()), ChangeEnd::Done);
        read(&mut book, 1, &fact, from);
        broken(&book, promise);
    }
}

#[test]
fn a_tag_concerns_those_who_carry_it() {
    for (tag, promise) in [("red", Some("I1")), ("blue", None)] {
        let mut book = book();
        let fact = loaded(&mut book, 1);
        change(&mut book, 1, What::Tag(key().service_name(), tag), ChangeEnd::Done);
        read(&mut book, 1, &fact, ServedFrom::Shared);
        broken(&book, promise);
    }
}

#[test]
fn other_processes_have_the_time_of_a_push() {
    for (millis, promise) in [(0, None), (2 * PUSH_DELAY.as_millis(), Some("I2"))] {
        let mut book = book();
        let fact = loaded(&mut book, 2);
        change(&mut book, 1, What::Clear(key().service_name()), ChangeEnd::Done);
        later(&mut book, u64::try_from(millis + 31).unwrap() * u64::from(millis > 0));
        read(&mut book, 2, &fact, ServedFrom::Local);
        broken(&book, promise);
    }
}

#[test]
fn two_loads_at_once_need_a_reason() {
    let mut at_peace = book();
    load(&mut at_peace, 1);
    load(&mut at_peace, 2);
    broken(&at_peace, Some("I3"));

    let mut troubled = book();
    troubled.unrest(2);
    load(&mut troubled, 1);
    load(&mut troubled, 2);
    broken(&troubled, None);
    load(&mut troubled, 1);
    broken(&troubled, Some("I3"));

    let mut changed = book();
    load(&mut changed, 1);
    change(&mut changed, 2, What::Delete(key()), ChangeEnd::Done);
    changed.told(1, &Change::Entries(vec![key()]));
    load(&mut changed, 1);
    broken(&changed, None);
}

#[test]
fn nothing_is_served_past_its_hard_deadline() {
    let mut book = book();
    let fact = loaded(&mut book, 1);
    later(&mut book, 59_000);
    read(&mut book, 1, &fact, ServedFrom::Local);
    broken(&book, None);
    later(&mut book, 2_000);
    read(&mut book, 1, &fact, ServedFrom::Local);
    broken(&book, Some("I4"));
}

#[test]
fn a_load_ends_at_its_deadline_and_not_before() {
    let mut held = book();
    load(&mut held, 1);
    // Its caller has left; the load goes on.
    held.dropped(CallId(0));
    later(&mut held, 5_000);
    held.watch();
    broken(&held, Some("I5"));

    let mut dropped = book();
    let (load, _) = load(&mut dropped, 1);
    later(&mut dropped, 10);
    dropped.load_ended(load, LoadEnd::Dropped);
    broken(&dropped, Some("I7"));
}

#[test]
fn a_failed_load_is_not_tried_again_at_once() {
    let mut book = book();
    let (failed, _) = load(&mut book, 1);
    book.load_ended(failed, LoadEnd::Failed);
    later(&mut book, 50);
    load(&mut book, 2);
    broken(&book, Some("I8"));
}

#[test]
fn callers_wait_no_longer_than_they_have_to() {
    let mut book = book();
    book.called(1, What::Load(key()));
    later(&mut book, 500);
    book.watch();
    broken(&book, None);
    later(&mut book, 6_000);
    book.watch();
    broken(&book, Some("I9"));
}

#[test]
fn a_value_of_another_key_is_told_by_its_number() {
    let mut book = book();
    let mut fact = loaded(&mut book, 1);
    fact.version += 1;
    read(&mut book, 1, &fact, ServedFrom::Local);
    broken(&book, Some("P4"));
}

#[test]
fn a_failure_that_nobody_saw_is_no_answer() {
    let mut book = book();
    let call = book.called(1, What::Load(key()));
    book.answered(call, vec![(key(), Answer::Failed(Failure::Load("failed")))]);
    broken(&book, Some("I5"));
}
