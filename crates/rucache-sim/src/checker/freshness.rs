//! Whether a value may still be read: I1 in the process that changed it, I2 in the others.

use std::time::Duration;

use rucache_core::{Key, Mono};
use rucache_engine::{ServedFrom, StaleReason};

use super::record::{Call, CallEnd, ChangeEnd, KeyChange, Moment, Origin, What};
use super::{Book, Seen};
use crate::setup::{CALL_TIMEOUT, PUSH_DELAY, PUSH_HEARTBEAT, Tiers};

/// For how long a copy may be used without hearing of changes.
const MAX_AGE_WITHOUT_PUSH: Duration = Duration::from_secs(2);

/// What a bound is exceeded by at most: busy processors, the coarse clock.
const SLACK: Duration = Duration::from_millis(30);

impl Book {
    /// Looks whether the value that `call` got was outdated by a change that binds it.
    pub(super) fn judge_freshness(&mut self, call: usize, key: &Key, seen: &Seen) {
        let reader = &self.calls[call];
        let outdating = self.changes.get(key).into_iter().flatten().rev();
        let broken = outdating
            // Nearly in the order of their floors: sets may be a little behind.
            .take_while(|change| change.floor + 8 > seen.version)
            .find_map(|change| self.broken(change, reader, seen));
        if let Some((promise, change, late)) = broken {
            let by = &self.calls[change];
            let (what, process) = (by.what.to_string(), by.process);
            let reader = self.calls[call].process;
            self.violate(promise, || {
                format!(
                    "#{call} of p{reader} got v{} of {key} (value {}) from {:?}, {late:?} after #{change} of p{process} ({what})",
                    seen.version, seen.id, seen.from
                )
            });
        }
    }

    /// Which promise it breaks that `reader` got `seen` after `change`: since when.
    fn broken(
        &self,
        change: &KeyChange,
        reader: &Call,
        seen: &Seen,
    ) -> Option<(&'static str, usize, Duration)> {
        if change.floor <= seen.version {
            return None;
        }
        let by = &self.calls[change.call];
        let (ended, end) = by.ended?;
        let kept = matches!(by.what, What::Expire(_)) && matches!(seen.from, ServedFrom::Stale(_));
        let spared = match by.what {
            What::Tag(_, tag) => !self.values[seen.id].tags.contains(&tag),
            _ => false,
        };
        if ended > reader.called || kept || spared || self.was_set_since(seen.id, by.called) {
            return None;
        }
        let late = |since: Mono| reader.called.at.since(since);
        if by.process == reader.process {
            let bound = match end {
                CallEnd::Changed(ChangeEnd::Done) => true,
                CallEnd::Changed(ChangeEnd::Deferred) => self.is_made_up_for(reader, ended, seen),
                _ => false,
            };
            return bound.then(|| ("I1", change.call, late(ended.at)));
        }
        if end != CallEnd::Changed(ChangeEnd::Done) {
            return None;
        }
        let effective = self.effective_elsewhere(by, ended, reader, seen)?;
        let until = effective.after(self.grace(by, reader, seen));
        (reader.called.at > until).then(|| ("I2", change.call, late(effective)))
    }

    /// Whether the value was set while or after the change was made: nobody can order the two.
    fn was_set_since(&self, id: usize, called: Moment) -> bool {
        let Origin::Set(set) = self.values[id].origin else { return false };
        match self.calls[set].ended {
            None => true,
            Some((ended, CallEnd::Changed(ChangeEnd::Done))) => ended > called,
            // What became of it at the store shows a little later.
            Some((ended, _)) => ended.at.after(2 * CALL_TIMEOUT) > called.at,
        }
    }

    /// Whether a deferred change binds its own process: where the local tier answers, and once the
    /// store was told of what it missed.
    fn is_made_up_for(&self, reader: &Call, ended: Moment, seen: &Seen) -> bool {
        let recovered = self.processes.get(&reader.process).and_then(|process| process.recovered);
        let since = recovered.is_some_and(|moment| moment > ended && moment < reader.called);
        since || seen.from == ServedFrom::Local
    }

    /// Since when `reader` has to see another process's change; never, where the store forgot it and
    /// nobody is left who knows.
    fn effective_elsewhere(
        &self,
        by: &Call,
        ended: Moment,
        reader: &Call,
        seen: &Seen,
    ) -> Option<Mono> {
        let mut restores = self.restores.iter().filter(|restore| restore.moment > by.called);
        let Some(first) = restores.next() else { return Some(ended.at) };
        // A marker that the reader has seen at its height is raised above it before it reads again.
        let key = &self.values[seen.id].key;
        let read = first.read.get(&reader.process).and_then(|read| read.get(key));
        if matches!(by.what, What::Clear(_) | What::ClearAll)
            && read.is_some_and(|read| *read > ended)
        {
            return Some(ended.at);
        }
        let last = restores.next_back().unwrap_or(first).moment;
        let process = self.processes.get(&by.process).filter(|process| process.alive)?;
        let told_again = process.recovered.filter(|moment| *moment > last)?;
        Some(told_again.at.max(ended.at))
    }

    /// For how long after a change another process may still answer with what was before.
    fn grace(&self, by: &Call, reader: &Call, seen: &Seen) -> Duration {
        let Some(process) = self.processes.get(&reader.process) else { return Duration::ZERO };
        let tiers = self.setup.tiers;
        let untroubled = process.unrest < by.called.at;
        let pushed = process.push_since.is_some_and(|since| since < by.called.at);
        let copies = match tiers {
            _ if pushed => PUSH_DELAY,
            Tiers::Push | Tiers::Shared => MAX_AGE_WITHOUT_PUSH + PUSH_HEARTBEAT,
            Tiers::Local | Tiers::Pull => MAX_AGE_WITHOUT_PUSH,
        };
        // A flight that began before is found out by its lease, by push, or by its end.
        let flights = match (untroubled, pushed) {
            (true, true) => PUSH_DELAY,
            (true, false) => MAX_AGE_WITHOUT_PUSH,
            (false, _) => 2 * self.setup.timing.load_deadline + MAX_AGE_WITHOUT_PUSH,
        };
        let grace = match seen.from {
            _ if seen.collapsed => flights.max(copies),
            // A fallback may be that of a flight whose load has failed, for its back-off.
            ServedFrom::Stale(why) if !is_callers_wish(why) => flights.max(copies),
            ServedFrom::Local | ServedFrom::Stale(_) if tiers.has_local() => copies,
            // Markers of tags are copied where changes are told, whatever else is.
            _ if matches!(by.what, What::Tag(..)) && self.setup.pushes => copies,
            _ => return Duration::ZERO,
        };
        grace + SLACK
    }
}

/// Whether the caller said that a stale value would do.
const fn is_callers_wish(why: StaleReason) -> bool {
    matches!(why, StaleReason::Allowed | StaleReason::BackendDown)
}
