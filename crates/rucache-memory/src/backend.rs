//! The backend: the whole contract inside the process.

use std::fmt;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use rucache_core::{
    Answers, BackOff, Backend, Capabilities, Companions, Error, Fetched, Info, Key, KeyPage, Lease,
    LeaseEnd, LeaseHold, LeaseRequest, LeaseToken, Listener, MapEntry, MapPage, Marker, MarkerRef,
    MarkerVersion, Operation, Runtime, ServiceName, Timestamp, Ttl, Write, WriteOutcome,
};

use crate::MemoryConfig;
use crate::counter::Counters;
use crate::entries::{Entries, SLOT_OVERHEAD, own};
use crate::error::{NAME, Refusal};
use crate::maps::Maps;
use crate::marker::Markers;

/// [`Backend`] in this process's memory, bounded in bytes.
///
/// Of its capacity ten sixteenths are for entries, four for maps, one each for markers and counters.
/// Full, it evicts entries (TinyLFU), forgets the markers and counters not touched
/// for longest, and refuses new members of maps as [`Full`](rucache_core::ErrorKind::Full).
///
/// Lifetimes are counted on the [`Runtime`]'s monotonic clock; members of maps expire by the wall
/// time that the caller gives. Expired entries are gone for every reader at once; their room comes
/// back when they are read, evicted, or [purged](Self::purge).
///
/// Nothing changes behind its users' backs and it has no nodes, so listeners are never called.
///
/// ```
/// use std::sync::Arc;
/// use rucache_core::{BackendExt, Key, TestRuntime, Ttl};
/// use rucache_memory::{MemoryBackend, MemoryConfig};
///
/// let runtime = TestRuntime::new(1);
/// let backend = MemoryBackend::new(&MemoryConfig::default(), Arc::new(runtime.clone()));
/// let key = Key::parse("migo:greeting")?;
/// runtime.block_on(backend.set_json(&key, &"hola", Ttl::SHORT))?;
/// let greeting: Option<String> = runtime.block_on(backend.get_json(&key))?;
/// assert_eq!(greeting.as_deref(), Some("hola"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MemoryBackend {
    runtime: Arc<dyn Runtime>,
    entries: Entries,
    maps: Maps,
    markers: Markers,
    counters: Counters,
    capacity_bytes: u64,
    max_value_len: usize,
}

impl MemoryBackend {
    /// An empty backend on the clock and the randomness of `runtime`.
    #[must_use]
    pub fn new(config: &MemoryConfig, runtime: Arc<dyn Runtime>) -> Self {
        Self::divided(config, runtime, [10, 4])
    }

    /// An empty backend mostly for maps, beside a [`LocalStore`](crate::LocalStore) that holds the
    /// entries: thirteen sixteenths are for maps, one each for the rest.
    #[must_use]
    pub fn aside(config: &MemoryConfig, runtime: Arc<dyn Runtime>) -> Self {
        Self::divided(config, runtime, [1, 13])
    }

    fn divided(
        config: &MemoryConfig,
        runtime: Arc<dyn Runtime>,
        [entries, maps]: [u64; 2],
    ) -> Self {
        let capacity = config.capacity;
        let entries = capacity.sixteenths(entries);
        // A value that could never stay is refused, not taken and dropped.
        let room = usize::try_from(entries.saturating_sub(SLOT_OVERHEAD.into()));
        Self {
            runtime,
            entries: Entries::new(entries),
            maps: Maps::new(capacity.sixteenths(maps)),
            markers: Markers::new(capacity.sixteenths(1)),
            counters: Counters::new(capacity.sixteenths(1)),
            capacity_bytes: capacity.as_bytes(),
            max_value_len: room.unwrap_or(usize::MAX).min(Capabilities::DEFAULT_MAX_VALUE_LEN),
        }
    }

    /// Drops expired entries, leases and counters, and does pending housekeeping; how many were
    /// dropped. Takes time in proportion to what it holds.
    pub fn purge(&self) -> u64 {
        let now = self.now();
        self.entries.purge(now) + self.counters.purge(now)
    }

    /// The monotonic clock in whole milliseconds, which is what slots count in.
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.runtime.now().as_nanos() / 1_000_000)
    }

    fn token(&self) -> LeaseToken {
        let half = || u128::from(self.runtime.random());
        LeaseToken::from_raw(half() << 64 | half())
    }

    fn write(&self, write: &Write, now: Timestamp) -> Result<WriteOutcome, Error> {
        let (len, max) = (write.value.len(), self.max_value_len);
        if len > max {
            self.entries.change(&write.key, now, |slot| slot.delete(now));
            return Err(Refusal::ValueLen { len, max }.during(Operation::Write));
        }
        let value = own(&write.value);
        let fresh = self.entries.next_version();
        Ok(self
            .entries
            .change(&write.key, now, |slot| slot.write(value, write.ttl, write.when, now, fresh)))
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(NAME);
        capabilities.scan = true;
        capabilities.max_value_len = self.max_value_len;
        capabilities
    }

    async fn get_many(&self, keys: &[Key], companions: Companions) -> Answers<Fetched> {
        let now = self.now();
        let root = match companions {
            Companions::None => None,
            Companions::Markers => self.markers.peek(&Marker::Root),
        };
        let service = |key: &Key| match companions {
            Companions::None => None,
            Companions::Markers => self.markers.peek(&Marker::Service(key.service_name())),
        };
        let fetched =
            |key| Fetched { entry: self.entries.read(key, now), root, service: service(key) };
        keys.iter().map(|key| Ok(fetched(key))).collect()
    }

    async fn write_many(&self, writes: &[Write]) -> Answers<WriteOutcome> {
        let now = self.now();
        writes.iter().map(|write| self.write(write, now)).collect()
    }

    async fn delete_many(&self, keys: &[Key]) -> Answers<bool> {
        let now = self.now();
        let delete = |key| self.entries.change(key, now, |slot| slot.delete(now));
        keys.iter().map(|key| Ok(delete(key))).collect()
    }

    async fn expire_many(&self, keys: &[Key]) -> Answers<bool> {
        let now = self.now();
        let expire = |key| {
            let fresh = self.entries.next_version();
            self.entries.change(key, now, |slot| slot.expire(now, fresh))
        };
        keys.iter().map(|key| Ok(expire(key))).collect()
    }

    async fn lease_many(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
        let now = self.now();
        let lease = |request: &LeaseRequest| {
            let token = self.token();
            self.entries
                .change(&request.key, now, |slot| slot.lease(request.seen, request.ttl, now, token))
        };
        requests.iter().map(|request| Ok(lease(request))).collect()
    }

    async fn renew_many(&self, holds: &[LeaseHold], ttl: Ttl) -> Answers<bool> {
        let now = self.now();
        let renew = |hold: &LeaseHold| {
            self.entries.change(&hold.key, now, |slot| slot.renew(hold.token, ttl, now))
        };
        holds.iter().map(|hold| Ok(renew(hold))).collect()
    }

    async fn release_many(&self, ends: &[LeaseEnd]) -> Answers<bool> {
        let now = self.now();
        let release = |end: &LeaseEnd| {
            let back_off = end.back_off.as_ref();
            let back_off = back_off.map(|left| BackOff { note: own(&left.note), ttl: left.ttl });
            self.entries.change(&end.hold.key, now, |slot| {
                slot.release(end.hold.token, back_off.as_ref(), now)
            })
        };
        ends.iter().map(|end| Ok(release(end))).collect()
    }

    async fn add_many(&self, additions: &[(Key, u64)], ttl: Ttl) -> Answers<u64> {
        let now = self.now();
        additions.iter().map(|(key, delta)| Ok(self.counters.add(key, *delta, ttl, now))).collect()
    }

    async fn markers(&self, at: &[MarkerRef], seed: MarkerVersion) -> Answers<MarkerVersion> {
        at.iter().map(|at| Ok(self.markers.read_or_seed(&at.marker, seed))).collect()
    }

    async fn bump(&self, markers: &[Marker], seed: MarkerVersion) -> Answers<()> {
        for marker in markers {
            self.markers.bump(marker, seed);
        }
        vec![Ok(()); markers.len()]
    }

    async fn map_put(&self, map: &Key, entries: &[MapEntry], now: Timestamp) -> Result<u64, Error> {
        let put = self.maps.put(map, entries, now);
        put.map_err(|refusal| refusal.during(Operation::MapWrite))
    }

    async fn map_remove(
        &self,
        map: &Key,
        members: &[String],
        now: Timestamp,
    ) -> Result<u64, Error> {
        Ok(self.maps.remove(map, members, now))
    }

    async fn map_page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Error> {
        let page = self.maps.page(map, cursor, limit, now);
        page.map_err(|refusal| refusal.during(Operation::MapRead))
    }

    async fn map_len(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        Ok(self.maps.len(map, now))
    }

    async fn map_purge(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        Ok(self.maps.purge(map, now))
    }

    async fn scan(
        &self,
        service: &ServiceName,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<KeyPage, Error> {
        let page = self.entries.scan(service.as_str(), cursor, limit, self.now());
        page.map_err(|refusal| refusal.during(Operation::Scan))
    }

    fn subscribe(&self, _listener: Weak<dyn Listener>) {}

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn info(&self) -> Result<Info, Error> {
        let entries = self.entries.usage();
        let mut info = Info::default();
        info.items =
            Some(entries.entries + self.maps.count() + self.markers.len() + self.counters.len());
        info.used_bytes =
            Some(entries.bytes + self.maps.bytes() + self.markers.bytes() + self.counters.bytes());
        info.capacity_bytes = Some(self.capacity_bytes);
        info.evictions = Some(entries.evictions + self.markers.dropped() + self.counters.dropped());
        Ok(info)
    }
}

impl fmt::Debug for MemoryBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBackend")
            .field("capacity_bytes", &self.capacity_bytes)
            .finish_non_exhaustive()
    }
}
