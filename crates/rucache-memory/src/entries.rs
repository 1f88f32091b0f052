//! The entries of the backend: slots of core's emulation in the bounded store.

use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use moka::policy::EvictionPolicy;
use rucache_core::emulation::Slot;
use rucache_core::{Key, KeyPage, Stored, Timestamp, Usage, Version};

use crate::error::Refusal;
use crate::store::Store;

/// Bytes that a slot is charged with besides its value and what its key has on the heap.
///
/// Measured as [`ENTRY_OVERHEAD`](crate::ENTRY_OVERHEAD) was, with a million values of 500 bytes that
/// were read once: 506 to 509 bytes resident.
pub(crate) const SLOT_OVERHEAD: u32 = 512;

/// Entries with their leases and back-off notes, bounded in bytes.
///
/// A slot may be evicted with a lease in it: the fill is then refused, and the value served but not
/// kept, as at a remote store.
#[derive(Debug)]
pub(crate) struct Entries {
    slots: Store<Slot>,
    last_version: AtomicU64,
}

impl Entries {
    /// No entries, and room for `capacity_bytes` of them.
    pub(crate) fn new(capacity_bytes: u64) -> Self {
        let slots = Store::new(Arc::default(), capacity_bytes, EvictionPolicy::tiny_lfu(), charge);
        Self { slots, last_version: AtomicU64::new(0) }
    }

    /// The entry of `key`.
    pub(crate) fn read(&self, key: &Key, now: Timestamp) -> Option<Stored> {
        let slot = self.slots.get(key)?;
        let stored = slot.read(now);
        if stored.is_none() && slot.is_empty(now) {
            // Nobody else gives an expired slot's room back before the next purge.
            self.change(key, now, |_| ());
        }
        stored
    }

    /// Lets `change` work on the slot of `key`, in one step.
    pub(crate) fn change<T>(
        &self,
        key: &Key,
        now: Timestamp,
        change: impl FnOnce(&mut Slot) -> T,
    ) -> T {
        self.slots.change(key, |place| {
            let mut slot = place.take().unwrap_or_default();
            let answer = change(&mut slot);
            *place = Some(slot).filter(|slot| !slot.is_empty(now));
            answer
        })
    }

    /// A version that no entry has had.
    pub(crate) fn next_version(&self) -> Version {
        Version::from_raw(self.last_version.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Up to `limit` keys of `service` that have an entry, in the order of their hashes, which is
    /// what the cursor counts in: it shows no key. Looks at every slot.
    pub(crate) fn scan(
        &self,
        service: &str,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<KeyPage, Refusal> {
        let after = match cursor {
            None => None,
            Some(cursor) => Some(u64::from_str_radix(cursor, 16).map_err(|_| Refusal::Cursor)?),
        };
        // One more than asked for tells whether there is a next page.
        let limit = limit.max(1);
        let mut lowest = BinaryHeap::new();
        for (key, slot) in self.slots.iter() {
            let hash = self.slots.hash(&key);
            if key.service() == service && after < Some(hash) && slot.read(now).is_some() {
                lowest.push((hash, key));
                if lowest.len() > limit.saturating_add(1) {
                    lowest.pop();
                }
            }
        }
        let mut page = lowest.into_sorted_vec();
        let more = page.len() > limit;
        page.truncate(limit);
        let next = page.last().filter(|_| more).map(|(hash, _)| format!("{hash:x}"));
        Ok(KeyPage { keys: page.into_iter().map(|(_, key)| Key::clone(&key)).collect(), next })
    }

    /// Drops the slots in which nothing is alive; how many were dropped.
    pub(crate) fn purge(&self, now: Timestamp) -> u64 {
        self.slots.purge(|slot| slot.is_empty(now))
    }

    /// How full it is.
    pub(crate) fn usage(&self) -> Usage {
        self.slots.usage()
    }
}

/// Copies `value`, so that a short value never keeps a long buffer alive.
pub(crate) fn own(value: &Bytes) -> Bytes {
    Bytes::copy_from_slice(value)
}

fn charge(key: &Key, slot: &Slot) -> u32 {
    let bytes = u32::try_from(key.heap_len().saturating_add(slot.value_len()));
    SLOT_OVERHEAD.saturating_add(bytes.unwrap_or(u32::MAX))
}
