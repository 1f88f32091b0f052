//! Maps lose nothing, list everything, and give their room back.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::*;

const ROOM: u64 = 1 << 30;
const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn map() -> Key {
    Key::parse("migo:invalid").unwrap()
}

fn entry(member: impl Into<String>, life_millis: u64) -> MapEntry {
    let expires = Timestamp::from_millis(NOW.as_millis() + life_millis);
    MapEntry { member: member.into(), note: Bytes::from_static(b"note"), expires }
}

fn later(millis: u64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + millis)
}

fn numbered(maps: &Maps, range: std::ops::Range<u32>, life_millis: u64) {
    for number in range {
        maps.put(&map(), &[entry(format!("m{number}"), life_millis)], NOW).unwrap();
    }
}

fn list(maps: &Maps, limit: usize, now: Timestamp) -> Vec<String> {
    let mut names = Vec::new();
    let mut cursor = None;
    loop {
        let page = maps.page(&map(), cursor.as_deref(), limit, now).unwrap();
        assert!(page.entries.len() <= limit, "{} of {limit}", page.entries.len());
        names.extend(page.entries.into_iter().map(|entry| entry.member));
        cursor = page.next;
        if cursor.is_none() {
            return names;
        }
    }
}

#[test]
fn put_counts_the_new_and_replaces_the_equal() {
    let maps = Maps::new(ROOM);
    assert_eq!(maps.put(&map(), &[entry("a", 10), entry("b", 10), entry("a", 20)], NOW), Ok(2));
    assert_eq!(maps.put(&map(), &[entry("b", 30), entry("c", 30)], NOW), Ok(1));
    assert_eq!(maps.len(&map(), NOW), 3);
    assert_eq!(maps.len(&map(), later(20)), 2, "a expired at its second deadline");
}

#[test]
fn an_expired_member_is_neither_counted_nor_listed_nor_removed() {
    let maps = Maps::new(ROOM);
    maps.put(&map(), &[entry("short", 10), entry("long", 20)], NOW).unwrap();
    assert_eq!(maps.len(&map(), later(9)), 2);
    assert_eq!(maps.len(&map(), later(10)), 1);
    assert_eq!(list(&maps, 10, later(10)), ["long"]);
    assert_eq!(maps.remove(&map(), &["short".into(), "long".into()], later(10)), 1);
    assert_eq!(maps.put(&map(), &[entry("short", 30)], later(10)), Ok(1));
}

#[test]
fn an_expired_member_that_is_put_again_is_new() {
    let maps = Maps::new(ROOM);
    maps.put(&map(), &[entry("a", 10)], NOW).unwrap();
    assert_eq!(maps.put(&map(), &[entry("a", 30)], later(10)), Ok(1));
    assert_eq!(maps.len(&map(), later(10)), 1);
}

#[test]
fn a_listing_finds_every_member_once_at_any_page_size() {
    let maps = Maps::new(ROOM);
    numbered(&maps, 0..1_000, 10);
    let all: BTreeSet<String> = (0..1_000).map(|number| format!("m{number}")).collect();
    for limit in [1, 7, 999, 1_000, 1_001, usize::MAX] {
        let names = list(&maps, limit, NOW);
        assert_eq!(names.len(), 1_000, "limit {limit}");
        assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), all, "limit {limit}");
    }
}

#[test]
fn a_listing_finds_what_stays_while_others_come_change_and_go() {
    let maps = Maps::new(ROOM);
    numbered(&maps, 0..300, 10);
    let mut seen = BTreeSet::new();
    let mut cursor = None;
    for round in 0.. {
        let page = maps.page(&map(), cursor.as_deref(), 10, NOW).unwrap();
        seen.extend(page.entries.into_iter().map(|entry| entry.member));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
        // Removed before and behind the cursor, added, and replaced.
        maps.remove(&map(), &[format!("m{}", round * 3), format!("m{}", 299 - round * 3)], NOW);
        if round < 20 {
            numbered(&maps, 1_000 + round..1_001 + round, 10);
        }
        numbered(&maps, 100..110, 50);
    }
    let stayed: BTreeSet<String> = (0..300)
        .chain(1_000..1_020)
        .map(|number| format!("m{number}"))
        .filter(|name| maps.lock().maps[&map()].growth(&entry(name.as_str(), 0)) == 0)
        .collect();
    assert!(stayed.len() > 100, "{}", stayed.len());
    assert_eq!(stayed.difference(&seen).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn a_page_over_expired_members_stops_early_and_goes_on() {
    let maps = Maps::new(ROOM);
    numbered(&maps, 0..1_000, 10);
    numbered(&maps, 1_000..1_001, 50);
    let first = maps.page(&map(), None, 10, later(10)).unwrap();
    assert_eq!(first.entries, []);
    assert_eq!(first.next.as_deref(), Some("40"));
    assert_eq!(list(&maps, 10, later(10)), ["m1000"]);
}

#[test]
fn a_cursor_of_another_listing_is_refused() {
    let maps = Maps::new(ROOM);
    assert_eq!(maps.page(&map(), Some("m1"), 10, NOW), Err(Refusal::Cursor));
}

#[test]
fn purge_drops_the_expired_and_an_emptied_map_is_gone() {
    let maps = Maps::new(ROOM);
    numbered(&maps, 0..3_000, 10);
    numbered(&maps, 3_000..3_001, 50);
    assert_eq!(maps.purge(&map(), later(10)), 3_000);
    assert_eq!((maps.len(&map(), later(10)), maps.count()), (1, 1));
    assert_eq!(maps.purge(&map(), later(50)), 1);
    assert_eq!((maps.count(), maps.bytes()), (0, 0));
}

#[test]
fn bytes_follow_every_change() {
    let maps = Maps::new(ROOM);
    maps.put(&map(), &[entry("a", 10)], NOW).unwrap();
    let one = maps.bytes();
    maps.put(&map(), &[entry("b", 10)], NOW).unwrap();
    assert_eq!(maps.bytes() - one, members::MEMBER_OVERHEAD + 1 + 4);
    let noted = MapEntry { note: Bytes::from_static(&[7; 64]), ..entry("b", 10) };
    maps.put(&map(), &[noted], NOW).unwrap();
    assert_eq!(maps.bytes() - one, members::MEMBER_OVERHEAD + 1 + 64);
    maps.remove(&map(), &["b".into()], NOW);
    assert_eq!(maps.bytes(), one);
    maps.remove(&map(), &["a".into()], NOW);
    assert_eq!((maps.bytes(), maps.count()), (0, 0));
}

#[test]
fn a_full_store_refuses_whole_batches_and_takes_them_after_expiry() {
    let maps = Maps::new(100 * members::MEMBER_OVERHEAD);
    let batch: Vec<MapEntry> = (0..60).map(|number| entry(format!("a{number}"), 10)).collect();
    assert_eq!(maps.put(&map(), &batch, NOW), Ok(60));
    let more: Vec<MapEntry> = (0..60).map(|number| entry(format!("b{number}"), 50)).collect();
    assert!(matches!(maps.put(&map(), &more, NOW), Err(Refusal::MapsFull { .. })));
    assert_eq!(maps.len(&map(), NOW), 60, "nothing of the refused batch was put");
    assert_eq!(maps.put(&map(), &batch, NOW), Ok(0), "equal members need no more room");
    assert_eq!(maps.put(&map(), &more, later(10)), Ok(60), "the expired gave theirs back");
    assert_eq!(maps.len(&map(), later(10)), 60);
}

#[test]
fn names_and_notes_over_their_limits_are_refused() {
    let maps = Maps::new(ROOM);
    assert_eq!(maps.put(&map(), &[entry("", 10)], NOW), Err(Refusal::MemberLen { len: 0 }));
    let long = [entry("a", 10), entry("x".repeat(65), 10)];
    assert_eq!(maps.put(&map(), &long, NOW), Err(Refusal::MemberLen { len: 65 }));
    let noted = MapEntry { note: vec![0; 65].into(), ..entry("a", 10) };
    assert_eq!(maps.put(&map(), &[noted], NOW), Err(Refusal::NoteLen { len: 65 }));
    assert_eq!(maps.count(), 0);
    assert_eq!(maps.put(&map(), &[entry("x".repeat(64), 10)], NOW), Ok(1));
}
