//! Everything that a fleet did and saw, and what of it breaks a promise.
//!
//! All moments are of one clock. What was under way at the same time has no order: a promise binds a
//! read only where the change had ended before the read was called.

mod freshness;
mod loads;
mod reads;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

use crate::note::{Change, ChangeEnd, Fact, Moment, Note, Process, Read, Verdict};

/// How long after trouble is over it may still show: what recovery may take, and a heartbeat.
const SETTLING: Duration = Duration::from_millis(1_500);

/// A load, as the source saw it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) process: Process,
    pub(crate) key: usize,
    /// When the call was made that began it.
    pub(crate) asked: Moment,
    pub(crate) began: Moment,
    pub(crate) ended: Option<Moment>,
    /// How it ended; none when it was dropped, or killed.
    pub(crate) verdict: Option<Verdict>,
}

/// A change, as its process told of it.
#[derive(Debug, Clone, Copy)]
struct Changed {
    process: Process,
    change: Change,
    called: Moment,
    ended: Option<(Moment, ChangeEnd)>,
}

/// Trouble that was made, or told of.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) from: Moment,
    pub(crate) to: Moment,
    /// Whose trouble; everybody's without one.
    pub(crate) process: Option<Process>,
    pub(crate) kind: TroubleKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TroubleKind {
    /// Between the processes and the server.
    Server,
    /// The server lost what it had, or went back to what it had had at a moment.
    Forgot {
        back_to: Option<Moment>,
    },
    /// The process stood still.
    Paused,
    Killed,
    /// As a process told.
    Told(String),
    /// The process may hold a lease unawares.
    AnswerLost,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) reads: usize,
    pub(crate) local: usize,
    pub(crate) shared: usize,
    pub(crate) loaded: usize,
    pub(crate) stale: usize,
    pub(crate) failed: usize,
    pub(crate) done: usize,
    pub(crate) deferred: usize,
    pub(crate) loads: usize,
    /// Loads during which there must have been no other of their key.
    pub(crate) alone: usize,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Book {
    reads: Vec<(Process, Read)>,
    changes: Vec<Changed>,
    /// Where a change stands among them.
    places: HashMap<u64, usize>,
    loads: Vec<Load>,
    facts: HashMap<u64, Fact>,
    troubles: Vec<Trouble>,
    /// Which change set a value.
    sets: HashMap<u64, usize>,
    /// Whether the server tells of changes.
    pub(crate) pushes: bool,
    /// Whether the processes keep copies.
    pub(crate) copies: bool,
}

impl Book {
    pub(crate) fn take(&mut self, process: Process, note: Note) {
        match note {
            Note::Read(read) => self.reads.push((process, read)),
            Note::Changes { id, at, change } => {
                self.places.insert(id, self.changes.len());
                self.changes.push(Changed { process, change, called: at, ended: None });
            }
            Note::Changed { id, at, end } => {
                if let Some(place) = self.places.get(&id) {
                    self.changes[*place].ended = Some((at, end));
                }
            }
            Note::Trouble { at, what } => self.told(process, at, TroubleKind::Told(what)),
            Note::AnswerLost { at } => self.told(process, at, TroubleKind::AnswerLost),
        }
    }

    fn told(&mut self, process: Process, at: Moment, kind: TroubleKind) {
        self.trouble(Trouble { from: at, to: at, process: Some(process), kind });
    }

    pub(crate) fn source_gave(&mut self, fact: Fact) {
        self.facts.insert(fact.id, fact);
    }

    pub(crate) fn begin_load(&mut self, load: Load) -> usize {
        self.loads.push(load);
        self.loads.len() - 1
    }

    pub(crate) fn end_load(&mut self, place: usize, at: Moment, verdict: Option<Verdict>) {
        let load = &mut self.loads[place];
        load.ended = Some(at);
        load.verdict = verdict;
    }

    pub(crate) fn trouble(&mut self, trouble: Trouble) {
        self.troubles.push(trouble);
    }

    /// The loads so far.
    pub(crate) fn loads(&self) -> &[Load] {
        &self.loads
    }

    /// A process that is loading now.
    pub(crate) fn somebody_loading(&self) -> Option<Process> {
        self.loads.iter().rev().take(50).find(|load| load.ended.is_none()).map(|load| load.process)
    }

    /// Every breach of a promise, in words; and what there was to judge.
    pub(crate) fn judge(&mut self) -> (Vec<String>, Tally) {
        self.changes.sort_by_key(|change| change.called);
        // The places were those of before.
        self.places.clear();
        for (place, change) in self.changes.iter().enumerate() {
            if let Change::Set(_, id) = change.change {
                self.sets.insert(id, place);
            }
        }
        let mut breaches = Vec::new();
        let mut tally = self.tally();
        self.judge_reads(&mut breaches);
        self.judge_freshness(&mut breaches);
        self.judge_loads(&mut breaches, &mut tally);
        (breaches, tally)
    }

    fn tally(&self) -> Tally {
        let ended = |wanted| {
            self.changes
                .iter()
                .filter(move |change| change.ended.is_some_and(|end| end.1 == wanted))
        };
        let mut tally = Tally {
            reads: self.reads.len(),
            done: ended(ChangeEnd::Done).count(),
            deferred: ended(ChangeEnd::Deferred).count(),
            loads: self.loads.len(),
            ..Tally::default()
        };
        for (_, read) in &self.reads {
            read.count(&mut tally);
        }
        tally
    }

    /// Whether a process was killed.
    fn was_killed(&self, process: Process) -> bool {
        let kills = |trouble: &Trouble| {
            trouble.process == Some(process) && trouble.kind == TroubleKind::Killed
        };
        self.troubles.iter().any(kills)
    }

    /// Whether anything was wrong for `process`, or for anybody without one, between two moments or
    /// so shortly before that it may still have shown.
    fn was_trouble(&self, process: Option<Process>, from: Moment, to: Moment) -> bool {
        self.troubles.iter().any(|trouble| {
            let concerns =
                process.is_none() || trouble.process.is_none_or(|of| Some(of) == process);
            concerns && trouble.from <= to && after(trouble.to, SETTLING) >= from
        })
    }
}

/// The moment `span` after another.
fn after(moment: Moment, span: Duration) -> Moment {
    moment + u64::try_from(span.as_nanos()).unwrap()
}

/// How long after another a moment is; nothing if it is before.
fn since(moment: Moment, earlier: Moment) -> Duration {
    Duration::from_nanos(moment.saturating_sub(earlier))
}
