//! Whether a value was outdated by a change that binds its reader: I1 in the process that made the
//! change, I2 in the others, I6 once everything is at rest.

use std::time::Duration;

use super::{Book, Changed, Trouble, TroubleKind, after, since};
use crate::note::{Answer, Change, ChangeEnd, Fact, From, Moment, Process, Read};
use crate::plan::timing;

/// For how long other processes may serve what was before a change: a copy may be used for two
/// seconds without hearing of changes, and that nothing is heard shows after a heartbeat and its
/// time limit.
const UNTOLD: Duration = Duration::from_millis(2_000 + 1_000);

/// The same where everything is well and the server tells of changes, on a busy machine.
const PUSH: Duration = Duration::from_millis(300);

/// How long it may take until a server that forgot changes is told of them again.
const TOLD_AGAIN: Duration = Duration::from_secs(4);

/// What a timed-out write may come late: as long as the network holds it, and this.
const LATE_WRITE: Duration = Duration::from_secs(2);

/// What a bound is exceeded by at most: the coarse clock.
const SLACK: Duration = Duration::from_millis(30);

/// A value that was read, by whom and when.
struct Seen<'a> {
    process: Process,
    read: &'a Read,
    fact: &'a Fact,
    from: From,
    collapsed: bool,
}

impl Book {
    pub(super) fn judge_freshness(&self, breaches: &mut Vec<String>) {
        for (process, read) in &self.reads {
            let Answer::Value { fact, from, collapsed } = &read.answer else { continue };
            let (from, collapsed) = (*from, *collapsed);
            let seen = Seen { process: *process, read, fact, from, collapsed };
            let first = self.changes.partition_point(|change| change.called <= fact.born);
            let later = self.changes[first..].iter();
            let breach = later
                .take_while(|change| change.called < read.called)
                .filter(|change| change.change.covers(read.key))
                .find_map(|change| self.breach(change, &seen).map(|breach| (breach, change)));
            if let Some(((promise, late), change)) = breach {
                breaches.push(format!("{promise} {late:?} after {change:?}: p{process} {read:?}"));
            }
        }
    }

    /// Which promise it breaks that somebody saw after `change` what had been loaded before it, and
    /// how long after.
    fn breach(&self, change: &Changed, seen: &Seen<'_>) -> Option<(&'static str, Duration)> {
        let (ended, end) = change.ended?;
        let called = seen.read.called;
        let kept = matches!(change.change, Change::Expire(_)) && seen.from.is_stale();
        if ended >= called || kept || self.was_set_since(seen.fact, change.called) {
            return None;
        }
        let late = since(called, ended);
        if seen.read.at_rest {
            let binds = end != ChangeEnd::Failed && !self.was_killed(change.process)
                || end == ChangeEnd::Done && self.forgotten(change).is_none();
            return binds.then_some(("I6", late));
        }
        if change.process == seen.process {
            let binds = match end {
                ChangeEnd::Done => true,
                // Until the server is told, this process makes up for it.
                ChangeEnd::Deferred => seen.from == From::Local,
                ChangeEnd::Failed => false,
            };
            return binds.then_some(("I1", late));
        }
        if end != ChangeEnd::Done {
            return None;
        }
        let effective = match self.forgotten(change) {
            // Told again by the one who made it, when that one has noticed.
            Some(forgot) if !self.was_killed(change.process) => {
                after(forgot, TOLD_AGAIN).max(ended)
            }
            Some(_) => return None,
            None => ended,
        };
        let until = after(effective, self.grace(change, seen) + SLACK);
        (called > until).then_some(("I2", late))
    }

    /// When the server forgot a change that it had confirmed, if it did: it went back to a moment
    /// before.
    fn forgotten(&self, change: &Changed) -> Option<Moment> {
        let forgot = |trouble: &&Trouble| match trouble.kind {
            TroubleKind::Forgot { back_to: Some(moment) } => {
                moment <= change.ended.map_or(Moment::MAX, |(at, _)| at)
                    && trouble.to >= change.called
            }
            _ => false,
        };
        self.troubles.iter().filter(forgot).map(|trouble| trouble.to).max()
    }

    /// Whether the value was set while or after the change was made: nobody can order the two.
    fn was_set_since(&self, fact: &Fact, called: Moment) -> bool {
        let Some(set) = self.sets.get(&fact.id).and_then(|place| self.changes.get(*place)) else {
            return false;
        };
        match set.ended {
            None => true,
            Some((ended, ChangeEnd::Done)) => ended > called,
            // What became of it shows when the server is well again.
            Some((ended, _)) => {
                let server = self.troubles.iter().filter(|trouble| {
                    trouble.kind == TroubleKind::Server
                        && trouble.from <= ended
                        && trouble.to >= set.called
                });
                let well = server.map(|trouble| trouble.to).max().unwrap_or(ended).max(ended);
                after(well, LATE_WRITE) > called
            }
        }
    }

    /// For how long after a change another process may still answer with what was before.
    fn grace(&self, change: &Changed, seen: &Seen<'_>) -> Duration {
        let called = seen.read.called;
        let quiet = !self.was_trouble(Some(seen.process), change.called, called);
        let copies = if quiet && self.pushes { PUSH } else { UNTOLD };
        // A flight that began before is found out by its lease, by push, or by its end.
        let flights = if quiet { copies } else { timing().load_deadline + UNTOLD };
        match seen.from {
            _ if seen.collapsed => flights,
            From::Fallback => flights,
            From::Local | From::Allowed if self.copies => copies,
            // The markers of tags are copied where changes are told.
            _ if matches!(change.change, Change::Tag { .. }) && self.pushes => copies,
            _ => Duration::ZERO,
        }
    }
}
