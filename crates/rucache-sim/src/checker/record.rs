//! What the book is made of.

use std::collections::BTreeMap;
use std::time::Duration;

use rucache_core::{Key, Mono, ServiceName};
use rucache_engine::{Accept, ServedFrom};

/// A place in the order of all reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(super) seq: u64,
    pub(super) at: Mono,
}

/// A call on a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallId(pub(super) usize);

/// A call of a loader, for one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoadId(pub(super) usize);

/// What is called.
#[derive(Debug, Clone)]
pub(crate) enum What {
    Read(Key, Accept),
    Load(Key),
    LoadMany(Vec<Key>),
    Set(Key, u64),
    Delete(Key),
    Expire(Key),
    Tag(ServiceName, &'static str),
    Clear(ServiceName),
    ClearAll,
}

impl What {
    /// Whether it ends what was loaded of `key` before; for a tag, what carries it.
    pub(crate) fn covers(&self, key: &Key) -> bool {
        match self {
            Self::Read(..) | Self::Load(_) | Self::LoadMany(_) => false,
            Self::Set(one, _) | Self::Delete(one) | Self::Expire(one) => one == key,
            Self::Tag(service, _) | Self::Clear(service) => key.service() == service.as_str(),
            Self::ClearAll => true,
        }
    }

    /// Whether it changes something.
    pub(crate) const fn is_change(&self) -> bool {
        !matches!(self, Self::Read(..) | Self::Load(_) | Self::LoadMany(_))
    }

    /// Whether it may load.
    pub(super) const fn loads(&self) -> bool {
        matches!(self, Self::Load(_) | Self::LoadMany(_))
    }
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(key, Accept::Fresh) => write!(f, "read {key}"),
            Self::Read(key, Accept::Stale) => write!(f, "read {key}, stale will do"),
            Self::Load(key) => write!(f, "get or load {key}"),
            Self::LoadMany(keys) => {
                let keys: Vec<_> = keys.iter().map(Key::as_str).collect();
                write!(f, "get or load {}", keys.join(" "))
            }
            Self::Set(key, version) => write!(f, "set {key} to v{version}"),
            Self::Delete(key) => write!(f, "delete {key}"),
            Self::Expire(key) => write!(f, "expire {key}"),
            Self::Tag(service, tag) => write!(f, "invalidate tag {tag} of {service}"),
            Self::Clear(service) => write!(f, "clear {service}"),
            Self::ClearAll => f.write_str("clear all"),
        }
    }
}

/// How a reader's call ended, for one key.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Value(Seen),
    Nothing,
    Failed(Failure),
}

/// A value as a reader got it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) key: String,
    pub(crate) version: u64,
    pub(crate) id: usize,
    pub(crate) from: ServedFrom,
    pub(crate) collapsed: bool,
    pub(crate) age: Duration,
}

/// Why a reader got no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The load ended without a value: its error, a panic, its deadline, or "there is none".
    Load(&'static str),
    /// The load was dropped.
    Cancelled,
    /// The caller's patience ended.
    TimedOut,
    /// Another process loads it.
    Elsewhere,
    /// Too many loads at once.
    Overloaded,
    /// Anything else: a cache must not fail so.
    Other(String),
}

/// How a change ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeEnd {
    Done,
    Deferred,
    Failed,
}

/// How a load ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoadEnd {
    Value,
    Absent,
    Failed,
    /// Its future was dropped before it was ready.
    Dropped,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallEnd {
    Answered,
    Changed(ChangeEnd),
    Dropped,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) process: u64,
    pub(super) what: What,
    pub(super) called: Moment,
    pub(super) ended: Option<(Moment, CallEnd)>,
}

#[derive(Debug)]
pub(super) struct Load {
    /// The call whose loader was asked.
    pub(super) call: CallId,
    pub(super) process: u64,
    pub(super) key: Key,
    /// When its caller came: its flight began after that.
    pub(super) asked: Moment,
    pub(super) began: Moment,
    /// When its call first asked for the key: a batch that fails as a whole is asked for again in
    /// halves, and all of that is one load under one deadline.
    pub(super) first_began: Moment,
    pub(super) ended: Option<(Moment, LoadEnd)>,
}

impl Load {
    /// Whether it brought no value, nor the certainty that there is none.
    pub(super) fn failed(&self) -> bool {
        matches!(self.ended, Some((_, LoadEnd::Failed | LoadEnd::Dropped)))
    }
}

/// Where a value came from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin {
    Load,
    Set(usize),
}

/// A value that somebody may read.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) key: Key,
    pub(super) version: u64,
    pub(super) tags: Vec<&'static str>,
    pub(super) origin: Origin,
    pub(super) began: Mono,
    pub(super) hard: Mono,
}

/// A change, as one key is concerned.
#[derive(Debug)]
pub(super) struct KeyChange {
    pub(super) call: usize,
    /// The oldest version that may be read after it.
    pub(super) floor: u64,
}

#[derive(Debug)]
pub(super) struct Process {
    pub(super) alive: bool,
    /// The last time that something was wrong between it and the store.
    pub(super) unrest: Mono,
    /// When its reads were last opened again.
    pub(super) recovered: Option<Moment>,
    /// Since when it is told of everything.
    pub(super) push_since: Option<Mono>,
    /// When it last read root and service marker with an entry of a key, in the store's life.
    pub(super) read: BTreeMap<Key, Moment>,
    /// When it last learnt of a change that may concern a key.
    pub(super) knows: BTreeMap<Key, Moment>,
}

/// A time that the store was put back to an older state.
#[derive(Debug)]
pub(super) struct Restore {
    pub(super) moment: Moment,
    /// When each process had last read the markers above each key, in the life that ended.
    pub(super) read: BTreeMap<u64, BTreeMap<Key, Moment>>,
}
