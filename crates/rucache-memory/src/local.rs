//! The local tier: typed entries in this process's memory.

use rucache_core::{Key, Local, LocalEntry, Usage};

use crate::MemoryConfig;
use crate::store::Store;

/// Bytes that an entry is charged with besides its value and what its key has on the heap.
///
/// Measured on Linux with glibc's allocator: a million entries with 16-byte keys and one shared
/// value made the process grow by 385 bytes each (312 bytes asked for in 6 blocks, the rest is the
/// allocator's; 382 to 391 between 300,000 and 3,000,000 entries, by how full moka's table is).
/// `cargo run -p rucache-memory --example overhead -- local` measures again.
pub const ENTRY_OVERHEAD: u32 = 392;

/// [`Local`] on moka: bounded in bytes, and proof against random keys (TinyLFU admission).
///
/// A hit takes no lock and allocates nothing. Every 64th read does moka's housekeeping on the
/// reader's thread, which allocates one block of 2 KiB in about every second turn. Expired entries
/// stay until they are purged, replaced or evicted.
///
/// ```
/// use std::sync::Arc;
/// use rucache_core::{Deadlines, Key, Local, LocalEntry, Mono, Timestamp};
/// use rucache_memory::{LocalStore, MemoryConfig};
///
/// let store = LocalStore::new(&MemoryConfig::default());
/// let key = Key::parse("migo:greeting")?;
/// let never = Mono::NEVER;
/// let deadlines = Deadlines { loaded: Mono::default(), early: never, soft: never, hard: never };
/// let value = Arc::new(String::from("hola"));
/// store.insert(key.clone(), LocalEntry::new(value, Timestamp::default(), deadlines, 4));
/// let entry = store.get(&key).ok_or("evicted")?;
/// assert_eq!(entry.value::<String>().as_deref().map(String::as_str), Some("hola"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LocalStore {
    entries: Store<LocalEntry>,
}

impl LocalStore {
    /// An empty store.
    #[must_use]
    pub fn new(config: &MemoryConfig) -> Self {
        Self { entries: Store::new(config.capacity.as_bytes(), charge) }
    }
}

impl Local for LocalStore {
    fn get(&self, key: &Key) -> Option<LocalEntry> {
        self.entries.get(key)
    }

    fn insert(&self, key: Key, entry: LocalEntry) {
        self.entries.insert(key, entry);
    }

    fn remove(&self, key: &Key) -> bool {
        self.entries.remove(key)
    }

    fn purge(&self, is_over: &dyn Fn(&LocalEntry) -> bool) -> u64 {
        self.entries.purge(is_over)
    }

    fn usage(&self) -> Usage {
        self.entries.usage()
    }
}

fn charge(key: &Key, entry: &LocalEntry) -> u32 {
    let heap = u32::try_from(key.heap_len()).unwrap_or(u32::MAX);
    ENTRY_OVERHEAD.saturating_add(heap).saturating_add(entry.weight)
}
