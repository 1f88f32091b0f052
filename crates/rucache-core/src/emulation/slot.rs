//! The state of one entry and of its lease: the fence rules of the contract, once.

mod bytes;
#[cfg(test)]
mod tests;

use ::bytes::Bytes;

use super::lives;
use crate::backend::MAX_NOTE_LEN;
use crate::{
    BackOff, Lease, LeaseToken, Precondition, Stored, Timestamp, Ttl, Version, WriteOutcome,
};

/// One entry, its lease or its back-off note: what a backend holds under one key.
///
/// A pure state machine: time and fresh numbers come from the caller. Whoever keeps slots and
/// changes each of them atomically (under a lock, or by compare-and-swap) keeps the contract's
/// clauses on entries, versions, fences and leases.
///
/// `now` may come from any clock of whole milliseconds, the same for every call on the same slot.
/// A life ends after the tick it was counted to, because what happens within a tick reads as its
/// beginning: never shortened, longer by one millisecond at most.
///
/// ```
/// use rucache_core::emulation::Slot;
/// use rucache_core::{Lease, LeaseToken, Precondition, Timestamp, Ttl, Version, WriteOutcome};
///
/// let now = Timestamp::from_millis(0);
/// let mut slot = Slot::default();
/// let token = LeaseToken::from_raw(7);
/// assert_eq!(slot.lease(None, Ttl::secs(5), now, token), Lease::Granted(token));
/// assert!(!slot.delete(now), "there was no entry, but the delete voids the lease");
/// let fill = slot.write("old".into(), Ttl::SHORT, Precondition::Lease(token), now, Version::from_raw(1));
/// assert_eq!(fill, WriteOutcome::Refused);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Slot {
    entry: Option<Entry>,
    claim: Option<Claim>,
}

#[derive(Debug, Clone)]
struct Entry {
    stored: Stored,
    until: Timestamp,
}

/// Who may load the entry: one holder, or nobody for a while.
#[derive(Debug, Clone)]
struct Claim {
    kind: ClaimKind,
    until: Timestamp,
}

#[derive(Debug, Clone)]
enum ClaimKind {
    Lease(LeaseToken),
    BackOff(Bytes),
}

impl Slot {
    /// The entry, if there is one that has not expired.
    #[must_use]
    pub fn read(&self, now: Timestamp) -> Option<Stored> {
        self.entry(now).map(|entry| entry.stored.clone())
    }

    /// Writes an entry under its precondition. `fresh` becomes its version: a number that this key
    /// has never had.
    pub fn write(
        &mut self,
        value: Bytes,
        ttl: Ttl,
        when: Precondition,
        now: Timestamp,
        fresh: Version,
    ) -> WriteOutcome {
        let current = self.version(now);
        let holds = match when {
            Precondition::Always => true,
            Precondition::Absent => current.is_none(),
            Precondition::Version(seen) => current == Some(seen),
            Precondition::Lease(token) => self.holds(token, now),
        };
        if !holds {
            return WriteOutcome::Refused;
        }
        let stored = Stored { value, version: fresh, stale: false };
        self.entry = Some(Entry { stored, until: now.after(ttl) });
        self.claim = None;
        WriteOutcome::Stored
    }

    /// Empties the slot; `true` when there was an entry, stale or not. An outstanding lease is void
    /// in either case: a load that began before must not bring the entry back.
    pub fn delete(&mut self, now: Timestamp) -> bool {
        self.claim = None;
        self.entry.take().is_some_and(|entry| lives(entry.until, now))
    }

    /// Marks the entry stale for the rest of its life, under the version `fresh`; `true` when there
    /// was one. An outstanding lease is void in either case.
    pub fn expire(&mut self, now: Timestamp, fresh: Version) -> bool {
        self.claim = None;
        self.entry = self.entry.take().filter(|entry| lives(entry.until, now));
        match &mut self.entry {
            None => false,
            Some(entry) => {
                entry.stored.stale = true;
                entry.stored.version = fresh;
                true
            }
        }
    }

    /// Grants the lease under the proof `token` if the entry is as `seen` and nobody else has a
    /// claim.
    pub fn lease(
        &mut self,
        seen: Option<Version>,
        ttl: Ttl,
        now: Timestamp,
        token: LeaseToken,
    ) -> Lease {
        if self.version(now) != seen {
            return Lease::Changed;
        }
        match self.claim(now).map(|claim| &claim.kind) {
            Some(ClaimKind::Lease(_)) => Lease::Held,
            Some(ClaimKind::BackOff(note)) => Lease::BackingOff { note: note.clone() },
            None => {
                self.claim = Some(Claim { kind: ClaimKind::Lease(token), until: now.after(ttl) });
                Lease::Granted(token)
            }
        }
    }

    /// Lets the lease last at least `ttl` from now; `false` when it is no longer the holder's.
    pub fn renew(&mut self, token: LeaseToken, ttl: Ttl, now: Timestamp) -> bool {
        if !self.holds(token, now) {
            return false;
        }
        if let Some(claim) = &mut self.claim {
            claim.until = claim.until.max(now.after(ttl));
        }
        true
    }

    /// Ends the lease without a write; `false` when it was no longer the holder's.
    ///
    /// A note is cut to [`MAX_NOTE_LEN`] bytes.
    pub fn release(
        &mut self,
        token: LeaseToken,
        back_off: Option<&BackOff>,
        now: Timestamp,
    ) -> bool {
        if !self.holds(token, now) {
            return false;
        }
        self.claim = back_off.map(|back_off| Claim {
            kind: ClaimKind::BackOff(back_off.note.slice(..back_off.note.len().min(MAX_NOTE_LEN))),
            until: now.after(back_off.ttl),
        });
        true
    }

    /// Whether nothing in it is still alive, so that its place can be given back.
    #[must_use]
    pub fn is_empty(&self, now: Timestamp) -> bool {
        self.entry(now).is_none() && self.claim(now).is_none()
    }

    /// The last millisecond at which something in it is alive; `None` when it never held anything.
    #[must_use]
    pub fn last_alive(&self) -> Option<Timestamp> {
        let entry = self.entry.as_ref().map(|entry| entry.until);
        let claim = self.claim.as_ref().map(|claim| claim.until);
        entry.max(claim)
    }

    /// Bytes of the value it holds, expired or not; zero without one.
    #[must_use]
    pub fn value_len(&self) -> usize {
        self.entry.as_ref().map_or(0, |entry| entry.stored.value.len())
    }

    fn entry(&self, now: Timestamp) -> Option<&Entry> {
        self.entry.as_ref().filter(|entry| lives(entry.until, now))
    }

    fn claim(&self, now: Timestamp) -> Option<&Claim> {
        self.claim.as_ref().filter(|claim| lives(claim.until, now))
    }

    fn version(&self, now: Timestamp) -> Option<Version> {
        self.entry(now).map(|entry| entry.stored.version)
    }

    fn holds(&self, token: LeaseToken, now: Timestamp) -> bool {
        matches!(self.claim(now), Some(Claim { kind: ClaimKind::Lease(held), .. }) if *held == token)
    }
}
