//! A share of a map's members, small enough for one item of a store. Version 1, big-endian:
//! `rB`, 1, then for each member in order: its length u8, the note's length u8, last expiry u64,
//! member, note.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::{MapEntry, Timestamp};

/// How many buckets a map has. About 7,000 members fit a bucket of 1,000,000 bytes, 1.8 million a
/// map; a listing or a count reads at most this many items.
pub(super) const BUCKETS: u32 = 256;

const MAGIC: [u8; 3] = *b"rB\x01";

/// The latest expiry of a member: what every store can hold.
const LAST_EXPIRY: Timestamp = Timestamp::from_millis(1 << 53);

/// The bucket of `member`: the same in every process and version, as it says where members are.
pub(super) fn of_member(member: &str) -> u32 {
    crc32fast::hash(member.as_bytes()) % BUCKETS
}

/// Members by name. Expired ones go whenever the bucket is touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    members: BTreeMap<String, (Bytes, Timestamp)>,
}

impl Bucket {
    /// Drops the expired members; how many there were.
    pub(super) fn purge(&mut self, now: Timestamp) -> u64 {
        let before = self.members.len();
        self.members.retain(|_, (_, expires)| *expires > now);
        count(before - self.members.len())
    }

    /// Puts a member in; `true` when it was not there.
    pub(super) fn put(&mut self, entry: &MapEntry) -> bool {
        let expires = entry.expires.min(LAST_EXPIRY);
        self.members.insert(entry.member.clone(), (entry.note.clone(), expires)).is_none()
    }

    /// Takes a member out; `true` when it was there.
    pub(super) fn remove(&mut self, member: &str) -> bool {
        self.members.remove(member).is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// When the last of its members expires.
    pub(super) fn last_expiry(&self) -> Timestamp {
        self.members.values().map(|(_, expires)| *expires).max().unwrap_or_default()
    }

    /// The unexpired members after `after`, in order.
    pub(super) fn listed(
        &self,
        after: Option<&str>,
        now: Timestamp,
    ) -> impl Iterator<Item = MapEntry> + '_ {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.members
            .range::<str, _>((from, Bound::Unbounded))
            .filter(move |(_, (_, expires))| *expires > now)
            .map(|(member, (note, expires))| MapEntry {
                member: member.clone(),
                note: note.clone(),
                expires: *expires,
            })
    }

    /// The bucket as bytes. Members and notes are within 255 bytes, checked when they came in.
    pub(super) fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::new();
        bytes.put_slice(&MAGIC);
        for (member, (note, expires)) in &self.members {
            bytes.put_u8(u8::try_from(member.len()).unwrap_or(u8::MAX));
            bytes.put_u8(u8::try_from(note.len()).unwrap_or(u8::MAX));
            bytes.put_u64(expires.as_millis());
            bytes.put_slice(member.as_bytes());
            bytes.put_slice(note);
        }
        bytes.freeze()
    }

    /// The bucket that `bytes` are; `None` when nothing of this version wrote them.
    pub(super) fn decode(bytes: &Bytes) -> Option<Self> {
        let mut rest = bytes.clone();
        let mut magic = [0; MAGIC.len()];
        rest.try_copy_to_slice(&mut magic).ok()?;
        if magic != MAGIC {
            return None;
        }
        let mut bucket = Self::default();
        while !rest.is_empty() {
            let member_len = usize::from(rest.try_get_u8().ok()?);
            let note_len = usize::from(rest.try_get_u8().ok()?);
            let expires = Timestamp::from_millis(rest.try_get_u64().ok()?);
            if rest.len() < member_len + note_len {
                return None;
            }
            let member = String::from_utf8(rest.split_to(member_len).to_vec()).ok()?;
            bucket.members.insert(member, (rest.split_to(note_len), expires));
        }
        Some(bucket)
    }
}

/// A length as a count.
pub(super) fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bucket_of_a_member_never_moves() {
        let buckets = ["20131312955", "20100070970", "a b", "ñ"].map(of_member);
        assert_eq!(buckets, [117, 170, 211, 104]);
    }

    #[test]
    fn encoding_keeps_members() {
        let mut bucket = Bucket::default();
        for (member, note, expires) in [("b", &b"\0\xff"[..], 5), ("a", b"", 1 << 53)] {
            let note = Bytes::from_static(note);
            let expires = Timestamp::from_millis(expires);
            assert!(bucket.put(&MapEntry { member: member.into(), note, expires }));
        }
        assert_eq!(Bucket::decode(&bucket.encode()), Some(bucket));
    }

    #[test]
    fn foreign_bytes_are_no_bucket() {
        for bytes in [&b""[..], b"rB", b"rB\x02", b"rB\x01\x01", b"rB\x01\x01\x0000000000"] {
            assert_eq!(Bucket::decode(&Bytes::copy_from_slice(bytes)), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_not_without_a_panic(tail: Vec<u8>) {
            let bytes = [&MAGIC[..], &tail].concat();
            if let Some(bucket) = Bucket::decode(&bytes.into()) {
                prop_assert_eq!(Bucket::decode(&bucket.encode()), Some(bucket));
            }
        }
    }
}
