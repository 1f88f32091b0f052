//! The backend as a cache's users have it for maps and counters: their calls are told, too.

use std::sync::Weak;

use async_trait::async_trait;
use rucache_core::{
    Answers, Backend, Capabilities, Companions, Error, Fetched, Info, Key, KeyPage, Lease,
    LeaseEnd, LeaseHold, LeaseRequest, Listener, MapEntry, MapPage, Marker, MarkerRef,
    MarkerVersion, Operation, ServiceName, Timestamp, Ttl, Write, WriteOutcome,
};

use crate::shared::Shared;

/// A backend whose calls about maps, counters, names and itself are timed and traced. Entries, leases and
/// markers are the engine's business, which tells of its own calls.
pub(crate) struct Beside(pub(crate) Shared);

impl Beside {
    async fn timed<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let call = async { vec![call.await] };
        let answer = self.0.timed(operation, 1, call).await.pop();
        answer.unwrap_or_else(|| Err(self.0.no_answer(operation)))
    }
}

#[async_trait]
impl Backend for Beside {
    fn capabilities(&self) -> Capabilities {
        self.0.backend.capabilities()
    }

    async fn get_many(&self, keys: &[Key], companions: Companions) -> Answers<Fetched> {
        self.0.backend.get_many(keys, companions).await
    }

    async fn write_many(&self, writes: &[Write]) -> Answers<WriteOutcome> {
        self.0.backend.write_many(writes).await
    }

    async fn delete_many(&self, keys: &[Key]) -> Answers<bool> {
        self.0.backend.delete_many(keys).await
    }

    async fn expire_many(&self, keys: &[Key]) -> Answers<bool> {
        self.0.backend.expire_many(keys).await
    }

    async fn lease_many(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
        self.0.backend.lease_many(requests).await
    }

    async fn renew_many(&self, holds: &[LeaseHold], ttl: Ttl) -> Answers<bool> {
        self.0.backend.renew_many(holds, ttl).await
    }

    async fn release_many(&self, ends: &[LeaseEnd]) -> Answers<bool> {
        self.0.backend.release_many(ends).await
    }

    async fn add_many(&self, additions: &[(Key, u64)], ttl: Ttl) -> Answers<u64> {
        let call = self.0.backend.add_many(additions, ttl);
        self.0.timed(Operation::Add, additions.len(), call).await
    }

    async fn markers(&self, at: &[MarkerRef], seed: MarkerVersion) -> Answers<MarkerVersion> {
        self.0.backend.markers(at, seed).await
    }

    async fn bump(&self, markers: &[Marker], seed: MarkerVersion) -> Answers<()> {
        self.0.backend.bump(markers, seed).await
    }

    async fn map_put(&self, map: &Key, entries: &[MapEntry], now: Timestamp) -> Result<u64, Error> {
        self.timed(Operation::MapWrite, self.0.backend.map_put(map, entries, now)).await
    }

    async fn map_remove(
        &self,
        map: &Key,
        members: &[String],
        now: Timestamp,
    ) -> Result<u64, Error> {
        self.timed(Operation::MapWrite, self.0.backend.map_remove(map, members, now)).await
    }

    async fn map_page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Error> {
        self.timed(Operation::MapRead, self.0.backend.map_page(map, cursor, limit, now)).await
    }

    async fn map_len(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        self.timed(Operation::MapRead, self.0.backend.map_len(map, now)).await
    }

    async fn map_purge(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        self.timed(Operation::MapWrite, self.0.backend.map_purge(map, now)).await
    }

    async fn scan(
        &self,
        service: &ServiceName,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<KeyPage, Error> {
        self.timed(Operation::Scan, self.0.backend.scan(service, cursor, limit)).await
    }

    fn subscribe(&self, listener: Weak<dyn Listener>) {
        self.0.backend.subscribe(listener);
    }

    async fn ping(&self) -> Result<(), Error> {
        self.timed(Operation::Ping, self.0.backend.ping()).await
    }

    async fn info(&self) -> Result<Info, Error> {
        self.timed(Operation::Info, self.0.backend.info()).await
    }
}
