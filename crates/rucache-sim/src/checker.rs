//! The book of a world: everything that was called, answered, loaded and changed, in one order.
//!
//! Each report gets a number; "before" and "after" are told by it. Every value that was ever loaded
//! or set has a number of its own, so that a reader's answer says which load or set it came from.

mod record;
mod freshness;
mod loads;
mod calls;
mod fleet;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rucache_core::{Key, Mono};

use crate::history::Violation;
use crate::setup::Setup;
use crate::source::Fact;
use crate::tally::Tally;
use record::{Call, KeyChange, Load, Moment, Origin, Process, Restore, Written};

pub(crate) use record::{Answer, CallId, ChangeEnd, Failure, LoadEnd, LoadId, Seen, What};

/// How much longer than it may something may take: busy processors.
const SLACK: Duration = Duration::from_millis(60);

/// The longest that a verdict lasts, its jitter included.
const VERDICT_AT_MOST: Duration = Duration::from_millis(4_400);

/// Lines of a trace that are kept.
const MAX_LINES: usize = 1_000_000;

/// See the module.
pub(crate) struct Book {
    pub(crate) now: Mono,
    setup: Arc<Setup>,
    /// Number of the last report.
    seq: u64,
    trace: Option<Vec<String>>,
    violation: Option<Violation>,
    pub(crate) tally: Tally,
    source: BTreeMap<Key, u64>,
    values: Vec<Written>,
    calls: Vec<Call>,
    open_calls: BTreeSet<usize>,
    loads: Vec<Load>,
    open_loads: BTreeSet<usize>,
    loads_of: BTreeMap<Key, Vec<usize>>,
    changes: BTreeMap<Key, Vec<KeyChange>>,
    processes: BTreeMap<u64, Process>,
    /// The last time that anything was wrong anywhere.
    unrest: Mono,
    /// The last time that the store changed or lost something of a key.
    effects: BTreeMap<Key, Moment>,
    restores: Vec<Restore>,
}

impl Book {
    pub(crate) fn new(setup: Arc<Setup>, traced: bool) -> Self {
        Self {
            now: Mono::default(),
            source: setup.keys.iter().map(|key| (key.clone(), 1)).collect(),
            setup,
            seq: 0,
            trace: traced.then(Vec::new),
            violation: None,
            tally: Tally::default(),
            values: Vec::new(),
            calls: Vec::new(),
            open_calls: BTreeSet::new(),
            loads: Vec::new(),
            open_loads: BTreeSet::new(),
            loads_of: BTreeMap::new(),
            changes: BTreeMap::new(),
            processes: BTreeMap::new(),
            unrest: Mono::default(),
            effects: BTreeMap::new(),
            restores: Vec::new(),
        }
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        let millis = self.now.as_nanos() / 1_000 % 3_600_000_000;
        if let Some(trace) = self.trace.as_mut().filter(|trace| trace.len() < MAX_LINES) {
            trace.push(format!("{:>6}.{:03} ms  {}", millis / 1_000, millis % 1_000, line()));
        }
    }

    /// The lines noted so far.
    pub(crate) fn take_trace(&mut self) -> Vec<String> {
        self.trace.take().unwrap_or_default()
    }

    /// The first promise that was broken.
    pub(crate) fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    pub(crate) fn violate(&mut self, promise: &'static str, how: impl FnOnce() -> String) {
        if self.violation.is_none() {
            let violation = Violation { promise, how: how() };
            self.note(|| format!("*** {}: {}", violation.promise, violation.how));
            self.violation = Some(violation);
        }
    }

    pub(crate) fn commit(&mut self, key: &Key) -> u64 {
        let version = self.source.entry(key.clone()).or_insert(0);
        *version += 1;
        let version = *version;
        self.moment();
        self.note(|| format!("source: {key} is at v{version}"));
        version
    }

    pub(crate) fn version(&self, key: &Key) -> u64 {
        self.source.get(key).copied().unwrap_or(0)
    }

    /// Takes note of a value that may be read from now on.
    fn value(&mut self, key: &Key, version: u64, tags: Vec<&'static str>, origin: Origin) -> Fact {
        let id = self.values.len();
        let policy = &self.setup.policy;
        let stale = policy.stale.map_or(Duration::ZERO, |stale| stale.as_duration());
        // A verdict lasts as long as its own policy says, which is shorter than most.
        let whole = (policy.fresh.as_duration() + stale).max(VERDICT_AT_MOST);
        let hard = self.now.after(whole);
        let began = self.now;
        self.values.push(Written { key: key.clone(), version, tags, origin, began, hard });
        Fact { key: key.as_str().to_owned(), version, id }
    }

    /// Numbers a report.
    fn moment(&mut self) -> Moment {
        self.seq += 1;
        Moment { seq: self.seq, at: self.now }
    }
}

#[cfg(test)]
mod tests;
