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

/// The shape of payloads: JSON, as the value's own type writes it.
const SCHEMA: u32 = 0;

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

/// An entry to be written; without one, a sign that there is nothing, gone at once.
#[derive(Clone, Copy)]
pub(crate) struct Fill<'a> {
    pub(crate) key: &'a Key,
    pub(crate) entry: Option<&'a LocalEntry>,
    pub(crate) markers: Markers,
    pub(crate) when: Precondition,
}

/// What the shared tier knows of a key.
pub(crate) enum Known {
    /// It answered; the markers where the store has them.
    Read { content: Content, seen: Option<Version>, markers: Option<Markers> },
    /// It holds an entry in a newer version's format: not to be read, nor to be written over.
    Newer,
    /// It did not answer.
    Unreachable,
}

/// What stands in the shared tier, as far as it is good for anything.
pub(crate) enum Content {
    /// A value before its soft deadline.
    Fresh(LocalEntry),
    /// A fallback.
    Stale(LocalEntry),
    /// Nothing.
    Nothing,
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
                Known::Read { content: Content::Nothing, seen: None, markers: None }
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
        let content = match fetched.entry {
            None => Content::Nothing,
            Some(stored) => match Envelope::decode(&stored.value, key) {
                Ok(envelope) => content(&envelope, stored.stale, markers, now, wall),
                Err(reason) => {
                    self.observe(CacheEvent::DecodeFailed { service: key.service(), reason });
                    if reason == DecodeFailure::Newer {
                        return Known::Newer;
                    }
                    Content::Nothing
                }
            },
        };
        Known::Read { content, seen, markers }
    }

    /// Asks for leases; one answer for each request.
    pub(crate) async fn lease(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
        self.timed(Operation::Lease, requests.len(), self.backend.lease_many(requests)).await
    }

    /// Prolongs leases; `false` for one that is lost.
    pub(crate) async fn renew(&self, holds: &[LeaseHold]) -> Answers<bool> {
        self.timed(Operation::Renew, holds.len(), self.backend.renew_many(holds, LEASE)).await
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
        self.read_markers(&[key])
            .await
            .pop()
            .unwrap_or_else(|| Err(self.no_answer(Operation::Markers)))
    }

    /// The markers that are known, and in one call those that are not; none where the store does
    /// not give them.
    pub(crate) async fn complete_markers(
        &self,
        known: impl Iterator<Item = (&Key, Option<Markers>)>,
    ) -> Vec<Option<Markers>> {
        let (keys, mut markers): (Vec<&Key>, Vec<Option<Markers>>) = known.unzip();
        let lacking: Vec<usize> = (0..keys.len()).filter(|at| markers[*at].is_none()).collect();
        if lacking.is_empty() {
            return markers;
        }
        let asked: Vec<&Key> = lacking.iter().map(|at| keys[*at]).collect();
        for (at, answer) in lacking.into_iter().zip(self.read_markers(&asked).await) {
            markers[at] = answer.ok();
        }
        markers
    }

    async fn read_markers(&self, keys: &[&Key]) -> Vec<Result<Markers, Error>> {
        let near = |marker, key: &Key| MarkerRef { marker, near: key.clone() };
        let both =
            |key: &&Key| [near(Marker::Root, key), near(Marker::Service(key.service_name()), key)];
        let at: Vec<MarkerRef> = keys.iter().flat_map(both).collect();
        let seed = MarkerVersion::seed(self.runtime.wall(), self.runtime.random());
        let call = self.backend.markers(&at, seed);
        let mut answers = self.timed(Operation::Markers, at.len(), call).await.into_iter();
        let mut next = || answers.next().unwrap_or_else(|| Err(self.no_answer(Operation::Markers)));
        let mut pair = || {
            let (root, service) = (next(), next());
            Ok(Markers { root: root?, service: service? })
        };
        keys.iter().map(|_| pair()).collect()
    }

    /// Writes entries, each under its markers and its condition.
    pub(crate) async fn write(&self, fills: &[Fill<'_>]) -> Answers<WriteOutcome> {
        if fills.is_empty() {
            return Vec::new();
        }
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
        let (now, wall) = (self.runtime.now(), self.runtime.wall());
        let at = |moment: Mono| match moment.since(now) {
            Duration::ZERO => wall,
            ahead => wall.after(rounded_up(ahead)),
        };
        let mut envelope = Envelope {
            schema: SCHEMA,
            loaded_at: wall,
            soft: wall,
            hard: wall,
            root: markers.root,
            service: markers.service,
            tags: Vec::new(),
            negative: None,
            payload: Bytes::new(),
        };
        let mut ttl = Ttl::MIN;
        if let Some(entry) = entry {
            let payload = entry.to_json().map_err(|source| codec(&source))?;
            envelope.payload = Bytes::copy_from_slice(&payload);
            envelope.loaded_at = entry.loaded_at;
            envelope.soft = at(entry.deadlines.soft);
            envelope.hard = at(entry.deadlines.hard);
            ttl = rounded_up(entry.deadlines.hard.since(now).saturating_add(MARGIN));
        }
        let value = envelope.encode(key).map_err(|source| codec(&source))?;
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

/// What an envelope is good for, under the markers that the store has now.
fn content(
    envelope: &Envelope,
    kept_stale: bool,
    markers: Option<Markers>,
    now: Mono,
    wall: Timestamp,
) -> Content {
    let under = Markers { root: envelope.root, service: envelope.service };
    let is_ours = envelope.schema == SCHEMA
        && markers == Some(under)
        // Whose markers this version does not look at.
        && envelope.tags.is_empty()
        && envelope.negative.is_none();
    if !is_ours || envelope.loaded_at.since(wall) > TOLERANCE || wall >= envelope.hard {
        return Content::Nothing;
    }
    let entry = entry(envelope, now, wall);
    if kept_stale || wall >= envelope.soft { Content::Stale(entry) } else { Content::Fresh(entry) }
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
