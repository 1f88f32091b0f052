//! The maps with expiry of a backend, bounded in bytes.

mod members;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use rucache_core::backend::MAX_NOTE_LEN;
use rucache_core::{Key, MapEntry, MapPage, Timestamp};

use crate::error::Refusal;
use members::Members;

/// Longest name of a member, in bytes.
const MAX_MEMBER_LEN: usize = 64;

/// Bytes that a map takes besides its members and what its key has on the heap: its place in the
/// table of maps, and the first blocks of its own tables.
const MAP_OVERHEAD: u64 = 1_024;

/// Expired members dropped before other callers get their turn.
const PURGE_STEP: usize = 1_024;

/// All maps, under one lock that is held for one operation, or one step of a purge.
///
/// Members are not evicted: a listing that loses members silently would be a lie, so a full store
/// refuses new ones.
#[derive(Debug)]
pub(crate) struct Maps {
    maps: Mutex<Table>,
    capacity_bytes: u64,
}

#[derive(Debug, Default)]
struct Table {
    maps: HashMap<Key, Members, RandomState>,
    bytes: u64,
}

impl Maps {
    /// No maps, and room for `capacity_bytes` of them.
    pub(crate) fn new(capacity_bytes: u64) -> Self {
        Self { maps: Mutex::default(), capacity_bytes }
    }

    /// Puts all of `entries` or none; how many were new.
    pub(crate) fn put(
        &self,
        map: &Key,
        entries: &[MapEntry],
        now: Timestamp,
    ) -> Result<u64, Refusal> {
        entries.iter().try_for_each(check)?;
        if entries.is_empty() {
            return Ok(0);
        }
        let mut table = self.lock();
        if table.growth(map, entries) > self.capacity_bytes.saturating_sub(table.bytes) {
            table.purge_all(now);
            let needed = table.growth(map, entries);
            let free = self.capacity_bytes.saturating_sub(table.bytes);
            if needed > free {
                return Err(Refusal::MapsFull { needed, free, capacity: self.capacity_bytes });
            }
        }
        Ok(table.change(map, |members| {
            entries.iter().map(|entry| u64::from(members.put(entry, now))).sum()
        }))
    }

    /// Removes members; how many unexpired ones were there.
    pub(crate) fn remove(&self, map: &Key, names: &[String], now: Timestamp) -> u64 {
        self.lock().change(map, |members| {
            names.iter().map(|name| u64::from(members.remove(name, now))).sum()
        })
    }

    /// A page of unexpired members.
    pub(crate) fn page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Refusal> {
        let after = match cursor {
            None => 0,
            Some(cursor) => cursor.parse().map_err(|_| Refusal::Cursor)?,
        };
        let table = self.lock();
        let Some(members) = table.maps.get(map) else { return Ok(MapPage::default()) };
        let (entries, next) = members.page(after, limit, now);
        Ok(MapPage { entries, next: next.map(|number| number.to_string()) })
    }

    /// How many unexpired members `map` has.
    pub(crate) fn len(&self, map: &Key, now: Timestamp) -> u64 {
        self.lock().maps.get(map).map_or(0, |members| members.len(now))
    }

    /// Drops the expired members of `map`; how many were dropped.
    pub(crate) fn purge(&self, map: &Key, now: Timestamp) -> u64 {
        let mut dropped = 0;
        loop {
            let step = self.lock().change(map, |members| members.purge(now, PURGE_STEP));
            dropped += step as u64;
            if step < PURGE_STEP {
                return dropped;
            }
        }
    }

    /// How many maps there are.
    pub(crate) fn count(&self) -> u64 {
        self.lock().maps.len() as u64
    }

    /// Bytes charged.
    pub(crate) fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.maps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Bytes by which putting `entries` lets the table grow, at most.
    fn growth(&self, map: &Key, entries: &[MapEntry]) -> u64 {
        match self.maps.get(map) {
            Some(members) => entries.iter().map(|entry| members.growth(entry)).sum(),
            None => map_charge(map) + entries.iter().map(members::charge).sum::<u64>(),
        }
    }

    /// Lets `change` work on a map, which is created for it if need be and dropped when empty.
    fn change<T>(&mut self, map: &Key, change: impl FnOnce(&mut Members) -> T) -> T {
        let (key, mut members) = self.maps.remove_entry(map).unwrap_or_else(|| {
            self.bytes += map_charge(map);
            (map.clone(), Members::default())
        });
        self.bytes = self.bytes.saturating_sub(members.bytes());
        let answer = change(&mut members);
        self.bytes += members.bytes();
        if members.is_empty() {
            self.bytes = self.bytes.saturating_sub(map_charge(map));
        } else {
            self.maps.insert(key, members);
        }
        answer
    }

    fn purge_all(&mut self, now: Timestamp) {
        for members in self.maps.values_mut() {
            self.bytes = self.bytes.saturating_sub(members.bytes());
            members.purge(now, usize::MAX);
            self.bytes += members.bytes();
        }
        let bytes = &mut self.bytes;
        self.maps.retain(|map, members| {
            if members.is_empty() {
                *bytes = bytes.saturating_sub(map_charge(map));
            }
            !members.is_empty()
        });
    }
}

fn map_charge(map: &Key) -> u64 {
    MAP_OVERHEAD + map.heap_len() as u64
}

fn check(entry: &MapEntry) -> Result<(), Refusal> {
    match (entry.member.len(), entry.note.len()) {
        (len @ 0, _) => Err(Refusal::MemberLen { len }),
        (len, _) if len > MAX_MEMBER_LEN => Err(Refusal::MemberLen { len }),
        (_, len) if len > MAX_NOTE_LEN => Err(Refusal::NoteLen { len }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
