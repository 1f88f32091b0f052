//! What a read may answer at all (P1, P4), how old it may be (I4), and how long it may take (I9).

use std::time::Duration;

use super::{Book, Tally, Trouble, TroubleKind, after, since};
use crate::note::{Answer, Failure, From, Moment, Process, Read};
use crate::plan::{HARD, timing};

/// What a busy machine adds.
const SLACK: Duration = Duration::from_millis(1_000);

/// The longest that a read without a load takes: a few calls to the server, each within its limit.
const LOOK: Duration = Duration::from_millis(4 * 150);

/// What clocks and rounding may add to a life.
const LIFE_SLACK: Duration = Duration::from_millis(60);

impl Book {
    pub(super) fn judge_reads(&self, breaches: &mut Vec<String>) {
        for (process, read) in &self.reads {
            let breach = self.wrong(read).or_else(|| self.late(*process, read));
            breaches.extend(breach.map(|how| format!("{how}: p{process} {read:?}")));
        }
    }

    fn wrong(&self, read: &Read) -> Option<String> {
        let (fact, from) = match &read.answer {
            Answer::Value { fact, from, .. } => (fact, from),
            Answer::Failed(Failure::Cache(error)) => return Some(format!("P1 {error}")),
            Answer::Failed(_) if !read.loads => return Some("P1 a load failed".to_owned()),
            Answer::Failed(_) | Answer::Nothing => return None,
        };
        if fact.key != read.key || self.facts.get(&fact.id) != Some(fact) {
            return Some("P4 not what the source gave".to_owned());
        }
        let hard = after(after(fact.born, HARD), LIFE_SLACK);
        let is_over = *from != From::Load && read.called > hard;
        is_over.then(|| format!("I4 {:?} past its hard deadline", since(read.called, hard)))
    }

    fn late(&self, process: Process, read: &Read) -> Option<String> {
        let limit = if read.loads { timing().hard_timeout } else { LOOK };
        let took = since(read.ended, read.called);
        let stood = self.stood_still(process, read.called, read.ended);
        let meanwhile = || {
            let lasts = |trouble: &&Trouble| {
                trouble.from <= read.ended && after(trouble.to, SLACK) >= read.called
            };
            self.troubles.iter().filter(lasts).take(20).collect::<Vec<_>>()
        };
        (took > limit + stood + SLACK)
            .then(|| format!("I9 answered after {took:?}, while {:?}", meanwhile()))
    }

    /// For how long a process was stopped between two moments.
    fn stood_still(&self, process: Process, from: Moment, to: Moment) -> Duration {
        let stops = self.troubles.iter().filter(|trouble| {
            trouble.process == Some(process) && trouble.kind == TroubleKind::Paused
        });
        stops.map(|stop| since(stop.to.min(to), stop.from.max(from))).sum()
    }
}

impl Read {
    pub(super) fn count(&self, tally: &mut Tally) {
        let counter = match &self.answer {
            Answer::Value { from: From::Local, .. } => &mut tally.local,
            Answer::Value { from: From::Shared, .. } => &mut tally.shared,
            Answer::Value { from: From::Load, .. } => &mut tally.loaded,
            Answer::Value { .. } => &mut tally.stale,
            Answer::Failed(_) => &mut tally.failed,
            Answer::Nothing => return,
        };
        *counter += 1;
    }
}
