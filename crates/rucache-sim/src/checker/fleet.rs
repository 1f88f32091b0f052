//! The state of processes and of the store, as the promises depend on it.

use std::collections::BTreeMap;
use std::time::Duration;

use rucache_core::{Change, Key, Marker, Mono};

use super::Book;
use super::record::{Moment, Process, Restore};
use crate::server::Loss;

/// How long after the last trouble the fleet counts as at peace: a lease whose grant was lost on its
/// way lasts for five seconds, rounded up, and the outbox tries again every second.
const SETTLING: Duration = Duration::from_millis(6_500);

impl Book {
    pub(crate) fn process_began(&mut self, process: u64, place: usize) {
        self.note(|| format!("p{process} begins at place {place}"));
        let begun = Process {
            alive: true,
            unrest: Mono::default(),
            recovered: None,
            push_since: None,
            read: BTreeMap::new(),
            knows: BTreeMap::new(),
        };
        self.processes.insert(process, begun);
    }

    pub(crate) fn process_ended(&mut self, process: u64) {
        self.note(|| format!("p{process} is killed"));
        self.unrest(process);
        if let Some(process) = self.processes.get_mut(&process) {
            process.alive = false;
        }
    }

    pub(crate) fn unrest(&mut self, process: u64) {
        self.unrest = self.now;
        if let Some(known) = self.processes.get_mut(&process) {
            known.unrest = self.now;
        }
    }

    pub(crate) fn recovered(&mut self, process: u64) {
        self.note(|| format!("p{process} store up"));
        let moment = self.moment();
        self.unrest(process);
        if let Some(process) = self.processes.get_mut(&process) {
            process.recovered = Some(moment);
        }
    }

    pub(crate) fn push(&mut self, process: u64, whole: bool) {
        self.note(|| format!("p{process} push {}", if whole { "is whole" } else { "breaks" }));
        let now = self.now;
        self.unrest(process);
        if let Some(process) = self.processes.get_mut(&process) {
            process.push_since = whole.then_some(now);
        }
    }

    pub(crate) fn told(&mut self, process: u64, change: &Change) {
        self.note(|| format!("p{process} is told {}", text(change)));
        self.knows(process, change);
    }

    /// `process` knows of a change: it was told, or it has made it, now or from its outbox.
    pub(crate) fn knows(&mut self, process: u64, change: &Change) {
        let moment = self.moment();
        let concerned: Vec<Key> =
            self.setup.keys.iter().filter(|key| concerns(change, key)).cloned().collect();
        if let Some(process) = self.processes.get_mut(&process) {
            process.knows.extend(concerned.into_iter().map(|key| (key, moment)));
        }
    }

    pub(crate) fn read_markers(&mut self, process: u64, key: &Key) {
        let moment = self.moment();
        if let Some(process) = self.processes.get_mut(&process) {
            process.read.insert(key.clone(), moment);
        }
    }

    pub(crate) fn took_effect(&mut self, change: &Change) {
        let moment = self.moment();
        let keys: Vec<Key> =
            self.setup.keys.iter().filter(|key| concerns(change, key)).cloned().collect();
        self.effects.extend(keys.into_iter().map(|key| (key, moment)));
    }

    pub(crate) fn lost(&mut self, loss: &Loss) {
        self.note(|| match loss {
            Loss::Entry(key) => format!("store evicts the entry of {key}"),
            Loss::Lease(key) => format!("store evicts the lease of {key}"),
            Loss::Marker(marker) => {
                format!("store evicts the marker of {}", crate::shown::marker(marker))
            }
        });
        let moment = self.moment();
        let lost = |key: &&Key| match loss {
            Loss::Entry(lost) | Loss::Lease(lost) => *key == lost,
            Loss::Marker(_) => true,
        };
        let keys: Vec<Key> = self.setup.keys.iter().filter(lost).cloned().collect();
        self.effects.extend(keys.into_iter().map(|key| (key, moment)));
    }

    pub(crate) fn reborn(&mut self, with_old_data: bool) {
        let how = if with_old_data { "as it was at its last snapshot" } else { "with nothing" };
        self.note(|| format!("store begins anew {how}"));
        let moment = self.moment();
        self.unrest = self.now;
        self.processes.values_mut().for_each(|process| process.unrest = moment.at);
        // What was read belongs to the life that ended.
        let read = self.processes.iter_mut();
        let read = read.map(|(id, process)| (*id, std::mem::take(&mut process.read))).collect();
        if with_old_data {
            self.restores.push(Restore { moment, read });
        }
    }

    /// Whether nothing was wrong anywhere since `moment`, and a little before.
    pub(super) fn at_peace_since(&self, moment: Moment) -> bool {
        self.setup.tiers.has_shared() && self.unrest.after(SETTLING) < moment.at
    }

    /// Whether something happened at or after `moment`, or was under way then, that may have ended
    /// the flight of `key` in `process`.
    pub(super) fn was_superseded(&self, process: u64, key: &Key, moment: Moment) -> bool {
        let unsettled = self.processes.get(&process).is_some_and(|process| {
            process.unrest >= moment.at
                || process.knows.get(key).is_some_and(|known| *known > moment)
        });
        unsettled || self.was_changed(key, moment)
    }

    /// Whether `key` was changed by a call or an eviction at or after `moment`, or was being changed
    /// then.
    pub(super) fn was_changed(&self, key: &Key, moment: Moment) -> bool {
        let under_way = |call: usize| {
            let call = &self.calls[call];
            call.called > moment || call.ended.is_none_or(|(ended, _)| ended > moment)
        };
        let changes = self.changes.get(key).map(Vec::as_slice).unwrap_or_default();
        self.effects.get(key).is_some_and(|effect| *effect > moment)
            || changes.iter().rev().any(|change| under_way(change.call))
    }
}

fn concerns(change: &Change, key: &Key) -> bool {
    let marker_concerns = |marker: &Marker| match marker {
        Marker::Root => true,
        Marker::Service(service) | Marker::TagEpoch(service) => service.as_str() == key.service(),
        Marker::Tag(tag) => tag.service() == key.service(),
    };
    // By changing an entry of its own a cache finds out whether it is told; then it trusts nothing
    // from before.
    let proves_push = |told: &Key| told.service() == "cache";
    match change {
        Change::Entries(keys) => keys.contains(key) || keys.iter().any(proves_push),
        Change::Markers(markers) => markers.iter().any(marker_concerns),
        Change::Service(service) => service.as_str() == key.service(),
        _ => true,
    }
}

fn text(change: &Change) -> String {
    match change {
        Change::Entries(keys) => {
            let keys: Vec<_> = keys.iter().map(Key::as_str).collect();
            format!("that {} changed", keys.join(" "))
        }
        Change::Markers(markers) => {
            let markers: Vec<_> = markers.iter().map(crate::shown::marker).collect();
            format!("that the marker of {} changed", markers.join(", "))
        }
        other => format!("{other:?}"),
    }
}
