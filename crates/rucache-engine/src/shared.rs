//! The shared tier: entries in their envelopes at a backend, under its markers and leases.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rucache_core::envelope::DecodeFailure;
use rucache_core::{
    Answers, BackOff, Backend, CacheEvent, Companions, Deadlines, Envelope, Error, ErrorKind,
    Fetched, Json, Key, Lease, LeaseEnd, LeaseHold, LeaseRequest, LocalEntry, Marker, MarkerRef,
    MarkerVersion, Mono, Observer, Operation, Precondition, Runtime, Timestamp, Ttl, Version,
    Write, WriteOutcome,
};

/// How long a lease lasts unless it is prolonged.
pub(crate) const LEASE: Ttl = Ttl::secs(5);

/// How much longer than its hard deadline a store keeps an entry: clocks differ.
const MARGIN: Duration = Duration::from_secs(1);

/// A stamp further ahead than this is no stamp of a clock like ours.
const TOLERANCE: Duration = Duration::from_secs(300);

/// A backend as a tier of a cache.
pub(crate) struct Shared {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

/// The markers that an entry stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Markers {
    pub(crate) root: MarkerVersion,
    pub(crate) service: MarkerVersion,
}

/// An entry to be written.
#[derive(Clone, Copy)]
pub(crate) struct Fill<'a> {
    pub(crate) key: &'a Key,
    pub(crate) entry: &'a LocalEntry,
    pub(crate) markers: Markers,
    pub(crate) when: Precondition,
}

/// What the shared tier knows of a key.
pub(crate) enum Known {
    /// A value before its soft deadline.
    Fresh(LocalEntry),
    /// A fallback, or nothing; the markers where the store has them.
    NotFresh { stale: Option<LocalEntry>, seen: Option<Version>, markers: Option<Markers> },
    /// An entry in a newer version's format: not to be read, nor to be written over.
    Newer,
    /// The store did not answer.
    Unreachable,
}

impl Shared {
    /// Reads `keys`, each with its markers, in one batch.
    pub(crate) async fn read(&self, keys: &[Key]) -> Vec<Known> {
        let answers = self
            .timed(Operation::Get, keys.len(), self.backend.get_many(keys, Companions::Markers))
            .await;
        let (now, wall) = (self.runtime.now(), self.runtime.wall());
        let known = |(key, answer)| match answer {
            Ok(fetched) => self.known(key, fetched, now, wall),
            Err(error) if Error::kind(&error) == ErrorKind::ForeignValue => {
                Known::NotFresh { stale: None, seen: None, markers: None }
            }
            Err(_) => Known::Unreachable,
        };
        keys.iter().zip(answers).map(known).collect()
    }

    fn known(&self, key: &Key, fetched: Fetched, now: Mono, wall: Timestamp) -> Known {
        let markers = match (fetched.root, fetched.service) {
            (Some(root), Some(service)) => Some(Markers { root, service }),
            _ => None,
        };
        let seen = fetched.entry.as_ref().map(|stored| stored.version);
        let nothing = Known::NotFresh { stale: None, seen, markers };
        let Some(stored) = fetched.entry else { return nothing };
        let envelope = match Envelope::decode(&stored.value, key) {
            Ok(envelope) => envelope,
            Err(reason) => {
                self.observe(CacheEvent::DecodeFailed { service: key.service(), reason });
                return if reason == DecodeFailure::Newer { Known::Newer } else { nothing };
            }
        };
        let under = Markers { root: envelope.root, service: envelope.service };
        let ahead = envelope.loaded_at.since(wall) > TOLERANCE;
        if markers != Some(under) || ahead || envelope.negative.is_some() || wall >= envelope.hard {
            return nothing;
        }
        let entry = entry(&envelope, now, wall);
        if stored.stale || wall >= envelope.soft {
            return Known::NotFresh { stale: Some(entry), seen, markers };
        }
        Known::Fresh(entry)
    }

    /// Asks for leases; one answer for each request.
    pub(crate) async fn lease(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
        self.timed(Operation::Lease, requests.len(), self.backend.lease_many(requests)).await
    }

    /// Prolongs leases; what is lost shows at the fill.
    pub(crate) async fn renew(&self, holds: &[LeaseHold]) {
        self.timed(Operation::Renew, holds.len(), self.backend.renew_many(holds, LEASE)).await;
    }

    /// Ends leases without a write, and keeps the fleet from trying again for `back_off`.
    pub(crate) async fn release(&self, holds: Vec<LeaseHold>, back_off: Option<Duration>) {
        if holds.is_empty() {
            return;
        }
        let back_off = back_off.and_then(|span| Ttl::try_from(span).ok());
        let note = || back_off.map(|ttl| BackOff { note: Bytes::from_static(b"load failed"), ttl });
        let ends: Vec<_> =
            holds.into_iter().map(|hold| LeaseEnd { hold, back_off: note() }).collect();
        self.timed(Operation::Release, ends.len(), self.backend.release_many(&ends)).await;
    }

    /// The markers that an entry of `key` written now would stand under.
    pub(crate) async fn markers(&self, key: &Key) -> Result<Markers, Error> {
        let near = |marker| MarkerRef { marker, near: key.clone() };
        let at = [near(Marker::Root), near(Marker::Service(key.service_name()))];
        let seed = MarkerVersion::seed(self.runtime.wall(), self.runtime.random());
        let answers =
            self.timed(Operation::Markers, at.len(), self.backend.markers(&at, seed)).await;
        let mut answers = answers.into_iter();
        let mut next = || answers.next().unwrap_or_else(|| Err(self.no_answer(Operation::Markers)));
        Ok(Markers { root: next()?, service: next()? })
    }

    /// Writes entries, each under its markers and its condition.
    pub(crate) async fn write(&self, fills: &[Fill<'_>]) -> Answers<WriteOutcome> {
        let mut writes = Vec::with_capacity(fills.len());
        let mut unwritable = Vec::new();
        for (at, fill) in fills.iter().enumerate() {
            match self.enveloped(fill) {
                Ok(write) => writes.push(write),
                Err(error) => unwritable.push((at, error)),
            }
        }
        let call = self.backend.write_many(&writes);
        let mut answers = self.timed(Operation::Write, writes.len(), call).await;
        for (at, error) in unwritable {
            answers.insert(at, Err(error));
        }
        answers
    }

    fn enveloped(&self, fill: &Fill<'_>) -> Result<Write, Error> {
        let Fill { key, entry, markers, when } = *fill;
        let codec = |source: &dyn std::fmt::Display| {
            let name = self.backend.capabilities().name;
            Error::new(ErrorKind::Codec, name, Operation::Write).with_source(source.to_string())
        };
        let payload = entry.to_json().map_err(|source| codec(&source))?;
        let (now, wall) = (self.runtime.now(), self.runtime.wall());
        let at = |moment: Mono| match moment.since(now) {
            Duration::ZERO => wall,
            ahead => wall.after(rounded_up(ahead)),
        };
        let envelope = Envelope {
            schema: 0,
            loaded_at: entry.loaded_at,
            soft: at(entry.deadlines.soft),
            hard: at(entry.deadlines.hard),
            root: markers.root,
            service: markers.service,
            tags: Vec::new(),
            negative: None,
            payload: Bytes::copy_from_slice(&payload),
        };
        let value = envelope.encode(key).map_err(|source| codec(&source))?;
        let ttl = rounded_up(entry.deadlines.hard.since(now).saturating_add(MARGIN));
        Ok(Write { key: key.clone(), value, ttl, when })
    }

    /// Deletes entries; `true` where there was one.
    pub(crate) async fn delete(&self, keys: &[Key]) -> Answers<bool> {
        if keys.is_empty() {
            return Vec::new();
        }
        self.timed(Operation::Delete, keys.len(), self.backend.delete_many(keys)).await
    }

    /// A call to the backend, told to the observer; as many answers as there were requests.
    async fn timed<T>(
        &self,
        operation: Operation,
        requests: usize,
        call: impl Future<Output = Answers<T>>,
    ) -> Answers<T> {
        let began = self.runtime.now();
        let mut answers = call.await;
        answers.resize_with(requests, || Err(self.no_answer(operation)));
        self.observe(CacheEvent::BackendCall {
            backend: self.backend.capabilities().name,
            operation,
            error: answers.iter().find_map(|answer| answer.as_ref().err().map(Error::kind)),
            took: self.runtime.now().since(began),
        });
        answers
    }

    fn no_answer(&self, operation: Operation) -> Error {
        Error::new(ErrorKind::Protocol, self.backend.capabilities().name, operation)
    }

    fn observe(&self, event: CacheEvent<'_>) {
        if let Some(observer) = &self.observer {
            observer.record(&event);
        }
    }
}

/// The entry in `envelope`, with its deadlines on our clock.
fn entry(envelope: &Envelope, now: Mono, wall: Timestamp) -> LocalEntry {
    let age = wall.since(envelope.loaded_at);
    let loaded = Mono::from_nanos(
        now.as_nanos().saturating_sub(u64::try_from(age.as_nanos()).unwrap_or(u64::MAX)),
    );
    let deadlines = Deadlines {
        loaded,
        early: Mono::NEVER,
        soft: now.after(envelope.soft.since(wall)),
        hard: now.after(envelope.hard.since(wall)),
    };
    let weight = u32::try_from(envelope.payload.len()).unwrap_or(u32::MAX);
    let value = Arc::new(Json(envelope.payload.clone()));
    LocalEntry::new(value, envelope.loaded_at, deadlines, weight)
}

/// A span as a TTL; zero is the shortest.
fn rounded_up(span: Duration) -> Ttl {
    Ttl::try_from(span).unwrap_or(Ttl::MIN)
}
