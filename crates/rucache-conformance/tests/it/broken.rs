//! A backend that keeps every clause but one, whose name says which.

mod entries;
mod leases;
mod listening;
mod maps;
mod numbers;
mod past;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::ThreadId;

use async_trait::async_trait;
use rucache_conformance::Model;
use rucache_core::{
    Answers, Backend, Capabilities, Companions, Error, ErrorKind, Fetched, Info, Key, KeyPage,
    Lease, LeaseEnd, LeaseHold, LeaseRequest, Listener, MapEntry, MapPage, Marker, MarkerRef,
    MarkerVersion, Operation, ServiceName, TestRuntime, Timestamp, Ttl, Write, WriteOutcome,
};

use past::Past;

/// The model behind a layer that misbehaves where its clause is asked for.
///
/// It remembers what was done to each key, in order to misbehave nowhere else.
pub(crate) struct Broken {
    clause: &'static str,
    inner: Model,
    pasts: Mutex<HashMap<Key, Past>>,
    bumps: Mutex<HashMap<Marker, u32>>,
    threads: Mutex<HashMap<Key, ThreadId>>,
    maps: Mutex<HashSet<Key>>,
    calls: Mutex<u32>,
    listeners: Mutex<Vec<Arc<dyn Listener>>>,
}

impl Broken {
    pub(crate) fn new(clause: &'static str, runtime: TestRuntime) -> Self {
        Self {
            clause,
            inner: Model::new(Arc::new(runtime)),
            pasts: Mutex::default(),
            bumps: Mutex::default(),
            threads: Mutex::default(),
            maps: Mutex::default(),
            calls: Mutex::default(),
            listeners: Mutex::default(),
        }
    }

    fn breaks(&self, clause: &str) -> bool {
        self.clause == clause
    }

    /// What was done to `key` so far.
    fn past(&self, key: &Key) -> Past {
        lock(&self.pasts).entry(key.clone()).or_default().clone()
    }

    fn remember(&self, key: &Key, step: impl FnOnce(&mut Past)) {
        step(lock(&self.pasts).entry(key.clone()).or_default());
    }

    /// Whether another thread than this one was the first at `key`.
    fn other_thread_came_first(&self, key: &Key) -> bool {
        let this = std::thread::current().id();
        *lock(&self.threads).entry(key.clone()).or_insert(this) != this
    }

    /// The key under which entries of `key` are kept.
    fn name(&self, key: &Key) -> Key {
        let (mut service, mut name) = (key.service().to_owned(), key.name().to_owned());
        if self.breaks("names_that_look_alike_are_told_apart") {
            name = name.replace(' ', "_");
        }
        if self.breaks("long_names_are_told_apart") && name.is_ascii() {
            name.truncate(250);
        }
        if self.breaks("services_do_not_meet") {
            service.truncate(17);
        }
        Key::parse(&format!("{service}:{name}")).unwrap_or_else(|_| key.clone())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn error(kind: ErrorKind, operation: Operation) -> Error {
    Error::new(kind, "model", operation)
}

/// The one answer to one question.
fn only<T>(mut answers: Answers<T>) -> Result<T, Error> {
    answers.pop().unwrap_or_else(|| Err(error(ErrorKind::Protocol, Operation::Get)))
}

#[async_trait]
impl Backend for Broken {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.capabilities();
        if self.breaks("capabilities_are_plain_and_steady") {
            let mut calls = lock(&self.calls);
            *calls += 1;
            capabilities.shared = calls.is_multiple_of(2);
        }
        if self.breaks("scan_is_refused_where_it_is_not_offered") {
            capabilities.scan = false;
        }
        capabilities
    }

    async fn get_many(&self, keys: &[Key], companions: Companions) -> Answers<Fetched> {
        if self.breaks("empty_batch_is_an_empty_answer") && keys.is_empty() {
            return vec![Err(error(ErrorKind::Invalid, Operation::Get))];
        }
        let mut keys = keys.to_vec();
        if self.breaks("key_twice_is_answered_twice") {
            keys.dedup();
        }
        if self.breaks("answers_stand_in_the_order_of_the_requests") && keys.len() >= 3 {
            keys.reverse();
        }
        let mut answers = Vec::new();
        for key in keys {
            answers.push(Ok(self.read(&self.name(&key), companions).await));
        }
        answers
    }

    async fn write_many(&self, writes: &[Write]) -> Answers<WriteOutcome> {
        let limit = self.inner.capabilities().max_value_len;
        if self.breaks("value_too_large_spoils_its_own_answer_only")
            && writes.len() > 1
            && writes.iter().any(|write| write.value.len() > limit)
        {
            let spoilt = |_| Err(error(ErrorKind::TooLarge, Operation::Write));
            return writes.iter().map(spoilt).collect();
        }
        let backwards = self.breaks("changes_happen_in_the_order_of_the_batch");
        let mut answers = Vec::new();
        for at in 0..writes.len() {
            let at = if backwards { writes.len() - 1 - at } else { at };
            let write = Write { key: self.name(&writes[at].key), ..writes[at].clone() };
            answers.push(self.write(write).await);
        }
        if backwards {
            answers.reverse();
        }
        answers
    }

    async fn delete_many(&self, keys: &[Key]) -> Answers<bool> {
        let mut answers = Vec::new();
        for key in keys {
            answers.push(self.delete(&self.name(key), keys.len()).await);
        }
        answers
    }

    async fn expire_many(&self, keys: &[Key]) -> Answers<bool> {
        let mut answers = Vec::new();
        for key in keys {
            answers.push(self.expire(&self.name(key)).await);
        }
        answers
    }

    async fn lease_many(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
        let mut answers = Vec::new();
        for request in requests {
            let request = LeaseRequest { key: self.name(&request.key), ..request.clone() };
            answers.push(self.lease(request).await);
        }
        answers
    }

    async fn renew_many(&self, holds: &[LeaseHold], ttl: Ttl) -> Answers<bool> {
        let mut answers = Vec::new();
        for hold in holds {
            answers.push(self.renew(hold, ttl).await);
        }
        answers
    }

    async fn release_many(&self, ends: &[LeaseEnd]) -> Answers<bool> {
        let mut answers = Vec::new();
        for end in ends {
            answers.push(self.release(end).await);
        }
        answers
    }

    async fn add_many(&self, additions: &[(Key, u64)], ttl: Ttl) -> Answers<u64> {
        let mut answers = Vec::new();
        for (counter, delta) in additions {
            answers.push(self.add(counter, *delta, ttl).await);
        }
        answers
    }

    async fn markers(&self, at: &[MarkerRef], seed: MarkerVersion) -> Answers<MarkerVersion> {
        let mut answers = Vec::new();
        for reference in at {
            answers.push(self.marker(reference, seed).await);
        }
        answers
    }

    async fn bump(&self, markers: &[Marker], seed: MarkerVersion) -> Answers<()> {
        let mut answers = Vec::new();
        for marker in markers {
            answers.push(self.bump_one(marker, seed).await);
        }
        answers
    }

    async fn map_put(&self, map: &Key, entries: &[MapEntry], now: Timestamp) -> Result<u64, Error> {
        self.put_members(map, entries, now).await
    }

    async fn map_remove(
        &self,
        map: &Key,
        members: &[String],
        now: Timestamp,
    ) -> Result<u64, Error> {
        self.remove_members(map, members, now).await
    }

    async fn map_page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Error> {
        self.page(map, cursor, limit, now).await
    }

    async fn map_len(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        self.count_members(map, now).await
    }

    async fn map_purge(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        self.purge_members(map, now).await
    }

    async fn scan(
        &self,
        service: &ServiceName,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<KeyPage, Error> {
        let mut page = self.inner.scan(service, cursor, limit).await?;
        if self.breaks("scan_lists_the_keys_of_one_service")
            && let Ok(sibling) = ServiceName::new(&format!("{service}abc"))
        {
            page.keys.extend(self.inner.scan(&sibling, cursor, limit).await?.keys);
        }
        Ok(page)
    }

    fn subscribe(&self, listener: Weak<dyn Listener>) {
        self.listen(listener);
    }

    async fn ping(&self) -> Result<(), Error> {
        if self.breaks("ping_is_answered") {
            return Err(error(ErrorKind::Unsupported, Operation::Ping));
        }
        self.inner.ping().await
    }

    async fn info(&self) -> Result<Info, Error> {
        if self.breaks("info_is_answered") {
            return Err(error(ErrorKind::Unsupported, Operation::Info));
        }
        self.inner.info().await
    }
}
