//! Maps with expiry: the index behind listings and counts.

use bytes::Bytes;

use crate::Timestamp;

/// Longest note of a map's member or of a back-off, in bytes.
pub const MAX_NOTE_LEN: usize = 64;

/// A member of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapEntry {
    /// The member's name, 1 to 64 bytes.
    pub member: String,
    /// What is noted of it, at most [`MAX_NOTE_LEN`] bytes.
    pub note: Bytes,
    /// From when on it is no longer listed nor counted.
    pub expires: Timestamp,
}

/// Part of a map's listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MapPage {
    /// The members of this page.
    pub entries: Vec<MapEntry>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}
