//! What a slot must do, transition by transition.

use bytes::Bytes;
use proptest::prelude::*;

use super::Slot;
use crate::{
    BackOff, Lease, LeaseToken, Precondition, Stored, Timestamp, Ttl, Version, WriteOutcome,
};

const TTL: Ttl = Ttl::secs(10);

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

const fn version(raw: u64) -> Version {
    Version::from_raw(raw)
}

const fn token(raw: u128) -> LeaseToken {
    LeaseToken::from_raw(raw)
}

fn filled() -> Slot {
    let mut slot = Slot::default();
    assert_eq!(
        slot.write("one".into(), TTL, Precondition::Always, at(0), version(1)),
        WriteOutcome::Stored
    );
    slot
}

fn leased(mut slot: Slot) -> Slot {
    let seen = slot.read(at(0)).map(|stored| stored.version);
    assert_eq!(slot.lease(seen, TTL, at(0), token(9)), Lease::Granted(token(9)));
    slot
}

fn fill(slot: &mut Slot, now: Timestamp) -> WriteOutcome {
    slot.write("fill".into(), TTL, Precondition::Lease(token(9)), now, version(2))
}

#[test]
fn entry_lives_through_its_last_tick() {
    let slot = filled();
    let stored = Stored { value: "one".into(), version: version(1), stale: false };
    assert_eq!(slot.read(at(10_000)), Some(stored));
    assert_eq!(slot.read(at(10_001)), None);
    assert!(!slot.is_empty(at(10_000)));
    assert!(slot.is_empty(at(10_001)));
    assert_eq!(slot.last_alive(), Some(at(10_000)));
}

#[test]
fn absent_holds_once_the_entry_has_expired() {
    let mut slot = filled();
    let mut write = |now| slot.write("two".into(), TTL, Precondition::Absent, now, version(2));
    assert_eq!(write(at(10_000)), WriteOutcome::Refused);
    assert_eq!(write(at(10_001)), WriteOutcome::Stored);
}

#[test]
fn version_holds_until_the_entry_changes() {
    let mut slot = filled();
    assert!(slot.expire(at(0), version(2)));
    let mut write =
        |seen| slot.write("two".into(), TTL, Precondition::Version(seen), at(0), version(3));
    assert_eq!(write(version(1)), WriteOutcome::Refused);
    assert_eq!(write(version(2)), WriteOutcome::Stored);
}

#[test]
fn expired_entry_keeps_its_value_and_its_end() {
    let mut slot = filled();
    assert!(slot.expire(at(5_000), version(2)));
    let stale = Stored { value: "one".into(), version: version(2), stale: true };
    assert_eq!(slot.read(at(10_000)), Some(stale));
    assert_eq!(slot.read(at(10_001)), None);
    assert!(!slot.expire(at(10_001), version(3)));
}

#[test]
fn every_change_voids_the_lease() {
    let check = |change: fn(&mut Slot)| {
        for mut slot in [leased(Slot::default()), leased(filled())] {
            change(&mut slot);
            assert!(!slot.renew(token(9), TTL, at(0)));
            assert!(!slot.release(token(9), None, at(0)));
            assert_eq!(fill(&mut slot, at(0)), WriteOutcome::Refused);
        }
    };
    check(|slot| {
        slot.delete(at(0));
    });
    check(|slot| {
        slot.expire(at(0), version(7));
    });
    check(|slot| {
        slot.write("new".into(), TTL, Precondition::Always, at(0), version(7));
    });
}

#[test]
fn refused_write_leaves_the_lease() {
    let mut slot = leased(filled());
    assert_eq!(
        slot.write("two".into(), TTL, Precondition::Absent, at(0), version(7)),
        WriteOutcome::Refused
    );
    assert_eq!(fill(&mut slot, at(0)), WriteOutcome::Stored);
    assert_eq!(fill(&mut slot, at(0)), WriteOutcome::Refused, "the fill ended the lease");
}

#[test]
fn lease_is_for_one_and_for_what_was_seen() {
    let mut slot = leased(filled());
    assert_eq!(slot.lease(Some(version(1)), TTL, at(0), token(8)), Lease::Held);
    assert_eq!(slot.lease(Some(version(5)), TTL, at(0), token(8)), Lease::Changed);
    assert_eq!(slot.lease(None, TTL, at(0), token(8)), Lease::Changed);
    assert_eq!(slot.read(at(0)).map(|stored| stored.version), Some(version(1)));
}

#[test]
fn lapsed_lease_fills_nothing_and_is_granted_anew() {
    let mut slot = leased(Slot::default());
    assert_eq!(slot.lease(None, TTL, at(10_000), token(8)), Lease::Held);
    assert!(!slot.renew(token(9), TTL, at(10_001)));
    assert_eq!(fill(&mut slot, at(10_001)), WriteOutcome::Refused);
    assert_eq!(slot.lease(None, TTL, at(10_001), token(8)), Lease::Granted(token(8)));
}

#[test]
fn renewal_only_prolongs() {
    let mut slot = leased(Slot::default());
    assert!(slot.renew(token(9), Ttl::MIN, at(5_000)));
    assert_eq!(slot.last_alive(), Some(at(10_000)));
    assert!(slot.renew(token(9), TTL, at(5_000)));
    assert_eq!(slot.last_alive(), Some(at(15_000)));
}

#[test]
fn back_off_is_told_until_it_lapses_or_the_entry_changes() {
    let note = BackOff { note: "provider down".into(), ttl: TTL };
    let mut slot = leased(Slot::default());
    assert!(slot.release(token(9), Some(&note), at(0)));
    assert_eq!(
        slot.lease(None, TTL, at(10_000), token(8)),
        Lease::BackingOff { note: "provider down".into() }
    );
    let mut after_delete = slot.clone();
    after_delete.delete(at(0));
    assert_eq!(after_delete.lease(None, TTL, at(0), token(8)), Lease::Granted(token(8)));
    assert_eq!(slot.lease(None, TTL, at(10_001), token(8)), Lease::Granted(token(8)));
}

fn same(left: &Slot, right: &Slot) -> bool {
    format!("{left:?}") == format!("{right:?}")
}

#[test]
fn encoding_keeps_every_state() {
    let mut backing_off = leased(filled());
    backing_off.release(token(9), Some(&BackOff { note: vec![7; 64].into(), ttl: TTL }), at(1));
    let mut stale = filled();
    stale.expire(at(0), version(2));
    let mut empty_value = Slot::default();
    empty_value.write(Bytes::new(), TTL, Precondition::Always, at(0), version(1));
    for slot in [
        Slot::default(),
        filled(),
        stale,
        leased(Slot::default()),
        leased(filled()),
        backing_off,
        empty_value,
    ] {
        let bytes = slot.encode();
        assert!(bytes.len() <= Slot::MAX_OVERHEAD + slot.value_len());
        let decoded = Slot::decode(&bytes).unwrap();
        assert!(same(&slot, &decoded), "{slot:?} became {decoded:?}");
    }
}

#[test]
fn foreign_bytes_are_no_slot() {
    for bytes in [&b""[..], b"r", b"rS\x02\x00", b"rS\x01", b"rS\x01\x10", b"rS\x01\x01", b"{}"] {
        assert!(Slot::decode(&Bytes::copy_from_slice(bytes)).is_none(), "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_decode_or_not_without_a_panic(tail: Vec<u8>, flags in 0_u8..32) {
        let mut bytes = b"rS\x01".to_vec();
        bytes.push(flags);
        bytes.extend(tail);
        if let Some(slot) = Slot::decode(&bytes.into()) {
            let again = Slot::decode(&slot.encode());
            prop_assert!(again.is_some_and(|again| same(&slot, &again)));
        }
    }
}
