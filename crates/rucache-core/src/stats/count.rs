//! What is counted.

use std::fmt;

use crate::observer::{
    LoadResult, Origin, RefreshResult, RefreshTrigger, Scope, StaleReason, StoreResult, Tier,
    TierResult,
};

/// Something that a cache counts for each of its services.
///
/// Every read is exactly one of `Hit`, `Stale`, `NegativeHit`, `Miss`, `Bypass` and `Error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Count {
    /// A read answered with a fresh value, by the tier that it came from.
    Hit(Tier),
    /// A read answered with a stale value.
    Stale(StaleReason),
    /// A read answered with a remembered verdict that there is none.
    NegativeHit,
    /// A read answered with nothing, or with what a load brought.
    Miss,
    /// A read past the cache, because the caller wished so.
    Bypass,
    /// A read answered with an error.
    Error,
    /// A read that the local tier could not answer. Those that it could are `Hit(Tier::Local)`.
    LocalMiss,
    /// An entry asked for at the shared tier.
    SharedRead(TierResult),
    /// A read that waited for a load that another one had started.
    Coalesced,
    /// A load that began. Each ends as one `Load`.
    LoadStarted,
    /// A load that ended; the refused ones (overloaded, recursive) never began.
    Load(LoadResult),
    /// A value to be stored in a tier, by what became of it.
    Store(Tier, StoreResult),
    /// A refresh in the background that ended.
    Refresh(RefreshTrigger, RefreshResult),
    /// An invalidation.
    Invalidation(Scope, Origin),
}

/// Where each kind of count begins.
const STALE: usize = Tier::ALL.len();
const NEGATIVE_HIT: usize = STALE + StaleReason::ALL.len();
const SHARED_READ: usize = NEGATIVE_HIT + 5;
const COALESCED: usize = SHARED_READ + TierResult::ALL.len();
const LOAD: usize = COALESCED + 2;
const STORE: usize = LOAD + LoadResult::ALL.len();
const REFRESH: usize = STORE + Tier::ALL.len() * StoreResult::ALL.len();
const INVALIDATION: usize = REFRESH + RefreshTrigger::ALL.len() * RefreshResult::ALL.len();

impl Count {
    /// How many there are.
    pub const LEN: usize = INVALIDATION + Scope::ALL.len() * Origin::ALL.len();

    /// Every count, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        Tier::ALL
            .iter()
            .map(|&tier| Self::Hit(tier))
            .chain(StaleReason::ALL.iter().map(|&reason| Self::Stale(reason)))
            .chain([Self::NegativeHit, Self::Miss, Self::Bypass, Self::Error, Self::LocalMiss])
            .chain(TierResult::ALL.iter().map(|&result| Self::SharedRead(result)))
            .chain([Self::Coalesced, Self::LoadStarted])
            .chain(LoadResult::ALL.iter().map(|&result| Self::Load(result)))
            .chain(Tier::ALL.iter().flat_map(|&tier| {
                StoreResult::ALL.iter().map(move |&result| Self::Store(tier, result))
            }))
            .chain(RefreshTrigger::ALL.iter().flat_map(|&trigger| {
                RefreshResult::ALL.iter().map(move |&result| Self::Refresh(trigger, result))
            }))
            .chain(Scope::ALL.iter().flat_map(|&scope| {
                Origin::ALL.iter().map(move |&origin| Self::Invalidation(scope, origin))
            }))
    }

    /// Its number, below [`Count::LEN`].
    #[inline]
    pub(super) const fn place(self) -> usize {
        match self {
            Self::Hit(tier) => tier as usize,
            Self::Stale(reason) => STALE + reason as usize,
            Self::NegativeHit => NEGATIVE_HIT,
            Self::Miss => NEGATIVE_HIT + 1,
            Self::Bypass => NEGATIVE_HIT + 2,
            Self::Error => NEGATIVE_HIT + 3,
            Self::LocalMiss => NEGATIVE_HIT + 4,
            Self::SharedRead(result) => SHARED_READ + result as usize,
            Self::Coalesced => COALESCED,
            Self::LoadStarted => COALESCED + 1,
            Self::Load(result) => LOAD + result as usize,
            Self::Store(tier, result) => {
                STORE + tier as usize * StoreResult::ALL.len() + result as usize
            }
            Self::Refresh(trigger, result) => {
                REFRESH + trigger as usize * RefreshResult::ALL.len() + result as usize
            }
            Self::Invalidation(scope, origin) => {
                INVALIDATION + scope as usize * Origin::ALL.len() + origin as usize
            }
        }
    }
}

/// The count as a stable label: `hit_local`, `load_timeout`, `invalidation_key_push`.
impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hit(tier) => write!(f, "hit_{}", tier.as_str()),
            Self::Stale(reason) => write!(f, "stale_{}", reason.as_str()),
            Self::NegativeHit => f.write_str("negative_hit"),
            Self::Miss => f.write_str("miss"),
            Self::Bypass => f.write_str("bypass"),
            Self::Error => f.write_str("error"),
            Self::LocalMiss => f.write_str("local_miss"),
            Self::SharedRead(result) => write!(f, "shared_read_{}", result.as_str()),
            Self::Coalesced => f.write_str("coalesced"),
            Self::LoadStarted => f.write_str("load_started"),
            Self::Load(result) => write!(f, "load_{}", result.as_str()),
            Self::Store(tier, result) => write!(f, "store_{}_{}", tier.as_str(), result.as_str()),
            Self::Refresh(trigger, result) => {
                write!(f, "refresh_{}_{}", trigger.as_str(), result.as_str())
            }
            Self::Invalidation(scope, origin) => {
                write!(f, "invalidation_{}_{}", scope.as_str(), origin.as_str())
            }
        }
    }
}
