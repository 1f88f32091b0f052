//! What the registry says of a number.

use std::fmt;

use rucache_core::{Timestamp, Ttl};
use rucache_engine::{Verdict, Written};
use rucache_ruc::{Reason, Ruc};
use serde::Serialize;

use super::name::Member;
use crate::stamp;

/// Which verdicts are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Include {
    /// Those that stand.
    #[default]
    Active,
    /// Those that have lapsed as well, as long as their records are kept.
    Lapsed,
}

/// The verdict on a number: why, since when, how often, until when.
///
/// `Debug` masks a number that identifies a natural person, and names of what is no RUC only how
/// long it is.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InvalidRecord {
    /// The number or whatever text was marked; `#` and a hash for one over 64 bytes.
    pub ruc: String,
    /// Why, as it was given last.
    pub reason: Reason,
    /// When the verdict was reached last.
    #[serde(with = "stamp::text")]
    pub timestamp: Timestamp,
    /// When it was reached first.
    #[serde(with = "stamp::text")]
    pub first_seen: Timestamp,
    /// How often it was reached.
    pub attempts: u64,
    /// Until when it stands, or stood.
    #[serde(with = "stamp::text")]
    pub expires_at: Timestamp,
    /// Whether it no longer stands; its record is kept for a while.
    #[serde(rename = "lapsed", skip_serializing_if = "is_false")]
    pub is_lapsed: bool,
}

/// What became of a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Marked {
    /// The verdict as it stands now.
    pub record: InvalidRecord,
    /// Whether every process sees it.
    pub written: Written,
}

impl InvalidRecord {
    pub(super) fn of(member: &Member, verdict: &Verdict, now: Timestamp) -> Self {
        let negative = &verdict.negative;
        let outcome = &verdict.outcome;
        let expires_at = match Ttl::try_from(outcome.ttl) {
            Ok(left) => now.after(left),
            Err(_) => {
                let ago = u64::try_from(outcome.stale_for.as_millis()).unwrap_or(u64::MAX);
                Timestamp::from_millis(now.as_millis().saturating_sub(ago))
            }
        };
        Self {
            ruc: member.as_str().to_owned(),
            reason: Reason::new(negative.reason.clone()),
            timestamp: negative.last_seen,
            first_seen: negative.first_seen,
            attempts: negative.attempts.into(),
            expires_at,
            is_lapsed: outcome.ttl.is_zero(),
        }
    }

    /// A verdict that was reached at `moment` and never before, as far as is known.
    pub(super) fn first(
        member: &Member,
        reason: Reason,
        moment: Timestamp,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            ruc: member.as_str().to_owned(),
            reason,
            timestamp: moment,
            first_seen: moment,
            attempts: 1,
            expires_at,
            is_lapsed: false,
        }
    }
}

impl fmt::Debug for InvalidRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut record = f.debug_struct("InvalidRecord");
        match self.ruc.parse::<Ruc>() {
            Ok(ruc) => record.field("ruc", &ruc),
            Err(_) => record.field("ruc", &format_args!("[{} bytes]", self.ruc.len())),
        };
        record
            .field("reason", &self.reason.kind())
            .field("attempts", &self.attempts)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
const fn is_false(is: &bool) -> bool {
    !*is
}
