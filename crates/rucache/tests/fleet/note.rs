//! What the processes of a fleet tell one another: questions to the source, and notes of what they
//! did and saw, in lines of JSON.

use std::time::Duration;

use rucache::engine::StaleReason;
use rucache::{LoadError, ServedFrom};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::plan::{service_of, tag_of};

/// A moment of the clock that all processes of a machine share, in nanoseconds.
pub(crate) type Moment = u64;

/// Now.
pub(crate) fn now() -> Moment {
    let time = clock_gettime(ClockId::Monotonic);
    u64::try_from(time.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap()
}

/// Returns once `span` has passed: servers, and the other processes, live by the real clock.
pub(crate) async fn pause(span: Duration) {
    tokio::time::sleep_until(tokio::time::Instant::now() + span).await;
}

/// A process of the fleet; one that takes the place of a killed one has a number of its own.
pub(crate) type Process = u32;

/// A value as the source gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fact {
    /// The place of its key.
    pub(crate) key: usize,
    /// No other value has it.
    pub(crate) id: u64,
    /// Which change of the source it has seen.
    pub(crate) version: u64,
    /// When it was read from the source.
    pub(crate) born: Moment,
}

/// How a connection to the referee begins.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// Notes follow.
    Notes { process: Process },
    /// A load begins; `asked` is when its caller called. Answered with a [`Fact`], then with
    /// [`Verdict`] when it may end.
    Load { process: Process, key: usize, asked: Moment },
    /// These keys get a new version; answered with one [`Fact`] for each.
    Commit { keys: Vec<usize> },
}

/// How a load ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verdict {
    Value,
    Failure,
}

/// What a process did or saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Note {
    Read(Read),
    /// A change begins. Told before it does anything.
    Changes {
        id: u64,
        at: Moment,
        change: Change,
    },
    /// A change has ended.
    Changed {
        id: u64,
        at: Moment,
        end: ChangeEnd,
    },
    /// Something went wrong between this process and the server, or got well again.
    Trouble {
        at: Moment,
        what: String,
    },
    /// A lease may be this process's without its knowing: the answer to its request was lost.
    AnswerLost {
        at: Moment,
    },
}

/// One read of one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Read {
    pub(crate) key: usize,
    pub(crate) called: Moment,
    pub(crate) ended: Moment,
    /// Whether it might load.
    pub(crate) loads: bool,
    /// Whether it is one of those at the end, when everything is at rest.
    pub(crate) at_rest: bool,
    pub(crate) answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    Value { fact: Fact, from: From, collapsed: bool },
    Nothing,
    Failed(Failure),
}

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum From {
    Local,
    Shared,
    Load,
    /// A fallback that the caller allowed.
    Allowed,
    /// A fallback for a load that failed or took long.
    Fallback,
}

impl From {
    pub(crate) fn of(from: ServedFrom) -> Self {
        match from {
            ServedFrom::Local => Self::Local,
            ServedFrom::Shared => Self::Shared,
            ServedFrom::Load => Self::Load,
            ServedFrom::Stale(StaleReason::Allowed | StaleReason::BackendDown) => Self::Allowed,
            _ => Self::Fallback,
        }
    }

    pub(crate) const fn is_stale(self) -> bool {
        matches!(self, Self::Allowed | Self::Fallback)
    }
}

/// How a read may fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Failure {
    /// Its load failed, here or in another process, or took too long.
    Load,
    /// The caller had waited long enough, or another process was still at it.
    Patience,
    /// Anything else is the cache's own fault.
    Cache(String),
}

impl Failure {
    pub(crate) fn of(error: &LoadError) -> Self {
        match error {
            LoadError::Failed(_)
            | LoadError::FailedElsewhere
            | LoadError::DeadlinePassed { .. } => Self::Load,
            LoadError::TimedOut { .. } | LoadError::LoadedElsewhere => Self::Patience,
            other => Self::Cache(other.to_string()),
        }
    }
}

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Change {
    Delete(usize),
    Expire(usize),
    /// A key is set to the value with this number.
    Set(usize, u64),
    /// A tag of a service.
    Tag {
        service: usize,
        tag: usize,
    },
    Clear {
        service: usize,
    },
    ClearAll,
}

impl Change {
    /// Whether it makes what was known of `key` outdated.
    pub(crate) fn covers(self, key: usize) -> bool {
        match self {
            Self::Delete(at) | Self::Expire(at) | Self::Set(at, _) => at == key,
            Self::Tag { service, tag } => service_of(key) == service && tag_of(key) == Some(tag),
            Self::Clear { service } => service_of(key) == service,
            Self::ClearAll => true,
        }
    }
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ChangeEnd {
    Done,
    Deferred,
    Failed,
}
