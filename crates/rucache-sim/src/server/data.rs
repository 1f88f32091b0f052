//! What the server holds, and its commands: the contract's rules, from core's `Slot`.

use std::collections::BTreeMap;

use rucache_core::emulation::Slot;
use rucache_core::{
    Change, Companions, Fetched, Key, Lease, LeaseEnd, LeaseHold, LeaseRequest, LeaseToken,
    MapEntry, MapPage, Marker, MarkerVersion, Timestamp, Ttl, Version, Write, WriteOutcome,
};

use super::Loss;
use crate::random::Random;

/// Everything a server holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Data {
    slots: BTreeMap<Key, Slot>,
    /// The leases granted last, to be able to lose one without its entry.
    leases: BTreeMap<Key, LeaseToken>,
    /// Few, and in an order that does not depend on hashes.
    markers: Vec<(Marker, MarkerVersion)>,
    counters: BTreeMap<Key, u64>,
    maps: BTreeMap<Key, BTreeMap<String, MapEntry>>,
    /// To be pushed.
    changes: Vec<Change>,
}

impl Data {
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    pub(crate) fn get(&self, key: &Key, companions: Companions, now: Timestamp) -> Fetched {
        let entry = self.slots.get(key).and_then(|slot| slot.read(now));
        match companions {
            Companions::None => Fetched { entry, root: None, service: None },
            Companions::Markers => Fetched {
                entry,
                root: self.marker(&Marker::Root),
                service: self.marker(&Marker::Service(key.service_name())),
            },
        }
    }

    pub(crate) fn write(
        &mut self,
        write: &Write,
        now: Timestamp,
        random: &mut Random,
    ) -> WriteOutcome {
        let fresh = Version::from_raw(random.next());
        let slot = self.slots.entry(write.key.clone()).or_default();
        let outcome = slot.write(write.value.clone(), write.ttl, write.when, now, fresh);
        if outcome == WriteOutcome::Stored {
            self.changes.push(Change::Entries(vec![write.key.clone()]));
        }
        outcome
    }

    pub(crate) fn delete(&mut self, key: &Key, now: Timestamp) -> bool {
        self.changes.push(Change::Entries(vec![key.clone()]));
        self.slots.remove(key).is_some_and(|mut slot| slot.delete(now))
    }

    pub(crate) fn expire(&mut self, key: &Key, now: Timestamp, random: &mut Random) -> bool {
        let fresh = Version::from_raw(random.next());
        self.changes.push(Change::Entries(vec![key.clone()]));
        self.slots.get_mut(key).is_some_and(|slot| slot.expire(now, fresh))
    }

    pub(crate) fn lease(
        &mut self,
        request: &LeaseRequest,
        now: Timestamp,
        random: &mut Random,
    ) -> Lease {
        let token = LeaseToken::from_raw(u128::from(random.next()));
        let slot = self.slots.entry(request.key.clone()).or_default();
        let lease = slot.lease(request.seen, request.ttl, now, token);
        if matches!(lease, Lease::Granted(_)) {
            self.leases.insert(request.key.clone(), token);
        }
        lease
    }

    pub(crate) fn renew(&mut self, hold: &LeaseHold, ttl: Ttl, now: Timestamp) -> bool {
        self.slots.get_mut(&hold.key).is_some_and(|slot| slot.renew(hold.token, ttl, now))
    }

    pub(crate) fn release(&mut self, end: &LeaseEnd, now: Timestamp) -> bool {
        let slot = self.slots.get_mut(&end.hold.key);
        slot.is_some_and(|slot| slot.release(end.hold.token, end.back_off.as_ref(), now))
    }

    pub(crate) fn marker_or(&mut self, marker: &Marker, seed: MarkerVersion) -> MarkerVersion {
        self.marker(marker).unwrap_or_else(|| {
            self.markers.push((marker.clone(), seed));
            self.changes.push(Change::Markers(vec![marker.clone()]));
            seed
        })
    }

    pub(crate) fn bump(&mut self, marker: &Marker, seed: MarkerVersion) {
        self.changes.push(Change::Markers(vec![marker.clone()]));
        match self.markers.iter_mut().find(|(known, _)| known == marker) {
            Some((_, version)) => {
                *version = MarkerVersion::from_raw(version.as_raw() + 1).max(seed);
            }
            None => self.markers.push((marker.clone(), seed)),
        }
    }

    pub(crate) fn add(&mut self, counter: &Key, delta: u64) -> u64 {
        let count = self.counters.entry(counter.clone()).or_default();
        *count = count.saturating_add(delta);
        *count
    }

    pub(crate) fn map_put(&mut self, map: &Key, entries: &[MapEntry]) -> u64 {
        let members = self.maps.entry(map.clone()).or_default();
        let put = |entry: &MapEntry| members.insert(entry.member.clone(), entry.clone()).is_none();
        entries.iter().map(put).filter(|new| *new).count() as u64
    }

    pub(crate) fn map_remove(&mut self, map: &Key, members: &[String], now: Timestamp) -> u64 {
        let Some(known) = self.maps.get_mut(map) else { return 0 };
        let removed = members.iter().filter_map(|member| known.remove(member));
        removed.filter(|entry| entry.expires > now).count() as u64
    }

    /// Everything on one page.
    pub(crate) fn map_page(&self, map: &Key, now: Timestamp) -> MapPage {
        let members = self.maps.get(map).into_iter().flat_map(BTreeMap::values);
        let entries = members.filter(|entry| entry.expires > now).cloned().collect();
        MapPage { entries, next: None }
    }

    pub(crate) fn map_purge(&mut self, map: &Key, now: Timestamp) -> u64 {
        let Some(members) = self.maps.get_mut(map) else { return 0 };
        let before = members.len();
        members.retain(|_, entry| entry.expires > now);
        (before - members.len()) as u64
    }

    /// Drops an entry, a lease or a marker for lack of room.
    pub(crate) fn evict(&mut self, random: &mut Random, now: Timestamp) -> Option<Loss> {
        match random.below(3) {
            0 => {
                let keys: Vec<Key> = self.slots.keys().cloned().collect();
                let key = (!keys.is_empty()).then(|| random.pick(&keys))?;
                self.slots.remove(&key);
                self.changes.push(Change::Entries(vec![key.clone()]));
                Some(Loss::Entry(key))
            }
            1 => {
                let keys: Vec<Key> = self.leases.keys().cloned().collect();
                let key = (!keys.is_empty()).then(|| random.pick(&keys))?;
                let token = self.leases.remove(&key)?;
                let lost = self.slots.get_mut(&key)?.release(token, None, now);
                lost.then_some(Loss::Lease(key))
            }
            _ => {
                let place = (!self.markers.is_empty()).then(|| random.index(self.markers.len()))?;
                let (marker, _) = self.markers.remove(place);
                self.changes.push(Change::Markers(vec![marker.clone()]));
                Some(Loss::Marker(marker))
            }
        }
    }

    fn marker(&self, marker: &Marker) -> Option<MarkerVersion> {
        self.markers.iter().find(|(known, _)| known == marker).map(|(_, version)| *version)
    }
}
