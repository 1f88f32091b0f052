//! The commands that the adapter sends, and their answers.

use std::sync::Arc;

use bytes::Bytes;

use crate::exptime::Exptime;

/// The name of an item, at most 250 bytes of printable ASCII. It may be personal data: no `Debug` shows
/// it.
pub(crate) type Name = Arc<str>;

/// What a command without a value weighs: some 1,000 of them are sent in one piece.
const SHORT_LEN: usize = 4 * 1024;

/// One command of a batch.
#[derive(Clone)]
pub(crate) enum Command {
    /// `mg`: what stands under a name.
    Look { name: Name, value: bool, effect: Effect },
    /// `ms`.
    Store { name: Name, value: Bytes, flags: u32, life: Exptime, when: When },
    /// `md`, where the item still is as `cas` says.
    Delete { name: Name, cas: Option<u64> },
    /// `md I`: marked stale under a new version, its life kept.
    Expire { name: Name },
    /// `ma`.
    Count { name: Name, counting: Counting },
}

impl Command {
    /// What stands under `name`, without its value.
    pub(crate) const fn look(name: Name) -> Self {
        Self::Look { name, value: false, effect: Effect::None }
    }

    /// How much of a request it is. One without a value weighs as much as its answer may be long, so
    /// that no number of them fills the sockets' buffers.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Store { name, value, .. } => name.len() + value.len() + SHORT_LEN,
            _ => SHORT_LEN,
        }
    }

    /// What stands under `name`, with its value.
    pub(crate) const fn read(name: Name) -> Self {
        Self::Look { name, value: true, effect: Effect::None }
    }
}

/// What a look does besides looking.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// `N`: a placeholder is created where nothing is.
    Lease(Exptime),
    /// `T`: another life, under the same version.
    Touch(Exptime),
}

/// When an item is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) enum When {
    /// In any case.
    Always,
    /// If there is no item.
    Absent,
    /// If the item is as this number says.
    Cas(u64),
}

/// How a number changes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counting {
    /// Up by `delta`, without end; `seed` where it was missing.
    Marker { delta: u64, seed: u64 },
    /// Up by `delta`; where it was missing, to `delta`, for `life`.
    Up { delta: u64, life: Exptime },
    /// Down by `delta` where it is.
    Down { delta: u64 },
}

/// The answer to one command.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// To a look.
    Item(Option<Item>),
    /// To a store, a delete or an expire.
    Changed(Changed),
    /// To a count; `None` where there was nothing to count down.
    Number(Option<u64>),
}

/// What stands under a name.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Empty where it was not asked for.
    pub(crate) value: Bytes,
    /// The client flags, which say what it is.
    pub(crate) flags: u32,
    /// Its state: changes with every store, delete and expire, not with a touch.
    pub(crate) cas: u64,
    /// Seconds left to live before the look's own touch, -1 without end; absent where not asked for.
    pub(crate) left: Option<i64>,
    /// `X`: somebody expired it.
    pub(crate) stale: bool,
    /// `W` or `Z`.
    pub(crate) leased: bool,
    /// `W`.
    pub(crate) won: bool,
}

/// What became of a store, a delete or an expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    /// `HD`, with the new state where there is one.
    Done { cas: Option<u64> },
    /// `NF`: there is no item.
    Missing,
    /// `EX` or `NS`: there is an item, in another state.
    Other,
}

impl Changed {
    pub(crate) const fn is_done(self) -> bool {
        matches!(self, Self::Done { .. })
    }
}
