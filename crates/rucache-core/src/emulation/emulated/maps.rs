//! Maps: members spread over buckets, each bucket an item that is changed by compare-and-swap.

use std::collections::BTreeMap;

use super::super::Store;
use super::super::bucket::{BUCKETS, Bucket, count, of_member};
use super::Emulated;
use super::swap::Next;
use crate::backend::MAX_NOTE_LEN;
use crate::{Error, ErrorKind, Key, MapEntry, MapPage, Operation, Timestamp, Ttl};

/// Longest name of a member, in bytes.
const MAX_MEMBER_LEN: usize = 64;

impl<S: Store> Emulated<S> {
    pub(super) async fn put_members(
        &self,
        map: &Key,
        entries: &[MapEntry],
        now: Timestamp,
    ) -> Result<u64, Error> {
        if let Some(limit) = entries.iter().find_map(broken_limit) {
            return Err(self.error(ErrorKind::Invalid, Operation::MapWrite).with_source(limit));
        }
        let mut added = 0;
        for (bucket, entries) in by_bucket(entries, |entry| &entry.member) {
            added += self
                .change_bucket(map, bucket, now, |bucket| {
                    count(entries.iter().filter(|entry| bucket.put(entry)).count())
                })
                .await?;
        }
        Ok(added)
    }

    pub(super) async fn remove_members(
        &self,
        map: &Key,
        members: &[String],
        now: Timestamp,
    ) -> Result<u64, Error> {
        let mut removed = 0;
        for (bucket, members) in by_bucket(members, |member| member) {
            removed += self
                .change_bucket(map, bucket, now, |bucket| {
                    count(members.iter().filter(|member| bucket.remove(member)).count())
                })
                .await?;
        }
        Ok(removed)
    }

    /// A cursor is the number of a bucket, then `:` and the last member that was listed of it.
    pub(super) async fn page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Error> {
        let (mut bucket, mut after) = match cursor.map(|cursor| (cursor, parse_cursor(cursor))) {
            None => (0, None),
            Some((_, Some((bucket, after)))) => (bucket, Some(after)),
            Some((_, None)) => {
                let form = "the cursor is not one that an earlier page gave";
                return Err(self.error(ErrorKind::Invalid, Operation::MapRead).with_source(form));
            }
        };
        let limit = limit.max(1);
        let mut page = MapPage::default();
        while bucket < BUCKETS {
            let members = self.bucket(map, bucket).await?;
            for entry in members.listed(after, now) {
                if page.entries.len() == limit {
                    let last = page.entries.last().map_or("", |entry| &entry.member);
                    // A page may end with a bucket: then nothing of the next one is listed yet.
                    let after = if of_member(last) == bucket { last } else { "" };
                    page.next = Some(format!("{bucket}:{after}"));
                    return Ok(page);
                }
                page.entries.push(entry);
            }
            bucket += 1;
            after = None;
        }
        Ok(page)
    }

    pub(super) async fn count_members(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        let mut members = 0;
        for bucket in 0..BUCKETS {
            members += count(self.bucket(map, bucket).await?.listed(None, now).count());
        }
        Ok(members)
    }

    pub(super) async fn purge_members(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        let mut dropped = 0;
        for bucket in 0..BUCKETS {
            dropped += self
                .swap(&self.bucket_name(map, bucket), Operation::MapWrite, |bytes, _| {
                    let mut bucket = bytes.and_then(Bucket::decode).unwrap_or_default();
                    match bucket.purge(now) {
                        0 => Ok((0, Next::Keep)),
                        dropped => Ok((dropped, kept(&bucket, now))),
                    }
                })
                .await?;
        }
        Ok(dropped)
    }

    async fn change_bucket(
        &self,
        map: &Key,
        bucket: u32,
        now: Timestamp,
        mut step: impl FnMut(&mut Bucket) -> u64 + Send,
    ) -> Result<u64, Error> {
        let limit = self.store.capabilities().max_value_len;
        self.swap(&self.bucket_name(map, bucket), Operation::MapWrite, |bytes, _| {
            let mut bucket = bytes.and_then(Bucket::decode).unwrap_or_default();
            bucket.purge(now);
            let answer = step(&mut bucket);
            // What was put in may have expired already.
            bucket.purge(now);
            match kept(&bucket, now) {
                Next::Put(bytes, _) if bytes.len() > limit => {
                    let full = "the map has more members than the store has room for in its items";
                    Err(self.error(ErrorKind::Full, Operation::MapWrite).with_source(full))
                }
                next => Ok((answer, next)),
            }
        })
        .await
    }

    async fn bucket(&self, map: &Key, bucket: u32) -> Result<Bucket, Error> {
        let item = self.store.get(&self.bucket_name(map, bucket)).await?;
        Ok(item.and_then(|item| Bucket::decode(&item.bytes)).unwrap_or_default())
    }

    fn bucket_name(&self, map: &Key, bucket: u32) -> String {
        format!("{}:{bucket:02x}", self.codec.map(map).as_str())
    }
}

fn broken_limit(entry: &MapEntry) -> Option<&'static str> {
    if entry.member.is_empty() || entry.member.len() > MAX_MEMBER_LEN {
        return Some("a member's name must have 1 to 64 bytes");
    }
    (entry.note.len() > MAX_NOTE_LEN).then_some("a member's note must have at most 64 bytes")
}

fn by_bucket<T>(items: &[T], member: impl Fn(&T) -> &String) -> BTreeMap<u32, Vec<&T>> {
    let mut buckets = BTreeMap::<u32, Vec<&T>>::new();
    for item in items {
        buckets.entry(of_member(member(item))).or_default().push(item);
    }
    buckets
}

/// A bucket lives as long as the last of its members.
fn kept(bucket: &Bucket, now: Timestamp) -> Next {
    if bucket.is_empty() {
        return Next::Remove;
    }
    let left = bucket.last_expiry().as_millis().saturating_sub(now.as_millis());
    Next::Put(bucket.encode(), Ttl::millis(left))
}

fn parse_cursor(cursor: &str) -> Option<(u32, &str)> {
    let (bucket, after) = cursor.split_once(':')?;
    Some((bucket.parse().ok().filter(|bucket| *bucket < BUCKETS)?, after))
}
