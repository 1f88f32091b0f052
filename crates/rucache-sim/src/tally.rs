//! How much happened in a world: a simulation that does nothing keeps every promise.

use std::fmt;
use std::ops::AddAssign;

use rucache_engine::ServedFrom;

use crate::checker::{Answer, ChangeEnd, Failure, LoadEnd, What};

/// Counts of what happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Worlds.
    pub worlds: u64,
    /// Steps of the scheduler.
    pub steps: u64,
    /// Calls of readers.
    pub reads: u64,
    /// Calls that change something.
    pub changes: u64,
    /// Changes that were confirmed.
    pub done: u64,
    /// Changes that the store will be told of later.
    pub deferred: u64,
    /// Calls whose callers left.
    pub dropped: u64,
    /// Answers from the local tier.
    pub local: u64,
    /// Answers from the shared tier.
    pub shared: u64,
    /// Answers from loads.
    pub loaded: u64,
    /// Stale answers.
    pub stale: u64,
    /// Answers that somebody else's load brought.
    pub collapsed: u64,
    /// Reads that found nothing.
    pub misses: u64,
    /// Callers who were told of a failed load.
    pub failures: u64,
    /// Callers whose patience ended.
    pub timeouts: u64,
    /// Loads.
    pub loads: u64,
    /// Loads that failed.
    pub failed_loads: u64,
    /// Loads that were dropped.
    pub dropped_loads: u64,
    /// Troubles that came over the fleet.
    pub troubles: u64,
}

impl Tally {
    pub(crate) fn called(&mut self, what: &What) {
        match what {
            What::Read(..) | What::Load(_) | What::LoadMany(_) => self.reads += 1,
            _ => self.changes += 1,
        }
    }

    pub(crate) fn answered(&mut self, answer: &Answer) {
        match answer {
            Answer::Value(seen) => {
                self.collapsed += u64::from(seen.collapsed);
                match seen.from {
                    ServedFrom::Local => self.local += 1,
                    ServedFrom::Shared => self.shared += 1,
                    ServedFrom::Stale(_) => self.stale += 1,
                    _ => self.loaded += 1,
                }
            }
            Answer::Nothing => self.misses += 1,
            Answer::Failed(Failure::TimedOut) => self.timeouts += 1,
            Answer::Failed(_) => self.failures += 1,
        }
    }

    pub(crate) const fn changed(&mut self, end: ChangeEnd) {
        match end {
            ChangeEnd::Done => self.done += 1,
            ChangeEnd::Deferred => self.deferred += 1,
            ChangeEnd::Failed => {}
        }
    }

    pub(crate) const fn load_ended(&mut self, end: LoadEnd) {
        match end {
            LoadEnd::Failed => self.failed_loads += 1,
            LoadEnd::Dropped => self.dropped_loads += 1,
            LoadEnd::Value | LoadEnd::Absent => {}
        }
    }

    /// Every count by its name.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 19] {
        [
            ("worlds", self.worlds),
            ("steps", self.steps),
            ("reads", self.reads),
            ("changes", self.changes),
            ("done", self.done),
            ("deferred", self.deferred),
            ("dropped calls", self.dropped),
            ("local", self.local),
            ("shared", self.shared),
            ("loaded", self.loaded),
            ("stale", self.stale),
            ("collapsed", self.collapsed),
            ("misses", self.misses),
            ("failures", self.failures),
            ("timeouts", self.timeouts),
            ("loads", self.loads),
            ("failed loads", self.failed_loads),
            ("dropped loads", self.dropped_loads),
            ("troubles", self.troubles),
        ]
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.worlds += other.worlds;
        self.steps += other.steps;
        self.reads += other.reads;
        self.changes += other.changes;
        self.done += other.done;
        self.deferred += other.deferred;
        self.dropped += other.dropped;
        self.local += other.local;
        self.shared += other.shared;
        self.loaded += other.loaded;
        self.stale += other.stale;
        self.collapsed += other.collapsed;
        self.misses += other.misses;
        self.failures += other.failures;
        self.timeouts += other.timeouts;
        self.loads += other.loads;
        self.failed_loads += other.failed_loads;
        self.dropped_loads += other.dropped_loads;
        self.troubles += other.troubles;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, count)) in self.counts().into_iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{name} {count}")?;
        }
        Ok(())
    }
}
