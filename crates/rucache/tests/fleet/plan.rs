//! What a fleet works on: keys, services, tags, lives, time limits.

use std::time::Duration;

use rucache::{Key, Policy, ServiceName, Timing, Ttl};

/// Entries of each service.
const NAMES: usize = 5;

/// Two services, the name of one beginning as the other's.
pub(crate) const SERVICES: [&str; 2] = ["users", "usersabc"];

/// Tags, each carried by the entries whose number leaves its place as the rest; others carry none.
pub(crate) const TAGS: [&str; 2] = ["lima", "cusco"];

/// How long an entry is fresh, and a fallback after that. Short, so that a run sees many lives.
const FRESH: Ttl = Ttl::secs(3);
const STALE: Ttl = Ttl::secs(4);

/// The longest that an entry is good for anything: its fresh life with all its jitter, and the rest.
pub(crate) const HARD: Duration = Duration::from_millis(3_300 + 4_000);

/// How many entries there are.
pub(crate) const KEYS: usize = SERVICES.len() * NAMES;

/// The entry at a place.
pub(crate) fn key(place: usize) -> Key {
    let service = ServiceName::from_static(SERVICES[place / NAMES]);
    Key::new(&service, &format!("record_{}", place % NAMES)).unwrap()
}

/// The service of the entry at a place.
pub(crate) const fn service_of(place: usize) -> usize {
    place / NAMES
}

/// The tag of the entry at a place.
pub(crate) const fn tag_of(place: usize) -> Option<usize> {
    let tag = place % (TAGS.len() + 1);
    if tag < TAGS.len() { Some(tag) } else { None }
}

pub(crate) fn policy() -> Policy {
    Policy::loaded(FRESH, Some(STALE)).with_early_refresh(70)
}

/// Shorter than usual, for the same reason.
pub(crate) fn timing() -> Timing {
    Timing::default()
        .with_soft_timeout(Duration::from_millis(100))
        .with_hard_timeout(Duration::from_secs(4))
        .with_load_deadline(Duration::from_secs(2))
        .with_back_off(Duration::from_millis(300))
        .with_max_back_off(Duration::from_millis(1_200))
}
