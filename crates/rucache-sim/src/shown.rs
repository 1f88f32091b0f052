//! What crosses the network, as lines of a trace.

use bytes::Bytes;
use rucache_core::{
    Change, Companions, Envelope, Fetched, Key, Lease, LeaseEnd, LeaseHold, LeaseRequest, MapEntry,
    MapPage, Marker, MarkerVersion, Precondition, Timestamp, Ttl, Write, WriteOutcome,
};

/// One request of a call.
pub(crate) trait Item {
    /// What is asked, for a trace.
    fn text(&self) -> String;

    /// Whether it overwrites whatever is there.
    fn is_unconditional_write(&self) -> bool {
        false
    }

    /// What it ends the leases or the lives of.
    fn ends(&self) -> Option<Change> {
        None
    }
}

/// An answer.
pub(crate) trait Shown {
    /// What is answered, for a trace.
    fn text(&self) -> String;
}

fn payload(bytes: &Bytes, key: &Key) -> String {
    match Envelope::decode(bytes, key) {
        Ok(envelope) => {
            let text = String::from_utf8_lossy(&envelope.payload).into_owned();
            let (root, service) = (envelope.root.as_raw(), envelope.service.as_raw());
            format!("{text} under {root:x}/{service:x}")
        }
        Err(reason) => format!("no envelope ({reason:?})"),
    }
}

impl Item for (Key, Companions) {
    fn text(&self) -> String {
        self.0.to_string()
    }
}

impl Item for Write {
    fn text(&self) -> String {
        let when = match self.when {
            Precondition::Always => "always".to_owned(),
            Precondition::Absent => "if absent".to_owned(),
            Precondition::Version(seen) => format!("if version {:x}", seen.as_raw()),
            Precondition::Lease(token) => format!("under lease {token}"),
        };
        format!("{} = {} for {} {when}", self.key, payload(&self.value, &self.key), self.ttl)
    }

    fn is_unconditional_write(&self) -> bool {
        self.when == Precondition::Always
    }

    fn ends(&self) -> Option<Change> {
        self.is_unconditional_write().then(|| Change::Entries(vec![self.key.clone()]))
    }
}

/// A key to be deleted or expired.
impl Item for Key {
    fn text(&self) -> String {
        self.to_string()
    }

    fn ends(&self) -> Option<Change> {
        Some(Change::Entries(vec![self.clone()]))
    }
}

impl Item for LeaseRequest {
    fn text(&self) -> String {
        match self.seen {
            Some(seen) => format!("{} seen {:x}", self.key, seen.as_raw()),
            None => format!("{} seen nothing", self.key),
        }
    }
}

impl Item for (LeaseHold, Ttl) {
    fn text(&self) -> String {
        format!("{} {}", self.0.key, self.0.token)
    }
}

impl Item for LeaseEnd {
    fn text(&self) -> String {
        let how = if self.back_off.is_some() { "with a note" } else { "without a note" };
        format!("{} {} {how}", self.hold.key, self.hold.token)
    }
}

/// A marker to be read, or created.
impl Item for (Marker, MarkerVersion) {
    fn text(&self) -> String {
        format!("{} seed {:x}", marker(&self.0), self.1.as_raw())
    }
}

/// A marker to be raised.
#[derive(Debug, Clone)]
pub(crate) struct Raise(pub(crate) Marker, pub(crate) MarkerVersion);

impl Item for Raise {
    fn text(&self) -> String {
        format!("{} to {:x} at least", marker(&self.0), self.1.as_raw())
    }

    fn ends(&self) -> Option<Change> {
        Some(Change::Markers(vec![self.0.clone()]))
    }
}

impl Item for (Key, u64) {
    fn text(&self) -> String {
        format!("{} + {}", self.0, self.1)
    }
}

impl Item for (Key, Vec<MapEntry>) {
    fn text(&self) -> String {
        format!("{} {} members", self.0, self.1.len())
    }
}

impl Item for (Key, Vec<String>, Timestamp) {
    fn text(&self) -> String {
        format!("{} {} members", self.0, self.1.len())
    }
}

impl Item for (Key, Timestamp) {
    fn text(&self) -> String {
        self.0.to_string()
    }
}

impl Item for () {
    fn text(&self) -> String {
        String::new()
    }
}

/// A marker by what it stands for.
pub(crate) fn marker(marker: &Marker) -> String {
    match marker {
        Marker::Root => "root".to_owned(),
        Marker::Service(service) => format!("service {service}"),
        Marker::TagEpoch(service) => format!("epoch of {service}"),
        Marker::Tag(tag) => format!("tag {tag}"),
    }
}

impl Shown for Fetched {
    fn text(&self) -> String {
        let mark = |marker: Option<MarkerVersion>| {
            marker.map_or("none".to_owned(), |version| format!("{:x}", version.as_raw()))
        };
        let entry = match &self.entry {
            None => "nothing".to_owned(),
            Some(stored) => {
                let stale = if stored.stale { " kept stale" } else { "" };
                let head = stored.value.windows(2).rposition(|pair| pair == b"{\"").unwrap_or(0);
                let text = String::from_utf8_lossy(&stored.value[head..]);
                let text: String = text.chars().filter(|c| c.is_ascii_graphic()).collect();
                format!("{text} version {:x}{stale}", stored.version.as_raw())
            }
        };
        format!("{entry}, markers {}/{}", mark(self.root), mark(self.service))
    }
}

impl Shown for Lease {
    fn text(&self) -> String {
        match self {
            Self::Granted(token) => format!("granted {token}"),
            other => format!("{other:?}"),
        }
    }
}

impl Shown for MarkerVersion {
    fn text(&self) -> String {
        format!("{:x}", self.as_raw())
    }
}

impl Shown for MapPage {
    fn text(&self) -> String {
        format!("{} members", self.entries.len())
    }
}

macro_rules! shown_as_debug {
    ($($answer:ty),*) => {
        $(impl Shown for $answer {
            fn text(&self) -> String {
                format!("{self:?}")
            }
        })*
    };
}

shown_as_debug!(WriteOutcome, bool, u64, ());
