//! A share of a map's members, as one item. Byte 1, then for each member, big-endian: expiry u64,
//! the member's length u8, the note's length u8, member, note.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use rucache_core::{MapEntry, Timestamp};

/// The form that this version writes.
const VERSION: u8 = 1;

/// Greatest expiry, 2^53 ms: what every store can hold.
const LAST_EXPIRY: Timestamp = Timestamp::from_millis(1 << 53);

/// The members of one bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    members: Vec<MapEntry>,
}

impl Bucket {
    /// Drops the expired members; how many there were.
    pub(super) fn purge(&mut self, now: Timestamp) -> usize {
        let before = self.members.len();
        self.members.retain(|member| member.expires > now);
        before - self.members.len()
    }

    /// Puts a member in; `true` when it was not there.
    pub(super) fn put(&mut self, entry: &MapEntry) -> bool {
        let entry = MapEntry { expires: entry.expires.min(LAST_EXPIRY), ..entry.clone() };
        match self.members.iter_mut().find(|member| member.member == entry.member) {
            Some(member) => {
                *member = entry;
                false
            }
            None => {
                self.members.push(entry);
                true
            }
        }
    }

    /// Takes a member out; `true` when it was there.
    pub(super) fn remove(&mut self, member: &str) -> bool {
        let place = self.members.iter().position(|entry| entry.member == member);
        place.is_some_and(|place| {
            self.members.swap_remove(place);
            true
        })
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// When the last of its members expires.
    pub(super) fn last_expiry(&self) -> Timestamp {
        self.members.iter().map(|member| member.expires).max().unwrap_or_default()
    }

    /// The unexpired members.
    pub(super) fn listed(&self, now: Timestamp) -> impl Iterator<Item = MapEntry> + '_ {
        self.members.iter().filter(move |member| member.expires > now).cloned()
    }

    /// The bucket as bytes. Members and notes are within 255 bytes, checked when they came in.
    pub(super) fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::new();
        bytes.put_u8(VERSION);
        for MapEntry { member, note, expires } in &self.members {
            bytes.put_u64(expires.as_millis());
            bytes.put_u8(u8::try_from(member.len()).unwrap_or(u8::MAX));
            bytes.put_u8(u8::try_from(note.len()).unwrap_or(u8::MAX));
            bytes.put_slice(member.as_bytes());
            bytes.put_slice(note);
        }
        bytes.freeze()
    }

    /// The bucket that `bytes` are; an empty one when nothing of this version wrote them, which the
    /// next write replaces.
    pub(super) fn decode(bytes: &Bytes) -> Self {
        Self::try_decode(bytes.clone()).unwrap_or_default()
    }

    fn try_decode(mut rest: Bytes) -> Option<Self> {
        if rest.try_get_u8().ok()? != VERSION {
            return None;
        }
        let mut members = Vec::new();
        while !rest.is_empty() {
            let expires = Timestamp::from_millis(rest.try_get_u64().ok()?);
            let member_len = usize::from(rest.try_get_u8().ok()?);
            let note_len = usize::from(rest.try_get_u8().ok()?);
            if rest.len() < member_len + note_len {
                return None;
            }
            let member = String::from_utf8(rest.split_to(member_len).to_vec()).ok()?;
            members.push(MapEntry { member, note: rest.split_to(note_len), expires });
        }
        Some(Self { members })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(member: &str, note: &'static [u8], expires: u64) -> MapEntry {
        let expires = Timestamp::from_millis(expires);
        MapEntry { member: member.to_owned(), note: Bytes::from_static(note), expires }
    }

    #[test]
    fn encoding_keeps_members() {
        let mut bucket = Bucket::default();
        assert!(bucket.put(&entry("b", b"\0\xff", 5)));
        assert!(bucket.put(&entry("ñ", b"", 1 << 53)));
        assert!(!bucket.put(&entry("b", b"new", 6)));
        let found = Bucket::decode(&bucket.encode());
        let listed: Vec<_> = found.listed(Timestamp::from_millis(5)).collect();
        assert_eq!(listed, [entry("b", b"new", 6), entry("ñ", b"", 1 << 53)]);
    }

    #[test]
    fn form_is_as_documented() {
        let mut bucket = Bucket::default();
        bucket.put(&entry("ab", b"n", 258));
        assert_eq!(&bucket.encode()[..], b"\x01\0\0\0\0\0\0\x01\x02\x02\x01abn");
    }

    #[test]
    fn expired_members_are_not_listed_and_purged() {
        let mut bucket = Bucket::default();
        bucket.put(&entry("a", b"", 5));
        bucket.put(&entry("b", b"", 6));
        let now = Timestamp::from_millis(5);
        assert_eq!(bucket.listed(now).count(), 1);
        assert_eq!((bucket.purge(now), bucket.purge(now)), (1, 0));
        assert_eq!(bucket.last_expiry(), Timestamp::from_millis(6));
        assert!(!bucket.remove("a") && bucket.remove("b") && bucket.is_empty());
    }

    #[test]
    fn expiry_is_cut_to_what_every_store_holds() {
        let mut bucket = Bucket::default();
        bucket.put(&entry("a", b"", u64::MAX));
        assert_eq!(bucket.last_expiry(), Timestamp::from_millis(1 << 53));
    }

    #[test]
    fn foreign_bytes_are_an_empty_bucket() {
        for bytes in [&b""[..], b"\x02", b"\x01\0", b"\x01\0\0\0\0\0\0\0\0\x02\0a"] {
            assert_eq!(Bucket::decode(&Bytes::copy_from_slice(bytes)), Bucket::default());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_a_panic(tail: Vec<u8>) {
            let bucket = Bucket::decode(&[&[VERSION][..], &tail].concat().into());
            prop_assert_eq!(Bucket::decode(&bucket.encode()), bucket);
        }
    }
}
