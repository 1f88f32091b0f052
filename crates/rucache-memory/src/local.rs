//! The local tier: typed entries in this process's memory.

use std::sync::Arc;

use moka::policy::EvictionPolicy;
use rucache_core::{Key, Local, LocalEntry, Usage};

use crate::MemoryConfig;
use crate::gates::Gates;
use crate::recent::Recent;
use crate::store::Store;

/// Bytes that an entry is charged with besides its value and what its key has on the heap.
///
/// Measured on Linux with glibc's allocator: 600,000 entries with 16-byte keys, each with a string of
/// 216 bytes, made the process grow by 471 bytes each besides the strings' bytes: 385 for moka's
/// entry, the rest for the blocks that value and string are in; by 497 where a third of them was
/// evicted. `cargo run -p rucache-memory --example overhead -- local` measures again.
pub const ENTRY_OVERHEAD: u32 = 472;

/// [`Local`] on moka: bounded in bytes, and proof against random keys.
///
/// An eighth of the room is an anteroom, for all negatives and for values that came once: where it
/// is full, those go that were not used for longest. The rest is for values that came when there
/// was room, or again; where that is full, a value is taken that was asked for more often than
/// those it would push out (TinyLFU). So neither a flood of names that do not exist nor one of
/// values that nobody asks for twice touches the values that are read often.
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
    gates: Arc<Gates>,
    values: Store<LocalEntry>,
    /// Negatives, and values that came once.
    anteroom: Store<LocalEntry>,
    recent: Recent,
    capacity_bytes: u64,
}

/// Sixteenths of the capacity that the anteroom has.
const ANTEROOM: u64 = 2;

impl LocalStore {
    /// An empty store.
    #[must_use]
    pub fn new(config: &MemoryConfig) -> Self {
        let gates: Arc<Gates> = Arc::default();
        let for_values = config.capacity.sixteenths(16 - ANTEROOM);
        let store = |capacity, policy| Store::new(gates.clone(), capacity, policy, charge);
        Self {
            values: store(for_values, EvictionPolicy::tiny_lfu()),
            anteroom: store(config.capacity.sixteenths(ANTEROOM), EvictionPolicy::lru()),
            recent: Recent::new(for_values),
            capacity_bytes: config.capacity.as_bytes(),
            gates,
        }
    }

    /// Whether the place of `entry` is among the values, rather than in the anteroom.
    fn is_settled(&self, key: &Key, entry: &LocalEntry) -> bool {
        !entry.is_negative()
            && (self.values.contains(key)
                || self.values.has_room(charge(key, entry))
                || self.recent.comes_again(self.gates.hash(key)))
    }
}

// A key has one entry. Who changes it holds its gate and changes the values first, where readers look
// first: none of them sees an entry that is older than one it has seen.
impl Local for LocalStore {
    fn get(&self, key: &Key) -> Option<LocalEntry> {
        match self.values.get(key) {
            Some(entry) => Some(entry),
            None => self.anteroom.get(key),
        }
    }

    fn peek(&self, key: &Key) -> Option<LocalEntry> {
        self.values.peek(key).or_else(|| self.anteroom.peek(key))
    }

    fn insert(&self, key: Key, entry: LocalEntry) {
        let _gate = self.gates.enter(&key);
        if self.is_settled(&key, &entry) {
            self.values.put(key.clone(), entry);
            self.anteroom.remove(&key);
        } else {
            self.values.remove(&key);
            self.anteroom.put(key, entry);
        }
    }

    fn remove(&self, key: &Key) -> bool {
        let _gate = self.gates.enter(key);
        let was_value = self.values.remove(key);
        self.anteroom.remove(key) || was_value
    }

    fn purge(&self, is_over: &dyn Fn(&LocalEntry) -> bool) -> u64 {
        self.values.purge(is_over) + self.anteroom.purge(is_over)
    }

    fn each(&self, look: &mut dyn FnMut(&Key, &LocalEntry)) {
        let entries = self.values.iter().chain(self.anteroom.iter());
        entries.for_each(|(key, entry)| look(&key, &entry));
    }

    fn usage(&self) -> Usage {
        let (values, anteroom) = (self.values.usage(), self.anteroom.usage());
        Usage::new(
            values.entries + anteroom.entries,
            values.bytes + anteroom.bytes,
            self.capacity_bytes,
            values.evictions + anteroom.evictions,
        )
    }
}

fn charge(key: &Key, entry: &LocalEntry) -> u32 {
    let heap = u32::try_from(key.heap_len()).unwrap_or(u32::MAX);
    ENTRY_OVERHEAD.saturating_add(heap).saturating_add(entry.weight)
}
