//! A slot as bytes, for stores that hold nothing else. Version 1, big-endian:
//!
//! ```text
//! "rS" 1 flags
//! entry:     version u64, last millisecond u64        if flag 1; flag 2 says stale
//! lease:     token u128,  last millisecond u64        if flag 4
//! back-off:  last millisecond u64, length u8, note    if flag 8
//! value:     the rest                                 if flag 1
//! ```

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{Claim, ClaimKind, Entry, Slot};
use crate::backend::MAX_NOTE_LEN;
use crate::{LeaseToken, Stored, Timestamp, Version};

const MAGIC: [u8; 3] = *b"rS\x01";
const ENTRY: u8 = 1;
const STALE: u8 = 2;
const LEASE: u8 = 4;
const BACK_OFF: u8 = 8;

impl Slot {
    /// Bytes that the encoded form needs beyond the value, at most.
    pub const MAX_OVERHEAD: usize = 4 + 16 + 9 + MAX_NOTE_LEN;

    /// The slot as bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(Self::MAX_OVERHEAD + self.value_len());
        bytes.put_slice(&MAGIC);
        bytes.put_u8(self.flags());
        if let Some(entry) = &self.entry {
            bytes.put_u64(entry.stored.version.as_raw());
            bytes.put_u64(entry.until.as_millis());
        }
        match &self.claim {
            None => {}
            Some(Claim { kind: ClaimKind::Lease(token), until }) => {
                bytes.put_u128(token.as_raw());
                bytes.put_u64(until.as_millis());
            }
            Some(Claim { kind: ClaimKind::BackOff(note), until }) => {
                bytes.put_u64(until.as_millis());
                // Cut to 64 bytes when it came in.
                bytes.put_u8(u8::try_from(note.len()).unwrap_or(u8::MAX));
                bytes.put_slice(note);
            }
        }
        if let Some(entry) = &self.entry {
            bytes.put_slice(&entry.stored.value);
        }
        bytes.freeze()
    }

    /// The slot that `bytes` are; `None` when nothing of this version wrote them.
    ///
    /// The value shares memory with `bytes`.
    #[must_use]
    pub fn decode(bytes: &Bytes) -> Option<Self> {
        let mut rest = bytes.clone();
        let mut magic = [0; MAGIC.len()];
        rest.try_copy_to_slice(&mut magic).ok()?;
        let flags = rest.try_get_u8().ok()?;
        if magic != MAGIC || flags & !(ENTRY | STALE | LEASE | BACK_OFF) != 0 {
            return None;
        }
        let mut slot = Self::default();
        let mut head = None;
        if flags & ENTRY != 0 {
            let version = Version::from_raw(rest.try_get_u64().ok()?);
            head = Some((version, Timestamp::from_millis(rest.try_get_u64().ok()?)));
        }
        if flags & LEASE != 0 {
            let kind = ClaimKind::Lease(LeaseToken::from_raw(rest.try_get_u128().ok()?));
            slot.claim =
                Some(Claim { kind, until: Timestamp::from_millis(rest.try_get_u64().ok()?) });
        } else if flags & BACK_OFF != 0 {
            let until = Timestamp::from_millis(rest.try_get_u64().ok()?);
            let len = usize::from(rest.try_get_u8().ok()?);
            if len > MAX_NOTE_LEN || len > rest.len() {
                return None;
            }
            slot.claim = Some(Claim { kind: ClaimKind::BackOff(rest.split_to(len)), until });
        }
        slot.entry = head.map(|(version, until)| {
            let stored = Stored { value: rest, version, stale: flags & STALE != 0 };
            Entry { stored, until }
        });
        Some(slot)
    }

    fn flags(&self) -> u8 {
        let entry = match &self.entry {
            None => 0,
            Some(entry) if entry.stored.stale => ENTRY | STALE,
            Some(_) => ENTRY,
        };
        entry
            | match &self.claim {
                None => 0,
                Some(Claim { kind: ClaimKind::Lease(_), .. }) => LEASE,
                Some(Claim { kind: ClaimKind::BackOff(_), .. }) => BACK_OFF,
            }
    }
}
