//! What a look-up says of one number, whoever was asked: as JSON and as a row for people.

use rucache::engine::ServedFrom;
use rucache::lookup::Lookup;
use rucache::ruc::{Cause, Fitness, Impediment, InvalidRuc, Outcome, Reason, Ruc, Taxpayer};
use serde::{Deserialize, Serialize};

use super::exit::Exit;
use super::ruc::why;
use super::table::{Cell, Tone};

/// The verdict on one number, in the form in which the service answers a batch.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) ruc: Ruc,
    #[serde(flatten)]
    pub(super) verdict: Verdict,
}

/// What is known of a number.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(super) enum Verdict {
    Found {
        /// How the cache came by the record: `hit`, `miss`, `stale`.
        cache: String,
        record: Taxpayer,
    },
    NotFound {
        reason: Reason,
        attempts: u64,
    },
    Invalid {
        rule: String,
        expected: Option<u8>,
        detail: String,
    },
    Unavailable {
        cause: String,
        /// Seconds.
        #[serde(default)]
        retry_after: Option<u64>,
    },
}
