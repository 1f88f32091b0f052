//! What the model holds: plain maps, every rule written out where it applies.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use rucache_core::{
    Fetched, Key, Lease, LeaseEnd, LeaseHold, LeaseRequest, LeaseToken, MapEntry, MapPage, Marker,
    MarkerVersion, Mono, Precondition, Stored, Timestamp, Ttl, Version, Write, WriteOutcome,
};

/// Everything the model knows, at a moment: expired things are dropped before every operation.
#[derive(Default)]
pub(super) struct State {
    pub(super) entries: HashMap<Key, Until<Stored>>,
    leases: HashMap<Key, Until<LeaseToken>>,
    notes: HashMap<Key, Until<Bytes>>,
    counters: HashMap<Key, Until<u64>>,
    markers: HashMap<Marker, u64>,
    maps: HashMap<Key, BTreeMap<String, (Bytes, Timestamp)>>,
    last_number: u64,
}

/// Something with an end.
pub(super) struct Until<T> {
    it: T,
    end: Mono,
}

impl<T> Until<T> {
    fn new(it: T, now: Mono, ttl: Ttl) -> Self {
        Self { it, end: now.after(ttl.as_duration()) }
    }
}

impl State {
    /// Forgets what has expired by `now`.
    pub(super) fn pass_time(&mut self, now: Mono) {
        self.entries.retain(|_, entry| entry.end > now);
        self.leases.retain(|_, lease| lease.end > now);
        self.notes.retain(|_, note| note.end > now);
        self.counters.retain(|_, counter| counter.end > now);
    }

    /// A number that was not given out before.
    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    pub(super) fn read(&self, key: &Key) -> Option<Stored> {
        self.entries.get(key).map(|entry| entry.it.clone())
    }

    pub(super) fn companions(&self, key: &Key) -> Fetched {
        let marker = |marker| self.markers.get(&marker).copied().map(MarkerVersion::from_raw);
        Fetched {
            entry: None,
            root: marker(Marker::Root),
            service: marker(Marker::Service(key.service_name())),
        }
    }

    pub(super) fn write(&mut self, write: &Write, now: Mono) -> WriteOutcome {
        let current = self.read(&write.key).map(|stored| stored.version);
        let holds = match write.when {
            Precondition::Always => true,
            Precondition::Absent => current.is_none(),
            Precondition::Version(seen) => current == Some(seen),
            Precondition::Lease(token) => self.holds(&write.key, token),
        };
        if !holds {
            return WriteOutcome::Refused;
        }
        self.end_claims(&write.key);
        let version = Version::from_raw(self.next_number());
        let stored = Stored { value: write.value.clone(), version, stale: false };
        self.entries.insert(write.key.clone(), Until::new(stored, now, write.ttl));
        WriteOutcome::Stored
    }

    pub(super) fn delete(&mut self, key: &Key) -> bool {
        self.end_claims(key);
        self.entries.remove(key).is_some()
    }

    pub(super) fn expire(&mut self, key: &Key) -> bool {
        self.end_claims(key);
        let version = Version::from_raw(self.next_number());
        match self.entries.get_mut(key) {
            None => false,
            Some(entry) => {
                entry.it.stale = true;
                entry.it.version = version;
                true
            }
        }
    }

    pub(super) fn lease(&mut self, request: &LeaseRequest, now: Mono) -> Lease {
        let key = &request.key;
        if self.read(key).map(|stored| stored.version) != request.seen {
            return Lease::Changed;
        }
        if self.leases.contains_key(key) {
            return Lease::Held;
        }
        if let Some(note) = self.notes.get(key) {
            return Lease::BackingOff { note: note.it.clone() };
        }
        let token = LeaseToken::from_raw(self.next_number().into());
        self.leases.insert(key.clone(), Until::new(token, now, request.ttl));
        Lease::Granted(token)
    }

    pub(super) fn renew(&mut self, hold: &LeaseHold, ttl: Ttl, now: Mono) -> bool {
        let holds = self.holds(&hold.key, hold.token);
        if holds {
            let mut lease = Until::new(hold.token, now, ttl);
            let until_now = self.leases.get(&hold.key).map_or(now, |lease| lease.end);
            lease.end = lease.end.max(until_now);
            self.leases.insert(hold.key.clone(), lease);
        }
        holds
    }

    pub(super) fn release(&mut self, end: &LeaseEnd, now: Mono) -> bool {
        let holds = self.holds(&end.hold.key, end.hold.token);
        if holds {
            self.end_claims(&end.hold.key);
            if let Some(back_off) = &end.back_off {
                let note = Until::new(back_off.note.clone(), now, back_off.ttl);
                self.notes.insert(end.hold.key.clone(), note);
            }
        }
        holds
    }

    fn holds(&self, key: &Key, token: LeaseToken) -> bool {
        self.leases.get(key).is_some_and(|lease| lease.it == token)
    }

    fn end_claims(&mut self, key: &Key) {
        self.leases.remove(key);
        self.notes.remove(key);
    }

    pub(super) fn add(&mut self, counter: &Key, delta: u64, ttl: Ttl, now: Mono) -> u64 {
        let counter = self.counters.entry(counter.clone()).or_insert(Until::new(0, now, ttl));
        counter.it = counter.it.saturating_add(delta).min(i64::MAX.unsigned_abs());
        counter.it
    }

    pub(super) fn marker(&mut self, marker: &Marker, seed: MarkerVersion) -> MarkerVersion {
        let raw = self.markers.entry(marker.clone()).or_insert(seed.as_raw());
        MarkerVersion::from_raw(*raw)
    }

    pub(super) fn bump(&mut self, marker: &Marker, seed: MarkerVersion) {
        self.markers
            .entry(marker.clone())
            .and_modify(|version| *version += 1)
            .or_insert(seed.as_raw());
    }

    pub(super) fn map_put(&mut self, map: &Key, entry: &MapEntry, now: Timestamp) -> bool {
        let members = self.maps.entry(map.clone()).or_default();
        let held = (entry.note.clone(), entry.expires.min(Timestamp::from_millis(1 << 53)));
        let old = members.insert(entry.member.clone(), held);
        old.is_none_or(|(_, expires)| expires <= now)
    }

    pub(super) fn map_remove(&mut self, map: &Key, member: &str, now: Timestamp) -> bool {
        let old = self.maps.get_mut(map).and_then(|members| members.remove(member));
        old.is_some_and(|(_, expires)| expires > now)
    }

    /// The unexpired members of `map` in order.
    pub(super) fn members(&self, map: &Key, now: Timestamp) -> Vec<MapEntry> {
        let members = self.maps.get(map).into_iter().flatten();
        members
            .filter(|(_, (_, expires))| *expires > now)
            .map(|(member, (note, expires))| MapEntry {
                member: member.clone(),
                note: note.clone(),
                expires: *expires,
            })
            .collect()
    }

    /// A page begins after the member that is its cursor.
    pub(super) fn map_page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> MapPage {
        let mut entries = self.members(map, now);
        entries.retain(|entry| cursor.is_none_or(|cursor| entry.member.as_str() > cursor));
        let more = entries.len() > limit.max(1);
        entries.truncate(limit.max(1));
        let next = entries.last().filter(|_| more).map(|entry| entry.member.clone());
        MapPage { entries, next }
    }

    pub(super) fn map_purge(&mut self, map: &Key, now: Timestamp) -> usize {
        let Some(members) = self.maps.get_mut(map) else { return 0 };
        let before = members.len();
        members.retain(|_, (_, expires)| *expires > now);
        before - members.len()
    }
}
