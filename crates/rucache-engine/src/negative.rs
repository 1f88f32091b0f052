//! Verdicts that there is no value: remembered in the value's own slot, for longer each time.

use std::sync::Arc;

use rucache_core::envelope::{MAX_REASON_LEN, Negative};
use rucache_core::{Deadlines, LocalEntry, Mono, Timestamp};
use serde::{Serialize, Serializer};

use crate::{Outcome, ServedFrom};

/// Bytes that a verdict is charged with in the local tier besides its reason: the record of it, and
/// what the allocator adds to its three blocks.
const RECORD_WEIGHT: u32 = 128;

/// A remembered verdict that there is no value, and how it came.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Why, since when, and how often it was reached.
    pub negative: Arc<Negative>,
    /// How it came.
    pub outcome: Outcome,
}

/// What stands in a slot in the place of a value. A type that no caller can ask for.
struct Remembered(Arc<Negative>);

impl Serialize for Remembered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Its place is the head of an envelope, not the payload.
        serializer.serialize_unit()
    }
}

impl Verdict {
    /// The verdict in `entry`, if it is one.
    pub(crate) fn of(entry: &LocalEntry, from: ServedFrom, now: Mono) -> Option<Self> {
        let negative = negative(entry)?;
        Some(Self { negative, outcome: Outcome::new(from, entry, now) })
    }
}

/// The entry that remembers `negative`.
pub(crate) fn remembered(
    negative: Negative,
    loaded_at: Timestamp,
    deadlines: Deadlines,
) -> LocalEntry {
    let reason = u32::try_from(negative.reason.len()).unwrap_or(u32::MAX);
    let record = Arc::new(Remembered(Arc::new(negative)));
    LocalEntry::negative(record, loaded_at, deadlines, RECORD_WEIGHT.saturating_add(reason))
}

/// The verdict that stands in `entry`.
pub(crate) fn negative(entry: &LocalEntry) -> Option<Arc<Negative>> {
    entry.value::<Remembered>().map(|remembered| remembered.0.clone())
}

pub(crate) const fn is_negative(entry: &LocalEntry) -> bool {
    entry.is_negative()
}

/// The verdict reached now, after those before it.
pub(crate) fn confirm(before: Option<&Negative>, reason: &str, wall: Timestamp) -> Negative {
    Negative {
        reason: cut(reason).to_owned(),
        first_seen: before.map_or(wall, |before| before.first_seen),
        last_seen: wall,
        attempts: before.map_or(0, |before| before.attempts).saturating_add(1),
    }
}

/// As much of a reason as an entry holds.
fn cut(reason: &str) -> &str {
    let mut end = reason.len().min(MAX_REASON_LEN);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}
