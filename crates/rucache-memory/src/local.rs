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
/// Measured on Linux with glibc's allocator: a million entries with 20-byte keys, each with a value of
/// 500 bytes, made the process grow by 541 bytes each besides the values' bytes, in nine blocks:
/// moka's, the entry's and the value's. The rest is a margin. `cargo
/// run --release -p rucache-memory --example overhead -- local` measures again.
pub const ENTRY_OVERHEAD: u32 = 560;

/// [`Local`] on moka: bounded in bytes, and proof against random keys.
///
/// An eighth of the room is an anteroom. Once the rest is full, what comes for the first time goes
/// there, and so does every negative; those go from there that were not used for longest. A value
/// that comes again of late is taken into the rest, if it was asked for more often than what it
/// would push out (TinyLFU). So neither a flood of names that do not exist nor one of values that
/// nobody asks for twice touches what is read often.
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
    settled: Store<Arc<LocalEntry>>,
    /// What came when there was no room, for the first time of late, or as a negative.
    anteroom: Store<Arc<LocalEntry>>,
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
        let for_settled = config.capacity.sixteenths(16 - ANTEROOM);
        let store = |capacity, policy| {
            let charge = |key: &Key, entry: &Arc<LocalEntry>| charge(key, entry);
            Store::new(gates.clone(), capacity, policy, charge)
        };
        Self {
            settled: store(for_settled, EvictionPolicy::tiny_lfu()),
            anteroom: store(config.capacity.sixteenths(ANTEROOM), EvictionPolicy::lru()),
            recent: Recent::new(for_settled),
            capacity_bytes: config.capacity.as_bytes(),
            gates,
        }
    }

    /// Whether `entry` is not to wait in the anteroom.
    fn settles(&self, key: &Key, entry: &LocalEntry) -> bool {
        self.settled.contains(key)
            || self.settled.has_room(charge(key, entry))
            || (!entry.is_negative() && self.recent.comes_again(self.gates.hash(key)))
    }
}

// A key has one entry. Who changes it holds its gate and changes what is settled first, where readers
// look first: none of them sees an entry that is older than one it has seen.
impl Local for LocalStore {
    fn get(&self, key: &Key) -> Option<Arc<LocalEntry>> {
        match self.settled.get(key) {
            Some(entry) => Some(entry),
            None => self.anteroom.get(key),
        }
    }

    fn peek(&self, key: &Key) -> Option<Arc<LocalEntry>> {
        self.settled.peek(key).or_else(|| self.anteroom.peek(key))
    }

    fn insert(&self, key: Key, entry: LocalEntry) {
        let entry = Arc::new(entry);
        let _gate = self.gates.enter(&key);
        if self.settles(&key, &entry) {
            self.settled.put(key.clone(), entry);
            self.anteroom.remove(&key);
        } else {
            self.settled.remove(&key);
            self.anteroom.put(key, entry);
        }
    }

    fn remove(&self, key: &Key) -> bool {
        let _gate = self.gates.enter(key);
        let was_settled = self.settled.remove(key);
        self.anteroom.remove(key) || was_settled
    }

    fn purge(&self, is_over: &dyn Fn(&LocalEntry) -> bool) -> u64 {
        let is_over = |entry: &Arc<LocalEntry>| is_over(entry);
        self.settled.purge(is_over) + self.anteroom.purge(is_over)
    }

    fn each(&self, look: &mut dyn FnMut(&Key, &LocalEntry)) {
        let entries = self.settled.iter().chain(self.anteroom.iter());
        entries.for_each(|(key, entry)| look(&key, &entry));
    }

    fn usage(&self) -> Usage {
        let (settled, anteroom) = (self.settled.usage(), self.anteroom.usage());
        Usage::new(
            settled.entries + anteroom.entries,
            settled.bytes + anteroom.bytes,
            self.capacity_bytes,
            settled.evictions + anteroom.evictions,
        )
    }
}

fn charge(key: &Key, entry: &LocalEntry) -> u32 {
    let heap = u32::try_from(key.heap_len()).unwrap_or(u32::MAX);
    ENTRY_OVERHEAD.saturating_add(heap).saturating_add(entry.weight)
}
