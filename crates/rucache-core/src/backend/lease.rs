//! Leases: who may load an entry, fleet-wide.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

use super::Version;
use crate::{Key, Ttl};

/// A request for the right to load or refresh an entry.
#[derive(Debug, Clone)]
pub struct LeaseRequest {
    /// Which entry.
    pub key: Key,
    /// The entry's version as just read; `None` when there was none.
    pub seen: Option<Version>,
    /// How long the lease lasts unless renewed; a store rounds it as it does every TTL.
    pub ttl: Ttl,
}

/// The answer to a [`LeaseRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// The caller holds the lease.
    Granted(LeaseToken),
    /// Somebody else holds it.
    Held,
    /// The last holder failed and left a note; nobody should try before it lapses.
    BackingOff {
        /// What the holder left, at most 64 bytes.
        note: Bytes,
    },
    /// The entry is no longer as it was seen: read again.
    Changed,
}

/// Proof of a lease. Its content is the adapter's; it is no secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeaseToken(u128);

impl LeaseToken {
    /// The token that an adapter writes as `raw`.
    #[must_use]
    pub const fn from_raw(raw: u128) -> Self {
        Self(raw)
    }

    /// What the adapter writes.
    #[must_use]
    pub const fn as_raw(self) -> u128 {
        self.0
    }
}

impl fmt::Display for LeaseToken {
    /// 32 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for LeaseToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeaseToken(…)")
    }
}

impl FromStr for LeaseToken {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

/// A lease somebody holds.
#[derive(Debug, Clone)]
pub struct LeaseHold {
    /// Which entry.
    pub key: Key,
    /// The holder's proof.
    pub token: LeaseToken,
}

/// The end of a lease without a write.
#[derive(Debug, Clone)]
pub struct LeaseEnd {
    /// The lease that ends.
    pub hold: LeaseHold,
    /// What stands in its place for a while, where the load failed.
    pub back_off: Option<BackOff>,
}

/// A failed holder's word to the fleet: do not try again yet. It ends as a lease does.
#[derive(Debug, Clone)]
pub struct BackOff {
    /// Why, at most [`MAX_NOTE_LEN`](super::MAX_NOTE_LEN) bytes.
    pub note: Bytes,
    /// For how long.
    pub ttl: Ttl,
}
