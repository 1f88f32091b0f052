//! The contract over a [`Link`].

use std::sync::Weak;

use async_trait::async_trait;
use rucache_core::{
    Answers, Backend, Capabilities, Change, Companions, Error, ErrorKind, Fetched, Info, Key,
    KeyPage, Lease, LeaseEnd, LeaseHold, LeaseRequest, Listener, MapEntry, MapPage, Marker,
    MarkerRef, MarkerVersion, Operation, ServiceName, Timestamp, Ttl, Write, WriteOutcome,
};

use super::{Access, Link};
use crate::random::Random;
use crate::server::Data;
use crate::shown::{Item, Raise, Shown};
use crate::wire::STORE;

impl Link {
    async fn one<I, T>(
        &self,
        operation: Operation,
        item: I,
        command: fn(&mut Data, Timestamp, &mut Random, &I) -> T,
    ) -> Result<T, Error>
    where
        I: Item + Clone + Send + 'static,
        T: Shown + Send + 'static,
    {
        let answer = self.call(operation, Access::Other, vec![item], command).await.pop();
        answer.unwrap_or_else(|| Err(Error::new(ErrorKind::Protocol, STORE, operation)))
    }
}

#[async_trait]
impl Backend for Link {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(STORE);
        capabilities.shared = true;
        capabilities.push = self.pushes;
        capabilities
    }

    async fn get_many(&self, keys: &[Key], companions: Companions) -> Answers<Fetched> {
        let items = keys.iter().map(|key| (key.clone(), companions)).collect();
        let command =
            |data: &mut Data, now, _: &mut Random, (key, companions): &(Key, Companions)| {
                data.get(key, *companions, now)
            };
        let answers = self.call(Operation::Get, Access::Entries, items, command).await;
        let read = keys.iter().zip(&answers).filter(|(_, answer)| answer.is_ok());
        read.for_each(|(key, _)| self.wire.history.read_markers(self.process, key));
        answers
    }

    async fn write_many(&self, writes: &[Write]) -> Answers<WriteOutcome> {
        self.call(Operation::Write, Access::Other, writes.to_vec(), |data, now, random, write| {
            data.write(write, now, random)
        })
        .await
    }

    async fn delete_many(&self, keys: &[Key]) -> Answers<bool> {
        let command = |data: &mut Data, now, _: &mut Random, key: &Key| data.delete(key, now);
        let answers = self.call(Operation::Delete, Access::Other, keys.to_vec(), command).await;
        self.wire.history.knows(self.process, &Change::Entries(keys.to_vec()));
        answers
    }

    async fn expire_many(&self, keys: &[Key]) -> Answers<bool> {
        let command =
            |data: &mut Data, now, random: &mut Random, key: &Key| data.expire(key, now, random);
        let answers = self.call(Operation::Expire, Access::Other, keys.to_vec(), command).await;
        self.wire.history.knows(self.process, &Change::Entries(keys.to_vec()));
        answers
    }

    async fn lease_many(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
        let items = requests.to_vec();
        self.call(Operation::Lease, Access::Other, items, |data, now, random, request| {
            data.lease(request, now, random)
        })
        .await
    }

    async fn renew_many(&self, holds: &[LeaseHold], ttl: Ttl) -> Answers<bool> {
        let items = holds.iter().map(|hold| (hold.clone(), ttl)).collect();
        self.call(Operation::Renew, Access::Other, items, |data, now, _, (hold, ttl)| {
            data.renew(hold, *ttl, now)
        })
        .await
    }

    async fn release_many(&self, ends: &[LeaseEnd]) -> Answers<bool> {
        self.call(Operation::Release, Access::Other, ends.to_vec(), |data, now, _, end| {
            data.release(end, now)
        })
        .await
    }

    async fn add_many(&self, additions: &[(Key, u64)], _ttl: Ttl) -> Answers<u64> {
        let items = additions.to_vec();
        self.call(Operation::Add, Access::Other, items, |data, _, _, (counter, delta)| {
            data.add(counter, *delta)
        })
        .await
    }

    async fn markers(&self, at: &[MarkerRef], seed: MarkerVersion) -> Answers<MarkerVersion> {
        let items = at.iter().map(|at| (at.marker.clone(), seed)).collect();
        self.call(Operation::Markers, Access::Other, items, |data, _, _, (marker, seed)| {
            data.marker_or(marker, *seed)
        })
        .await
    }

    async fn bump(&self, markers: &[Marker], seed: MarkerVersion) -> Answers<()> {
        let items = markers.iter().map(|marker| Raise(marker.clone(), seed)).collect();
        let command = |data: &mut Data, _, _: &mut Random, Raise(marker, seed): &Raise| {
            data.bump(marker, *seed);
        };
        let answers = self.call(Operation::Bump, Access::Other, items, command).await;
        self.wire.history.knows(self.process, &Change::Markers(markers.to_vec()));
        answers
    }

    async fn map_put(
        &self,
        map: &Key,
        entries: &[MapEntry],
        _now: Timestamp,
    ) -> Result<u64, Error> {
        let item = (map.clone(), entries.to_vec());
        self.one(Operation::MapWrite, item, |data, _, _, (map, entries)| data.map_put(map, entries))
            .await
    }

    async fn map_remove(
        &self,
        map: &Key,
        members: &[String],
        now: Timestamp,
    ) -> Result<u64, Error> {
        let item = (map.clone(), members.to_vec(), now);
        self.one(Operation::MapWrite, item, |data, _, _, (map, members, now)| {
            data.map_remove(map, members, *now)
        })
        .await
    }

    async fn map_page(
        &self,
        map: &Key,
        _cursor: Option<&str>,
        _limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Error> {
        let item = (map.clone(), now);
        self.one(Operation::MapRead, item, |data, _, _, (map, now)| data.map_page(map, *now)).await
    }

    async fn map_len(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        let item = (map.clone(), now);
        self.one(Operation::MapRead, item, |data, _, _, (map, now)| {
            data.map_page(map, *now).entries.len() as u64
        })
        .await
    }

    async fn map_purge(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        let item = (map.clone(), now);
        self.one(Operation::MapWrite, item, |data, _, _, (map, now)| data.map_purge(map, *now))
            .await
    }

    async fn scan(
        &self,
        _service: &ServiceName,
        _cursor: Option<&str>,
        _limit: usize,
    ) -> Result<KeyPage, Error> {
        Err(Error::new(ErrorKind::Unsupported, STORE, Operation::Scan))
    }

    fn subscribe(&self, listener: Weak<dyn Listener>) {
        let Some(alive) = listener.upgrade() else { return };
        self.lock().listeners.push(listener);
        if !self.pushes {
            return;
        }
        if self.trusts_push() {
            alive.changed(Change::Everything);
            alive.changed(Change::PushRestored);
        } else {
            alive.changed(Change::PushLost);
        }
    }

    async fn ping(&self) -> Result<(), Error> {
        self.one(Operation::Ping, (), |_, _, _, ()| ()).await
    }

    async fn info(&self) -> Result<Info, Error> {
        Ok(Info::default())
    }
}
