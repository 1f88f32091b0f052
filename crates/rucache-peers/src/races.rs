//! The races: what must hold, how it is put to the test, and the test.

mod callers;
mod failing;
mod invalidation;

use futures_util::future::BoxFuture;

use crate::{Ended, NoSuchOperation, PATIENCE, Stage};

/// A race.
#[derive(Debug)]
pub struct Race {
    /// What must hold.
    pub name: &'static str,
    /// How it is put to the test, in one sentence.
    pub provoked: &'static str,
    /// On how many threads tasks run.
    pub threads: Threads,
    /// How long loads may take.
    pub time: Time,
    pub(crate) run: fn(Stage) -> BoxFuture<'static, Result<Verdict, NoSuchOperation>>,
}

/// On how many threads the tasks of a race run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// One: what is ready runs in a fixed order.
    One,
    /// Two.
    Two,
}

/// What a cache is told about how long a load may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// Nothing: no load of the race takes long.
    Usual,
    /// A short time, where it can be told.
    ShortWhereTold,
    /// A short time; the race is about this.
    Short,
}

/// How a race ended on a cache that offers what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passes,
    /// With what was seen.
    Fails(String),
}

impl Verdict {
    /// Passes if `holds`, else `seen` says what was seen instead.
    fn unless(holds: bool, seen: impl FnOnce() -> String) -> Self {
        if holds { Self::Passes } else { Self::Fails(seen()) }
    }
}

/// All races, in the order of the table.
pub const RACES: &[Race] = &[
    invalidation::OF_A_KEY,
    invalidation::ASKED_AFTERWARDS,
    invalidation::OF_A_TAG,
    invalidation::OF_EVERYTHING,
    callers::ONE_LOAD,
    callers::LEADER_LEAVES,
    callers::LEADERS_LEAVE,
    failing::PANIC,
    failing::RECURSION,
    failing::NEVER_ENDS,
    failing::CALLER_GIVES_UP,
];

/// Asks until there is a value, for as long as [`PATIENCE`]; else how the last call ended.
async fn becomes_free(stage: &Stage) -> Result<(), Ended> {
    let mut last = Ended::Waits;
    let asking = async {
        loop {
            last = stage.call(stage.source.gives(usize::MAX, "later")).ended().await;
            if matches!(last, Ended::Value(_)) {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    let free = tokio::time::timeout(PATIENCE, asking).await.is_ok();
    if free { Ok(()) } else { Err(last) }
}
