//! What was done to a key.

use bytes::Bytes;
use rucache_core::{LeaseToken, Ttl, Version};

/// The last thing that was done to a key, reading apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Act {
    #[default]
    Nothing,
    Write,
    RefusedWrite,
    Fill,
    Delete,
    DeleteOfNothing,
    Expire,
    ExpireOfNothing,
    Lease,
    Release,
}

/// What was done to a key so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    pub(super) last: Act,
    /// Reads since the last act.
    pub(super) reads: u32,
    pub(super) writes: u32,
    pub(super) was_expired: bool,
    pub(super) was_leased: bool,
    pub(super) was_released: bool,
    /// The last value written, and its TTL.
    pub(super) value: Option<(Bytes, Ttl)>,
    /// The version before the last expire.
    pub(super) before_expire: Option<Version>,
    /// The last token granted.
    pub(super) token: Option<LeaseToken>,
    /// The one granted before it.
    pub(super) token_before: Option<LeaseToken>,
    /// Whether the last lease was out for a second at most.
    pub(super) lease_was_brief: bool,
    /// The token that the last one secretly took the place of.
    pub(super) former_token: Option<LeaseToken>,
    /// The last note left.
    pub(super) note: Option<Bytes>,
    pub(super) counter_restarted: bool,
    pub(super) total: u64,
}

impl Past {
    pub(super) fn act(&mut self, act: Act) {
        self.last = act;
        self.reads = 0;
    }
}
