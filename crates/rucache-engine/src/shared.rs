//! The shared tier: entries in their envelopes at a backend, under its markers and leases.

mod markers;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rucache_core::envelope::{DecodeFailure, TagVersion};
use rucache_core::{
    Answers, BackOff, Backend, CacheEvent, Companions, Deadlines, Envelope, Error, ErrorKind,
    Fetched, Json, Key, Lease, LeaseEnd, LeaseHold, LeaseRequest, LocalEntry, Mono, Observer,
    Operation, Precondition, Runtime, Timestamp, Ttl, Version, Write, WriteOutcome,
};
use tracing::Instrument;

use crate::negative::{negative, remembered};
use crate::span;

pub(crate) use markers::Markers;

/// How long a lease lasts unless it is prolonged.
pub(crate) const LEASE: Ttl = Ttl::secs(5);

/// How much longer than its hard deadline a store keeps an entry: clocks differ.
const MARGIN: Duration = Duration::from_secs(1);

/// The shape of payloads: JSON, as the value's own type writes it.
const SCHEMA: u32 = 0;

/// A stamp further ahead than this is no stamp of a clock like ours.
const TOLERANCE: Duration = Duration::from_secs(300);

/// A backend as a tier of a cache.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

/// An entry to be written; without one, a sign that there is nothing, gone at once.
#[derive(Clone, Copy)]
pub(crate) struct Fill<'a> {
    pub(crate) key: &'a Key,
    pub(crate) entry: Option<&'a LocalEntry>,
    pub(crate) markers: Markers,
    pub(crate) tags: &'a [TagVersion],
    pub(crate) when: Precondition,
}

/// What the shared tier answered about a key.
pub(crate) enum Answer {
    /// What stands there, and the markers where the store has them.
    Read { found: Option<Found>, seen: Option<Version>, markers: Option<Markers> },
    /// An entry in a newer version's format: not to be read, nor to be written over.
    Newer,
    /// Nothing: it failed.
    Failed(Error),
}

/// An entry under the current markers of everything and of its service.
pub(crate) struct Found {
    pub(crate) entry: LocalEntry,
    /// Whether it is before its soft deadline, and nobody has expired it.
    pub(crate) is_fresh: bool,
    /// Its tags, still to be compared.
    pub(crate) tags: Vec<TagVersion>,
}

impl Shared {
    /// Reads `keys`, each with its markers, in one batch.
    pub(crate) async fn read(&self, keys: &[Key]) -> Vec<Answer> {
        let answers = self
            .timed(Operation::Get, keys.len(), self.backend.get_many(keys, Companions::Markers))
            .await;
        let (now, wall) = (self.runtime.now(), self.runtime.wall());
        let judged = |(key, answer)| match answer {
            Ok(fetched) => self.judge(key, fetched, now, wall),
            Err(error) if Error::kind(&error) == ErrorKind::ForeignValue => {
                Answer::Read { found: None, seen: None, markers: None }
            }
            Err(error) => Answer::Failed(error),
        };
        keys.iter().zip(answers).map(judged).collect()
    }

    fn judge(&self, key: &Key, fetched: Fetched, now: Mono, wall: Timestamp) -> Answer {
        let markers = match (fetched.root, fetched.service) {
            (Some(root), Some(service)) => Some(Markers { root, service }),
            _ => None,
        };
        let seen = fetched.entry.as_ref().map(|stored| stored.version);
        let found = match fetched.entry {
            None => None,
            Some(stored) => match Envelope::decode(&stored.value, key) {
                Ok(envelope) => found(envelope, stored.stale, markers, now, wall),
                Err(reason) => {
                    self.observe(CacheEvent::DecodeFailed { service: key.service(), reason });
                    if reason == DecodeFailure::Newer {
                        return Answer::Newer;
                    }
                    None
                }
            },
        };
        Answer::Read { found, seen, markers }
    }

    /// Asks for leases; one answer for each request.
    pub(crate) async fn lease(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
        self.timed(Operation::Lease, requests.len(), self.backend.lease_many(requests)).await
    }

    /// Prolongs leases; `false` for one that is lost.
    pub(crate) async fn renew(&self, holds: &[LeaseHold]) -> Answers<bool> {
        self.timed(Operation::Renew, holds.len(), self.backend.renew_many(holds, LEASE)).await
    }

    /// Ends leases without a write; where there is a back-off, the fleet does not try again for so
    /// long, and learns how often the load has failed.
    pub(crate) async fn release(&self, ends: Vec<(LeaseHold, Option<(u32, Duration)>)>) {
        if ends.is_empty() {
            return;
        }
        let note = |(failures, span): (u32, Duration)| {
            let ttl = Ttl::try_from(span).ok()?;
            Some(BackOff { note: Bytes::from(failures.to_string()), ttl })
        };
        let end = |(hold, back_off): (LeaseHold, Option<_>)| LeaseEnd {
            hold,
            back_off: back_off.and_then(note),
        };
        let ends: Vec<_> = ends.into_iter().map(end).collect();
        self.timed(Operation::Release, ends.len(), self.backend.release_many(&ends)).await;
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
        let Fill { key, entry, markers, tags, when } = *fill;
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
            tags: tags.to_vec(),
            negative: entry.and_then(negative).map(Arc::unwrap_or_clone),
            payload: Bytes::new(),
        };
        let mut ttl = Ttl::MIN;
        if let Some(entry) = entry {
            if envelope.negative.is_none() {
                let payload = entry.to_json().map_err(|source| codec(&source))?;
                envelope.payload = Bytes::copy_from_slice(&payload);
            }
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

    /// Keeps entries as fallbacks only; `true` where there was one.
    pub(crate) async fn expire(&self, keys: &[Key]) -> Answers<bool> {
        if keys.is_empty() {
            return Vec::new();
        }
        self.timed(Operation::Expire, keys.len(), self.backend.expire_many(keys)).await
    }

    /// A call to the backend, told to the observer; as many answers as there were requests.
    pub(crate) async fn timed<T>(
        &self,
        operation: Operation,
        requests: usize,
        call: impl Future<Output = Answers<T>>,
    ) -> Answers<T> {
        let span = span::backend_call(self.backend.capabilities().name, operation, requests);
        let began = self.runtime.now();
        let mut answers = call.instrument(span.clone()).await;
        answers.resize_with(requests, || Err(self.no_answer(operation)));
        if let Some(error) = answers.iter().find_map(|answer| answer.as_ref().err()) {
            span::failed(&span, error);
        }
        if let Some(observer) = &self.observer {
            let backend = self.backend.capabilities().name;
            let mut failed: Vec<(Option<&str>, ErrorKind)> = Vec::new();
            for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
                let failure = (error.node(), error.kind());
                if !failed.contains(&failure) {
                    failed.push(failure);
                }
            }
            let error = failed.first().map(|(_, kind)| *kind);
            let took = self.runtime.now().since(began);
            observer.record(&CacheEvent::BackendCall { backend, operation, error, took });
            for (node, kind) in failed {
                observer.record(&CacheEvent::BackendFailed { backend, node, kind });
            }
        }
        answers
    }

    pub(crate) fn no_answer(&self, operation: Operation) -> Error {
        Error::new(ErrorKind::Protocol, self.backend.capabilities().name, operation)
    }

    fn observe(&self, event: CacheEvent<'_>) {
        if let Some(observer) = &self.observer {
            observer.record(&event);
        }
    }
}

/// What an envelope is good for, under the markers that the store has now.
fn found(
    envelope: Envelope,
    kept_stale: bool,
    markers: Option<Markers>,
    now: Mono,
    wall: Timestamp,
) -> Option<Found> {
    let under = Markers { root: envelope.root, service: envelope.service };
    let is_ours = envelope.schema == SCHEMA && markers == Some(under);
    if !is_ours || envelope.loaded_at.since(wall) > TOLERANCE || wall >= envelope.hard {
        return None;
    }
    let mut entry = entry(&envelope, now, wall);
    if kept_stale {
        entry.deadlines.soft = entry.deadlines.soft.min(now);
    }
    Some(Found { is_fresh: now < entry.deadlines.soft, entry, tags: envelope.tags })
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
    if let Some(negative) = &envelope.negative {
        return remembered(negative.clone(), envelope.loaded_at, deadlines);
    }
    let weight = u32::try_from(envelope.payload.len()).unwrap_or(u32::MAX);
    let value = Arc::new(Json(envelope.payload.clone()));
    LocalEntry::new(value, envelope.loaded_at, deadlines, weight)
}

/// A span as a TTL; zero is the shortest.
fn rounded_up(span: Duration) -> Ttl {
    Ttl::try_from(span).unwrap_or(Ttl::MIN)
}
