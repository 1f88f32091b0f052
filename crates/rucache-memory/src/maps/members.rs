//! One map with expiry: members by name, by age for paging, by expiry for counting and purging.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use foldhash::fast::RandomState;
use rucache_core::{MapEntry, Timestamp};

/// Bytes that a member takes besides its name and note.
///
/// Measured on Linux with glibc's allocator, names of 11 bytes and notes of 24: 212 to 222 bytes
/// resident between 300,000 and 1,000,000 members, besides those 35.
/// `cargo run -p rucache-memory --example overhead -- map` measures again.
pub(crate) const MEMBER_OVERHEAD: u64 = 224;

/// A map's members. Every operation on a member takes time in proportion to the logarithm of their
/// number.
#[derive(Debug, Default)]
pub(super) struct Members {
    numbers: HashMap<Arc<str>, u64, RandomState>,
    /// By the order in which they came, which a listing follows: a member keeps its number for as
    /// long as it stays, so that no change around it makes a listing miss it.
    members: BTreeMap<u64, Member>,
    expiries: BTreeSet<(Timestamp, u64)>,
    last_number: u64,
    bytes: u64,
}

#[derive(Debug)]
struct Member {
    name: Arc<str>,
    /// Copied, so that a short note never keeps a long buffer alive.
    note: Box<[u8]>,
    expires: Timestamp,
}

/// Bytes that a member is charged with.
pub(super) fn charge(entry: &MapEntry) -> u64 {
    MEMBER_OVERHEAD + entry.member.len() as u64 + entry.note.len() as u64
}

impl Member {
    fn charge(&self) -> u64 {
        MEMBER_OVERHEAD + self.name.len() as u64 + self.note.len() as u64
    }
}

impl Members {
    /// Bytes by which putting `entry` lets the map grow.
    pub(super) fn growth(&self, entry: &MapEntry) -> u64 {
        let there = self.find(&entry.member).map_or(0, Member::charge);
        charge(entry).saturating_sub(there)
    }

    /// Puts a member in the place of an equal one; `true` when no unexpired one was there.
    pub(super) fn put(&mut self, entry: &MapEntry, now: Timestamp) -> bool {
        let note: Box<[u8]> = entry.note.as_ref().into();
        self.bytes += charge(entry);
        let found = self.numbers.get(entry.member.as_str()).copied();
        if let Some(number) = found
            && let Some(member) = self.members.get_mut(&number)
        {
            self.bytes = self.bytes.saturating_sub(member.charge());
            let expired = std::mem::replace(&mut member.expires, entry.expires);
            member.note = note;
            self.expiries.remove(&(expired, number));
            self.expiries.insert((entry.expires, number));
            return expired <= now;
        }
        self.last_number += 1;
        let name: Arc<str> = entry.member.as_str().into();
        self.numbers.insert(name.clone(), self.last_number);
        self.expiries.insert((entry.expires, self.last_number));
        let member = Member { name, note, expires: entry.expires };
        self.members.insert(self.last_number, member);
        true
    }

    /// Removes a member; `true` when an unexpired one was there.
    pub(super) fn remove(&mut self, name: &str, now: Timestamp) -> bool {
        let Some(number) = self.numbers.get(name).copied() else { return false };
        self.forget(number).is_some_and(|expires| expires > now)
    }

    /// Removes up to `limit` expired members; how many were removed.
    pub(super) fn purge(&mut self, now: Timestamp, limit: usize) -> usize {
        let expired: Vec<u64> = self.expired(now).take(limit).collect();
        for number in &expired {
            self.forget(*number);
        }
        expired.len()
    }

    /// Up to `limit` members that came after the one numbered `after`, and the number after which
    /// the next page begins, if there may be more. Looks at a bounded number of expired ones.
    pub(super) fn page(
        &self,
        after: u64,
        limit: usize,
        now: Timestamp,
    ) -> (Vec<MapEntry>, Option<u64>) {
        let limit = limit.max(1);
        let mut looks_left = limit.saturating_mul(4);
        let mut entries = Vec::new();
        let mut rest = self.members.range((Bound::Excluded(after), Bound::Unbounded)).peekable();
        while let Some((number, member)) = rest.next() {
            looks_left -= 1;
            if member.expires > now {
                entries.push(MapEntry {
                    member: member.name.as_ref().to_owned(),
                    note: Bytes::copy_from_slice(&member.note),
                    expires: member.expires,
                });
            }
            if entries.len() == limit || looks_left == 0 {
                let more = rest.peek().is_some();
                return (entries, more.then_some(*number));
            }
        }
        (entries, None)
    }

    /// How many are unexpired: the time for it grows with the number of expired ones not purged.
    pub(super) fn len(&self, now: Timestamp) -> u64 {
        (self.members.len() - self.expired(now).count()) as u64
    }

    /// Whether nothing is left, expired or not.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Bytes charged for the members.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn find(&self, name: &str) -> Option<&Member> {
        self.members.get(self.numbers.get(name)?)
    }

    fn forget(&mut self, number: u64) -> Option<Timestamp> {
        let member = self.members.remove(&number)?;
        self.numbers.remove(&member.name);
        self.expiries.remove(&(member.expires, number));
        self.bytes = self.bytes.saturating_sub(member.charge());
        Some(member.expires)
    }

    fn expired(&self, now: Timestamp) -> impl Iterator<Item = u64> {
        self.expiries.range(..=(now, u64::MAX)).map(|(_, number)| *number)
    }
}
