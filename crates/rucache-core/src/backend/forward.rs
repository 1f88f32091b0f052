//! A pointer to a backend is a backend.

use std::sync::{Arc, Weak};

use async_trait::async_trait;

use super::*;

macro_rules! forward {
    ($pointer:ty) => {
        #[async_trait]
        impl<B: Backend + ?Sized> Backend for $pointer {
            fn capabilities(&self) -> Capabilities {
                (**self).capabilities()
            }

            async fn get_many(&self, keys: &[Key], companions: Companions) -> Answers<Fetched> {
                (**self).get_many(keys, companions).await
            }

            async fn write_many(&self, writes: &[Write]) -> Answers<WriteOutcome> {
                (**self).write_many(writes).await
            }

            async fn delete_many(&self, keys: &[Key]) -> Answers<bool> {
                (**self).delete_many(keys).await
            }

            async fn expire_many(&self, keys: &[Key]) -> Answers<bool> {
                (**self).expire_many(keys).await
            }

            async fn lease_many(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
                (**self).lease_many(requests).await
            }

            async fn renew_many(&self, holds: &[LeaseHold], ttl: Ttl) -> Answers<bool> {
                (**self).renew_many(holds, ttl).await
            }

            async fn release_many(&self, ends: &[LeaseEnd]) -> Answers<bool> {
                (**self).release_many(ends).await
            }

            async fn add_many(&self, additions: &[(Key, u64)], ttl: Ttl) -> Answers<u64> {
                (**self).add_many(additions, ttl).await
            }

            async fn markers(
                &self,
                at: &[MarkerRef],
                seed: MarkerVersion,
            ) -> Answers<MarkerVersion> {
                (**self).markers(at, seed).await
            }

            async fn bump(&self, markers: &[Marker], seed: MarkerVersion) -> Answers<()> {
                (**self).bump(markers, seed).await
            }

            async fn map_put(
                &self,
                map: &Key,
                entries: &[MapEntry],
                now: Timestamp,
            ) -> Result<u64, Error> {
                (**self).map_put(map, entries, now).await
            }

            async fn map_remove(
                &self,
                map: &Key,
                members: &[String],
                now: Timestamp,
            ) -> Result<u64, Error> {
                (**self).map_remove(map, members, now).await
            }

            async fn map_page(
                &self,
                map: &Key,
                cursor: Option<&str>,
                limit: usize,
                now: Timestamp,
            ) -> Result<MapPage, Error> {
                (**self).map_page(map, cursor, limit, now).await
            }

            async fn map_len(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
                (**self).map_len(map, now).await
            }

            async fn map_purge(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
                (**self).map_purge(map, now).await
            }

            async fn scan(
                &self,
                service: &ServiceName,
                cursor: Option<&str>,
                limit: usize,
            ) -> Result<KeyPage, Error> {
                (**self).scan(service, cursor, limit).await
            }

            fn subscribe(&self, listener: Weak<dyn Listener>) {
                (**self).subscribe(listener);
            }

            async fn ping(&self) -> Result<(), Error> {
                (**self).ping().await
            }

            async fn info(&self) -> Result<Info, Error> {
                (**self).info().await
            }
        }
    };
}

forward!(Arc<B>);
forward!(Box<B>);
