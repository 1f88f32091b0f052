//! Maps with expiry: members spread over 4,096 buckets, each an item that is changed by
//! compare-and-swap, on the node that its name chooses.

mod bucket;
mod change;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use rucache_core::backend::MAX_NOTE_LEN;
use rucache_core::{Error, Key, MapEntry, MapPage, Operation, Timestamp};

use crate::client::{Item, Name};
use crate::error::{Refusal, Trouble};
use crate::hash::bucket_of;
use crate::node::Node;
use crate::pool::Pool;
use crate::rounds::Task;

use bucket::Bucket;
use change::{Change, Changing};

/// How many buckets a map has.
const BUCKETS: u16 = 4_096;

/// Buckets that are read or changed at a time.
const AT_A_TIME: u16 = 512;

/// Buckets that a page reads first, and then, until it is full: a small map has empty ones.
const PAGE_STEPS: [u16; 2] = [64, 256];

/// Longest name of a member, in bytes.
const MAX_MEMBER_LEN: usize = 64;

impl Pool {
    pub(crate) async fn map_put(
        &self,
        map: &Key,
        entries: &[MapEntry],
        now: Timestamp,
    ) -> Result<u64, Error> {
        if let Some(refusal) = entries.iter().find_map(refused) {
            return Err(refusal.during(Operation::MapWrite));
        }
        let by_bucket = by_bucket(entries, |entry| &entry.member);
        let put = |entries: Vec<&MapEntry>| Change::Put(entries.into_iter().cloned().collect());
        self.change(map, by_bucket, put, now).await
    }

    pub(crate) async fn map_remove(
        &self,
        map: &Key,
        members: &[String],
        now: Timestamp,
    ) -> Result<u64, Error> {
        let by_bucket = by_bucket(members, |member| member);
        let remove = |members: Vec<&String>| Change::Remove(members.into_iter().cloned().collect());
        self.change(map, by_bucket, remove, now).await
    }

    pub(crate) async fn map_purge(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        let all = (0..BUCKETS).map(|bucket| (bucket, Vec::<()>::new())).collect();
        self.change(map, all, |_| Change::Purge, now).await
    }

    pub(crate) async fn map_page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Error> {
        let first = cursor.map_or(Ok(0), |cursor| {
            let bucket = u16::from_str_radix(cursor, 16).ok();
            let bucket = bucket.filter(|bucket| *bucket < BUCKETS && cursor.len() == 3);
            bucket.ok_or_else(|| Refusal::Cursor.during(Operation::MapRead))
        })?;
        let (mut next, mut page) = (first, MapPage::default());
        let mut steps = PAGE_STEPS.into_iter();
        while next < BUCKETS {
            let end = BUCKETS.min(next + steps.next().unwrap_or(AT_A_TIME));
            for bucket in self.buckets_now(map, next..end).await? {
                page.entries.extend(bucket.listed(now));
                next += 1;
                // A page ends with a bucket, so that a cursor needs to say no more.
                if page.entries.len() >= limit.max(1) && next < BUCKETS {
                    page.next = Some(format!("{next:03x}"));
                    return Ok(page);
                }
            }
        }
        Ok(page)
    }

    pub(crate) async fn map_len(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        let mut members = 0;
        for first in (0..BUCKETS).step_by(AT_A_TIME.into()) {
            let buckets = self.buckets_now(map, first..first + AT_A_TIME).await?;
            members += buckets.iter().map(|bucket| count(bucket.listed(now).count())).sum::<u64>();
        }
        Ok(members)
    }

    async fn change<T>(
        &self,
        map: &Key,
        by_bucket: BTreeMap<u16, Vec<T>>,
        change: impl Fn(Vec<T>) -> Change,
        now: Timestamp,
    ) -> Result<u64, Error> {
        let (name_of, max) = (self.buckets(map), self.config.max_value_len());
        let wall = self.clock.wall();
        let mut changes = by_bucket.into_iter().map(|(bucket, items)| {
            let name = name_of(bucket);
            let step = Changing::new(name.clone(), change(items), now, wall, max);
            Task { node: self.node_of(&name), subject: name, step }
        });
        let mut changed = 0;
        loop {
            let tasks: Vec<_> = changes.by_ref().take(AT_A_TIME.into()).collect();
            if tasks.is_empty() {
                return Ok(changed);
            }
            for answer in self.drive(tasks, self.map_limit(), Operation::MapWrite).await {
                changed += answer?.map_err(|refusal| refusal.during(Operation::MapWrite))?;
            }
        }
    }

    /// The buckets of this range, all at once.
    async fn buckets_now(
        &self,
        map: &Key,
        range: std::ops::Range<u16>,
    ) -> Result<Vec<Bucket>, Error> {
        let names: Vec<Name> = range.map(self.buckets(map)).collect();
        let nodes: Vec<_> = names.iter().map(|name| self.node_of(name)).collect();
        let deadline = self.limit().whole;
        let read = |(at, node): (usize, &Arc<Node>)| {
            let own = nodes.iter().zip(&names).filter(move |(node, _)| **node == at);
            let own: Vec<Name> = own.map(|(_, name)| name.clone()).collect();
            let node = node.clone();
            async move {
                match node.check_reads() {
                    _ if own.is_empty() => Vec::new(),
                    Ok(()) => node.read_apart(&own, deadline).await,
                    Err(trouble) => own.iter().map(|_| Err(trouble)).collect(),
                }
            }
        };
        let found = join_all(self.nodes.iter().enumerate().map(read)).await;
        let mut found: Vec<_> = found.into_iter().map(Vec::into_iter).collect();
        let bucket = |node: &usize| {
            let found = found[*node].next().unwrap_or(Err(Trouble::Garbled));
            let bytes = |item: Option<Item>| item.map_or_else(Bytes::new, |item| item.value);
            match found {
                Ok(item) => Ok(Bucket::decode(&bytes(item))),
                Err(trouble) => Err(self.error(*node, trouble, Operation::MapRead)),
            }
        };
        nodes.iter().map(bucket).collect()
    }
}

fn refused(entry: &MapEntry) -> Option<Refusal> {
    let (member, note) = (entry.member.len(), entry.note.len());
    if !(1..=MAX_MEMBER_LEN).contains(&member) {
        return Some(Refusal::MemberLen { len: member });
    }
    (note > MAX_NOTE_LEN).then_some(Refusal::NoteLen { len: note })
}

fn by_bucket<T>(items: &[T], member: impl Fn(&T) -> &String) -> BTreeMap<u16, Vec<&T>> {
    let mut buckets = BTreeMap::<u16, Vec<&T>>::new();
    for item in items {
        buckets.entry(bucket_of(member(item))).or_default().push(item);
    }
    buckets
}

/// A length as a count.
fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
