//! The contract of the local tier: typed values in this process's memory, read without waiting.

mod guard;
mod map;

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

pub use guard::{Guard, Guards, TagCounts, TagGuard};
pub use map::MapLocal;

use crate::{Key, Mono, Timestamp};

/// A value that the local tier can hold: anything with a JSON form.
///
/// Implemented for every serialisable type, and for [`Json`]; nobody else needs to.
pub trait Value: Any + Send + Sync {
    /// The value as JSON: its form in a shared tier, and how it becomes another type.
    ///
    /// # Errors
    ///
    /// What `serde_json` says of a value without a JSON form, a map with keys of a struct type for
    /// example.
    fn to_json(&self) -> Result<Cow<'_, [u8]>, serde_json::Error>;
}

impl<T: Serialize + Any + Send + Sync> Value for T {
    fn to_json(&self) -> Result<Cow<'_, [u8]>, serde_json::Error> {
        serde_json::to_vec(self).map(Cow::Owned)
    }
}

/// A value of which only the JSON form is known, as it came from a shared tier.
#[derive(Clone, PartialEq, Eq)]
pub struct Json(pub Bytes);

impl Value for Json {
    fn to_json(&self) -> Result<Cow<'_, [u8]>, serde_json::Error> {
        Ok(Cow::Borrowed(&self.0))
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value may be personal data.
        write!(f, "Json([{} bytes])", self.0.len())
    }
}

/// The deadlines of an entry on this process's monotonic clock.
///
/// `loaded <= soft <= hard`; [`Mono::NEVER`] as `early` is no early refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// When the load of the value began, or when it was set: what its age counts from.
    pub loaded: Mono,
    /// From here on a read starts a refresh in the background.
    pub early: Mono,
    /// Up to here the value is fresh; from here on it is a fallback.
    pub soft: Mono,
    /// From here on the entry is gone.
    pub hard: Mono,
}

/// An entry of the local tier. Cloning shares the value.
#[derive(Clone)]
#[repr(C)] // A hit looks at the beginning only.
pub struct LocalEntry {
    value: Arc<dyn Value>,
    /// Until when it is good for what.
    pub deadlines: Deadlines,
    /// What makes it outdated before its time.
    pub guards: Guards,
    /// [`Deadlines::loaded`] on the wall clock, for other processes and for people.
    pub loaded_at: Timestamp,
    /// Bytes that the value is charged with, without the tier's own overhead.
    pub weight: u32,
    is_negative: bool,
}

impl LocalEntry {
    /// An entry that holds `value`.
    #[must_use]
    pub fn new(
        value: Arc<dyn Value>,
        loaded_at: Timestamp,
        deadlines: Deadlines,
        weight: u32,
    ) -> Self {
        let guards = Guards::default();
        Self { value, loaded_at, deadlines, weight, guards, is_negative: false }
    }

    /// An entry that says that there is no value; `record` is what is known of that.
    #[must_use]
    pub fn negative(
        record: Arc<dyn Value>,
        loaded_at: Timestamp,
        deadlines: Deadlines,
        weight: u32,
    ) -> Self {
        Self { is_negative: true, ..Self::new(record, loaded_at, deadlines, weight) }
    }

    /// Whether it says that there is no value.
    #[must_use]
    pub const fn is_negative(&self) -> bool {
        self.is_negative
    }

    /// The same entry under `guards`.
    #[must_use]
    pub fn with_guards(self, guards: Guards) -> Self {
        Self { guards, ..self }
    }

    /// The same entry with `value` in the place of its own: the same value in another form.
    #[must_use]
    pub fn with_value(&self, value: Arc<dyn Value>) -> Self {
        Self { value, ..self.clone() }
    }

    /// The value with its type forgotten.
    #[must_use]
    pub fn shared_value(&self) -> Arc<dyn Value> {
        self.value.clone()
    }

    /// Whether the value is a `T`.
    #[must_use]
    pub fn is<T: Any + Send + Sync>(&self) -> bool {
        let any: &dyn Any = &*self.value;
        any.is::<T>()
    }

    /// The value, if it is a `T`.
    #[inline]
    #[must_use]
    pub fn value<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        // Asked first, so that the shared count moves once and for the right type only.
        if !self.is::<T>() {
            return None;
        }
        let any: Arc<dyn Any + Send + Sync> = self.value.clone();
        any.downcast().ok()
    }

    /// The value as JSON.
    ///
    /// # Errors
    ///
    /// See [`Value::to_json`].
    pub fn to_json(&self) -> Result<Cow<'_, [u8]>, serde_json::Error> {
        self.value.to_json()
    }
}

impl fmt::Debug for LocalEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value may be personal data.
        f.debug_struct("LocalEntry")
            .field("loaded_at", &self.loaded_at)
            .field("deadlines", &self.deadlines)
            .field("weight", &self.weight)
            .field("is_negative", &self.is_negative)
            .finish_non_exhaustive()
    }
}

/// A bounded store of typed entries inside the process.
///
/// - A `get` that begins after an `insert` or `remove` of the key has returned sees what it did:
///   the entry, or none; an entry may be evicted at any time.
/// - It does not look at deadlines on `get`: the reader does, by its own clock.
/// - No call waits for I/O or for another task.
/// - Random keys must not push out the ones that are read often, whether values come of them or
///   [negatives](LocalEntry::negative). A key has one entry: the newer takes the older's place,
///   whichever of them is a negative.
pub trait Local: Send + Sync {
    /// The entry of `key`, for a reader: it counts as a use of the key.
    fn get(&self, key: &Key) -> Option<Arc<LocalEntry>>;

    /// The entry of `key`, for whoever changes it or has just looked: no use of the key, where the
    /// store counts uses.
    fn peek(&self, key: &Key) -> Option<Arc<LocalEntry>> {
        self.get(key)
    }

    /// Puts `entry` in the place of what was there.
    fn insert(&self, key: Key, entry: LocalEntry);

    /// Drops the entry of `key`; `true` when there was one.
    fn remove(&self, key: &Key) -> bool;

    /// Drops the entries that `is_over` says are good for nothing any more, and does pending
    /// housekeeping; how many were dropped. Takes time in proportion to the number of entries.
    fn purge(&self, is_over: &dyn Fn(&LocalEntry) -> bool) -> u64;

    /// Shows every entry to `look`, in no order; it is not a use of them. What changes meanwhile may
    /// be shown twice or not at all. Takes time in proportion to the number of entries.
    fn each(&self, look: &mut dyn FnMut(&Key, &LocalEntry));

    /// How full it is.
    fn usage(&self) -> Usage;
}

/// How full a local tier is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Usage {
    /// Number of entries, expired ones that are still held included.
    pub entries: u64,
    /// Bytes charged.
    pub bytes: u64,
    /// Bytes that may be charged before entries are evicted.
    pub capacity_bytes: u64,
    /// Entries evicted, or not taken, for lack of room since the start.
    pub evictions: u64,
}

impl Usage {
    /// The usage of a tier of `capacity_bytes`.
    #[must_use]
    pub const fn new(entries: u64, bytes: u64, capacity_bytes: u64, evictions: u64) -> Self {
        Self { entries, bytes, capacity_bytes, evictions }
    }
}
