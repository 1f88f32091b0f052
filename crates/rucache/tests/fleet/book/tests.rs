//! The judge itself, on histories made up: it finds each promise broken, and excuses what it must.

use super::{Book, Load, Trouble, TroubleKind};
use crate::note::{
    Answer, Change, ChangeEnd, Fact, Failure, From, Moment, Note, Process, Read, Verdict,
};

const MS: Moment = 1_000_000;
const SECOND: Moment = 1_000 * MS;

/// When every history here begins: late enough for trouble before it to be over.
const START: Moment = 100 * SECOND;

fn fact(key: usize, id: u64, born: Moment) -> Fact {
    Fact { key, id, version: id, born }
}

/// A book of a fleet with local tiers that is told of changes, and one value of key 2, born at the
/// start.
fn book() -> Book {
    let mut book = Book { pushes: true, copies: true, ..Book::default() };
    book.source_gave(fact(2, 1, START));
    book
}

fn read(key: usize, called: Moment, fact: Fact, from: From) -> Note {
    let answer = Answer::Value { fact, from, collapsed: false };
    Note::Read(Read { key, called, ended: called + MS, loads: true, at_rest: false, answer })
}

/// Process 1 makes a change, half a second after the start, which takes a millisecond.
fn change(book: &mut Book, change: Change, end: ChangeEnd) {
    let at = START + SECOND / 2;
    book.take(1, Note::Changes { id: 7, at, change });
    book.take(1, Note::Changed { id: 7, at: at + MS, end });
}

fn breaches(mut book: Book) -> Vec<String> {
    let (breaches, _) = book.judge();
    breaches.into_iter().map(|how| how.split(' ').next().unwrap().to_owned()).collect()
}

/// What is broken when `process` reads the old value so long after a change.
fn after_change(
    what: Change,
    end: ChangeEnd,
    process: Process,
    after: Moment,
    from: From,
) -> Vec<String> {
    let mut book = book();
    change(&mut book, what, end);
    let called = START + SECOND / 2 + MS + after;
    book.take(process, read(2, called, fact(2, 1, START), from));
    breaches(book)
}

#[test]
fn own_process_sees_a_change_at_once() {
    let (own, done) = (1, ChangeEnd::Done);
    for what in [Change::Delete(2), Change::Clear { service: 0 }, Change::ClearAll] {
        assert_eq!(after_change(what, done, own, MS, From::Local), ["I1"]);
        assert_eq!(after_change(what, done, own, MS, From::Fallback), ["I1"]);
        assert_eq!(after_change(what, ChangeEnd::Failed, own, MS, From::Local), [""; 0]);
    }
    assert_eq!(after_change(Change::Delete(2), ChangeEnd::Deferred, own, MS, From::Local), ["I1"]);
}

#[test]
fn others_see_it_within_the_push_delay() {
    let (other, done, what) = (2, ChangeEnd::Done, Change::Delete(2));
    assert_eq!(after_change(what, done, other, 200 * MS, From::Local), [""; 0]);
    assert_eq!(after_change(what, done, other, 400 * MS, From::Local), ["I2"]);
    assert_eq!(after_change(what, done, other, 40 * MS, From::Shared), ["I2"]);
    assert_eq!(after_change(what, ChangeEnd::Deferred, other, SECOND, From::Local), [""; 0]);
}

#[test]
fn others_have_longer_where_they_are_not_told() {
    for (after, expected) in [(2 * SECOND, vec![]), (4 * SECOND, vec!["I2"])] {
        let mut book = book();
        let (from, to) = (START, START + SECOND);
        book.trouble(Trouble { from, to, process: None, kind: TroubleKind::Server });
        change(&mut book, Change::Delete(2), ChangeEnd::Done);
        let called = START + SECOND / 2 + MS + after;
        book.take(2, read(2, called, fact(2, 1, START), From::Local));
        assert_eq!(breaches(book), expected);
    }
}

#[test]
fn change_binds_what_it_covers_only() {
    let (own, done) = (1, ChangeEnd::Done);
    for what in [
        Change::Delete(3),
        Change::Clear { service: 1 },
        Change::Tag { service: 0, tag: 0 },
        Change::Set(2, 1),
    ] {
        assert_eq!(after_change(what, done, own, MS, From::Local), [""; 0], "{what:?}");
    }
    assert_eq!(after_change(Change::Expire(2), done, own, MS, From::Fallback), [""; 0]);
    assert_eq!(after_change(Change::Expire(2), done, own, MS, From::Local), ["I1"]);
}

#[test]
fn value_set_meanwhile_cannot_be_ordered() {
    let at = START + SECOND / 4;
    for (ended, expected) in [(at + MS, vec!["I1"]), (at + SECOND, vec![])] {
        let mut book = book();
        let set = fact(2, 5, at);
        book.source_gave(set);
        book.take(3, Note::Changes { id: 8, at, change: Change::Set(2, 5) });
        book.take(3, Note::Changed { id: 8, at: ended, end: ChangeEnd::Done });
        change(&mut book, Change::Delete(2), ChangeEnd::Done);
        book.take(1, read(2, START + SECOND, set, From::Local));
        assert_eq!(breaches(book), expected);
    }
}

#[test]
fn at_rest_everything_counts_but_what_its_maker_took_along() {
    for (killed, expected) in [(false, vec!["I6"]), (true, vec![])] {
        let mut book = book();
        change(&mut book, Change::Delete(2), ChangeEnd::Deferred);
        if killed {
            let (kind, from) = (TroubleKind::Killed, START + SECOND);
            book.trouble(Trouble { from, to: from, process: Some(1), kind });
        }
        let Note::Read(mut late) = read(2, START + 5 * SECOND, fact(2, 1, START), From::Local)
        else {
            panic!("not a read")
        };
        late.at_rest = true;
        book.take(2, Note::Read(late));
        assert_eq!(breaches(book), expected);
    }
}

#[test]
fn confirmed_change_is_told_again_to_a_server_that_went_back() {
    for (after, expected) in [(SECOND, vec![]), (8 * SECOND, vec!["I4", "I2"])] {
        let mut book = book();
        change(&mut book, Change::Delete(2), ChangeEnd::Done);
        let (from, to) = (START + SECOND, START + 2 * SECOND);
        let kind = TroubleKind::Forgot { back_to: Some(START) };
        book.trouble(Trouble { from, to, process: None, kind });
        book.take(2, read(2, to + after, fact(2, 1, START), From::Shared));
        assert_eq!(breaches(book), expected);
    }
}

#[test]
fn what_the_source_never_gave_is_found() {
    let mut book = book();
    for (key, fact) in [(3, fact(2, 1, START)), (2, fact(2, 9, START)), (2, fact(2, 1, START + 1))]
    {
        book.take(1, read(key, START + SECOND, fact, From::Shared));
    }
    assert_eq!(breaches(book), ["P4"; 3]);
}

#[test]
fn value_past_its_hard_deadline_is_found() {
    for (age, from, expected) in [
        (7 * SECOND, From::Fallback, vec![]),
        (8 * SECOND, From::Fallback, vec!["I4"]),
        (8 * SECOND, From::Load, vec![]),
    ] {
        let mut book = book();
        book.take(1, read(2, START + age, fact(2, 1, START), from));
        assert_eq!(breaches(book), expected);
    }
}

#[test]
fn late_answer_is_found_unless_the_process_stood_still() {
    for (paused, expected) in [(false, vec!["I9"]), (true, vec![])] {
        let mut book = book();
        let (from, to) = (START, START + 4 * SECOND);
        if paused {
            let kind = TroubleKind::Paused;
            book.trouble(Trouble { from, to, process: Some(1), kind });
        }
        let answer = Answer::Failed(Failure::Patience);
        let (called, ended) = (from, to + 2 * SECOND);
        let read = Read { key: 2, called, ended, loads: true, at_rest: false, answer };
        book.take(1, Note::Read(read));
        assert_eq!(breaches(book), expected);
    }
}

#[test]
fn failure_of_the_cache_is_found_and_one_of_the_load_is_not() {
    for (failure, loads, expected) in [
        (Failure::Cache("broken".to_owned()), true, vec!["P1"]),
        (Failure::Load, false, vec!["P1"]),
        (Failure::Load, true, vec![]),
    ] {
        let mut book = book();
        let answer = Answer::Failed(failure);
        let (called, ended) = (START, START + MS);
        book.take(1, Note::Read(Read { key: 2, called, ended, loads, at_rest: false, answer }));
        assert_eq!(breaches(book), expected);
    }
}

/// Two loads of key 2, the second by another process; what they break.
fn two_loads(first_ends: Moment, verdict: Verdict, second: Moment, trouble: bool) -> Vec<String> {
    let mut book = book();
    let load = |process, began, ended, verdict| Load {
        process,
        key: 2,
        asked: began,
        began,
        ended: Some(ended),
        verdict: Some(verdict),
    };
    book.begin_load(load(1, START, first_ends, verdict));
    book.begin_load(load(2, second, second + MS, Verdict::Value));
    if trouble {
        book.take(2, Note::Trouble { at: START, what: "no answer in time".to_owned() });
    }
    breaches(book)
}

#[test]
fn two_loads_at_a_time_are_found_where_all_is_well() {
    let value = Verdict::Value;
    assert_eq!(two_loads(START + 20 * MS, value, START + 10 * MS, false), ["I3"]);
    assert_eq!(two_loads(START + 20 * MS, value, START + 10 * MS, true), [""; 0]);
    assert_eq!(two_loads(START + 20 * MS, value, START + 30 * MS, false), [""; 0]);
}

#[test]
fn process_that_may_hold_a_lease_unawares_does_not_wait_for_it() {
    for (ago, expected) in [(5 * SECOND, vec![]), (7 * SECOND, vec!["I3"])] {
        let mut book = book();
        for (process, began) in [(1, START), (2, START + 10 * MS)] {
            let (ended, verdict) = (Some(START + 20 * MS), Some(Verdict::Value));
            book.begin_load(Load { process, key: 2, asked: began, began, ended, verdict });
        }
        book.take(2, Note::AnswerLost { at: START - ago });
        assert_eq!(breaches(book), expected);
    }
}

#[test]
fn load_within_a_back_off_is_found() {
    let failure = Verdict::Failure;
    assert_eq!(two_loads(START + 20 * MS, failure, START + 60 * MS, false), ["I8"]);
    assert_eq!(two_loads(START + 20 * MS, failure, START + 400 * MS, false), [""; 0]);
}

#[test]
fn load_held_past_its_deadline_is_found() {
    assert_eq!(two_loads(START + 4 * SECOND, Verdict::Value, START + 5 * SECOND, false), ["I5"]);
}
