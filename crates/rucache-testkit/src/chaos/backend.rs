//! The contract, each call through the chaos.

use std::sync::Weak;

use async_trait::async_trait;
use rucache_core::{
    Answers, Backend, Capabilities, Companions, Error, Fetched, Info, Key, KeyPage, Lease,
    LeaseEnd, LeaseHold, LeaseRequest, Listener, MapEntry, MapPage, Marker, MarkerRef,
    MarkerVersion, Operation, ServiceName, Timestamp, Ttl, Write, WriteOutcome,
};

use super::ChaosBackend;

#[async_trait]
impl<B: Backend + 'static> Backend for ChaosBackend<B> {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn get_many(&self, keys: &[Key], companions: Companions) -> Answers<Fetched> {
        self.batch(Operation::Get, keys, move |inner, keys| {
            Box::pin(async move { inner.get_many(&keys, companions).await })
        })
        .await
    }

    async fn write_many(&self, writes: &[Write]) -> Answers<WriteOutcome> {
        self.batch(Operation::Write, writes, |inner, writes| {
            Box::pin(async move { inner.write_many(&writes).await })
        })
        .await
    }

    async fn delete_many(&self, keys: &[Key]) -> Answers<bool> {
        self.batch(Operation::Delete, keys, |inner, keys| {
            Box::pin(async move { inner.delete_many(&keys).await })
        })
        .await
    }

    async fn expire_many(&self, keys: &[Key]) -> Answers<bool> {
        self.batch(Operation::Expire, keys, |inner, keys| {
            Box::pin(async move { inner.expire_many(&keys).await })
        })
        .await
    }

    async fn lease_many(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
        self.batch(Operation::Lease, requests, |inner, requests| {
            Box::pin(async move { inner.lease_many(&requests).await })
        })
        .await
    }

    async fn renew_many(&self, holds: &[LeaseHold], ttl: Ttl) -> Answers<bool> {
        self.batch(Operation::Renew, holds, move |inner, holds| {
            Box::pin(async move { inner.renew_many(&holds, ttl).await })
        })
        .await
    }

    async fn release_many(&self, ends: &[LeaseEnd]) -> Answers<bool> {
        self.batch(Operation::Release, ends, |inner, ends| {
            Box::pin(async move { inner.release_many(&ends).await })
        })
        .await
    }

    async fn add_many(&self, additions: &[(Key, u64)], ttl: Ttl) -> Answers<u64> {
        self.batch(Operation::Add, additions, move |inner, additions| {
            Box::pin(async move { inner.add_many(&additions, ttl).await })
        })
        .await
    }

    async fn markers(&self, at: &[MarkerRef], seed: MarkerVersion) -> Answers<MarkerVersion> {
        self.batch(Operation::Markers, at, move |inner, at| {
            Box::pin(async move { inner.markers(&at, seed).await })
        })
        .await
    }

    async fn bump(&self, markers: &[Marker], seed: MarkerVersion) -> Answers<()> {
        self.batch(Operation::Bump, markers, move |inner, markers| {
            Box::pin(async move { inner.bump(&markers, seed).await })
        })
        .await
    }

    async fn map_put(&self, map: &Key, entries: &[MapEntry], now: Timestamp) -> Result<u64, Error> {
        let (map, entries) = (map.clone(), entries.to_vec());
        self.single(Operation::MapWrite, move |inner| {
            Box::pin(async move { inner.map_put(&map, &entries, now).await })
        })
        .await
    }

    async fn map_remove(
        &self,
        map: &Key,
        members: &[String],
        now: Timestamp,
    ) -> Result<u64, Error> {
        let (map, members) = (map.clone(), members.to_vec());
        self.single(Operation::MapWrite, move |inner| {
            Box::pin(async move { inner.map_remove(&map, &members, now).await })
        })
        .await
    }

    async fn map_page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Error> {
        let (map, cursor) = (map.clone(), cursor.map(ToOwned::to_owned));
        self.single(Operation::MapRead, move |inner| {
            Box::pin(async move { inner.map_page(&map, cursor.as_deref(), limit, now).await })
        })
        .await
    }

    async fn map_len(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        let map = map.clone();
        self.single(Operation::MapRead, move |inner| {
            Box::pin(async move { inner.map_len(&map, now).await })
        })
        .await
    }

    async fn map_purge(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        let map = map.clone();
        self.single(Operation::MapWrite, move |inner| {
            Box::pin(async move { inner.map_purge(&map, now).await })
        })
        .await
    }

    async fn scan(
        &self,
        service: &ServiceName,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<KeyPage, Error> {
        let (service, cursor) = (service.clone(), cursor.map(ToOwned::to_owned));
        self.single(Operation::Scan, move |inner| {
            Box::pin(async move { inner.scan(&service, cursor.as_deref(), limit).await })
        })
        .await
    }

    fn subscribe(&self, listener: Weak<dyn Listener>) {
        self.inner.subscribe(listener);
    }

    async fn ping(&self) -> Result<(), Error> {
        self.single(Operation::Ping, |inner| Box::pin(async move { inner.ping().await })).await
    }

    async fn info(&self) -> Result<Info, Error> {
        self.single(Operation::Info, |inner| Box::pin(async move { inner.info().await })).await
    }
}
