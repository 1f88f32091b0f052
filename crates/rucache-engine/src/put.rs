//! Storing what was brought from outside: one entry, or many in one batch.

use std::sync::Arc;

use rucache_core::envelope::{EncodeError, TagVersion};
use rucache_core::observer::{Origin, StoreResult};
use rucache_core::{
    Error, ErrorKind, Key, Local, Marker, MarkerRef, Operation, Precondition, WriteOutcome,
};

use crate::change::{Changing, Written, is_final, prior};
use crate::engine::Engine;
use crate::loaded::{Brings, LoadedValue};
use crate::look::Known;
use crate::make::Made;
use crate::notes::not_stored;
use crate::outbox::Invalidation;
use crate::shared::{Fill, Markers, Shared};
use crate::{CacheError, LoadError, Policy};

/// What became of an entry, and its length as JSON.
type Told = (StoreResult, usize, Result<Written, CacheError>);

/// An entry about to be written.
struct Putting<'a> {
    at: usize,
    change: Changing<'a>,
    made: Made,
}

impl Engine {
    /// Stores what was brought from outside.
    pub(crate) async fn put(
        &self,
        key: &Key,
        loaded: Result<LoadedValue, LoadError>,
        policy: Policy,
    ) -> Result<Written, CacheError> {
        let put = self.put_many(std::slice::from_ref(key), vec![loaded], policy).await.pop();
        put.unwrap_or(Ok(Written::Done))
    }

    /// Stores what was brought from outside for each of `keys`; one answer for each. Values go to the
    /// shared tier in one batch, verdicts one by one.
    pub(crate) async fn put_many(
        &self,
        keys: &[Key],
        loaded: Vec<Result<LoadedValue, LoadError>>,
        policy: Policy,
    ) -> Vec<Result<Written, CacheError>> {
        let mut told: Vec<Option<Told>> = keys.iter().map(|_| None).collect();
        let mut puttings = Vec::new();
        for (at, (key, loaded)) in keys.iter().zip(loaded).enumerate() {
            told[at] = match (loaded, &self.shared, &self.local) {
                (Err(LoadError::Absent), ..) => {
                    let removed = self.remove(key, Origin::Local).await;
                    Some((StoreResult::Stored, 0, removed.map(|removed| removed.written)))
                }
                (Err(error), ..) => Some((StoreResult::Error, 0, Err(error.into()))),
                (Ok(loaded), Some(_), _) if matches!(loaded.brings, Brings::Value(..)) => {
                    match self.putting(at, key, loaded, policy).await {
                        Ok(putting) => {
                            puttings.push(putting);
                            None
                        }
                        Err(told) => Some(told),
                    }
                }
                (Ok(loaded), Some(shared), _) => {
                    Some(self.put_over(shared, key, &loaded, policy).await)
                }
                (Ok(loaded), None, Some(local)) => Some(self.put_local(local, key, loaded, policy)),
                (Ok(_), None, None) => None,
            };
        }
        if let Some(shared) = self.shared.as_ref().filter(|_| !puttings.is_empty()) {
            let outcomes = self.write_all(shared, &puttings).await;
            for (putting, outcome) in puttings.into_iter().zip(outcomes) {
                let at = putting.at;
                told[at] = Some(self.settle_put(putting, outcome));
            }
        }
        let tell = |(key, told): (&Key, Option<Told>)| {
            let (result, len, written) = told.unwrap_or((StoreResult::Error, 0, Ok(Written::Done)));
            self.note_store(key, self.home(), result, len);
            written
        };
        keys.iter().zip(told).map(tell).collect()
    }

    fn put_local(
        &self,
        local: &Arc<dyn Local>,
        key: &Key,
        loaded: LoadedValue,
        policy: Policy,
    ) -> (StoreResult, usize, Result<Written, CacheError>) {
        let ticket = self.ticket(key);
        let now = self.runtime.now();
        let made = self.flights.fence(key, || {
            // Looked at behind the fence, so that every verdict counts.
            let prior = self.kept(key, now);
            let at = (now, self.runtime.wall());
            let made = self.make(key, loaded, policy, prior.as_ref(), at);
            if made.is_err() {
                // What was there is outdated all the same.
                local.remove(key);
            }
            let made = made?;
            if made.storable == StoreResult::Stored {
                let guards = Self::guards(&ticket, now, made.tag_counts());
                local.insert(key.clone(), made.entry.clone().with_guards(guards));
            } else {
                // What was there is outdated all the same.
                local.remove(key);
            }
            Ok::<_, LoadError>(made)
        });
        self.tidy(1);
        match made {
            Ok(made) => {
                self.note_verdict(key, &made);
                (made.storable, made.len, self.refusal(key, &made).map_or(Ok(Written::Done), Err))
            }
            Err(error) => (StoreResult::Error, 0, Err(of_make(error))),
        }
    }

    /// An entry to be written; what cannot be stored takes what was there along.
    async fn putting<'a>(
        &'a self,
        at: usize,
        key: &'a Key,
        loaded: LoadedValue,
        policy: Policy,
    ) -> Result<Putting<'a>, Told> {
        let change = self.changing(key);
        let begun = (self.runtime.now(), self.runtime.wall());
        let (result, len, refusal) = match self.make(key, loaded, policy, None, begun) {
            Err(error) => (StoreResult::Error, 0, of_make(error)),
            Ok(made) => match self.refusal(key, &made) {
                None => return Ok(Putting { at, change, made }),
                Some(refusal) => (made.storable, made.len, refusal),
            },
        };
        drop(change);
        let removed = self.drop_entry(key).await;
        Err((result, len, Err(removed.err().unwrap_or(refusal))))
    }

    /// Writes entries without condition, in one batch with the markers they stand under.
    async fn write_all(&self, shared: &Shared, puttings: &[Putting<'_>]) -> Vec<Result<(), Error>> {
        let marked = self.marked(shared, puttings.iter().map(|one| (one.change.key, &one.made)));
        let marked = marked.await;
        let mut fills = Vec::with_capacity(puttings.len());
        for (putting, marked) in puttings.iter().zip(&marked) {
            if let Ok((markers, tags)) = marked {
                fills.push(Fill {
                    key: putting.change.key,
                    entry: Some(&putting.made.entry),
                    markers: *markers,
                    tags,
                    when: Precondition::Always,
                });
            }
        }
        let mut outcomes = shared.write(&fills).await.into_iter();
        let no_answer = || Err(shared.no_answer(Operation::Write));
        marked
            .iter()
            .map(|marked| match marked {
                Ok(_) => outcomes.next().unwrap_or_else(no_answer).map(drop),
                Err(error) => Err(error.clone()),
            })
            .collect()
    }

    /// What a write came to: confirmed, to be delivered as a removal, or refused for good.
    fn settle_put(&self, putting: Putting<'_>, outcome: Result<(), Error>) -> Told {
        let Putting { mut change, made, .. } = putting;
        let guards = Self::guards(&change.ticket, made.entry.deadlines.loaded, made.tag_counts());
        if outcome.is_ok() {
            self.note_verdict(change.key, &made);
        }
        let entry = made.entry.with_guards(guards);
        match outcome {
            Ok(()) => {
                let written = Invalidation::Delete(change.key.clone());
                self.outbox.confirmed(written, self.runtime.now());
                // While changes are told, the echo of the write would drop a copy that is made now.
                change.keep = (!self.push.is_trusted()).then_some(entry);
                (StoreResult::Stored, made.len, Ok(Written::Done))
            }
            Err(error) if is_final(&error) => (StoreResult::Error, made.len, Err(error.into())),
            Err(error) => {
                change.keep = Some(entry);
                self.defer(Invalidation::Delete(change.key.clone()));
                (not_stored(&error), made.len, Ok(Written::Deferred))
            }
        }
    }

    /// Writes over exactly what was read, as often as it takes: a verdict counts those before it.
    async fn put_over(
        &self,
        shared: &Shared,
        key: &Key,
        loaded: &LoadedValue,
        policy: Policy,
    ) -> Told {
        let change = self.changing(key);
        let until = self.runtime.now().after(self.timing.hard_timeout);
        loop {
            let look = self.look(shared, std::slice::from_ref(key)).await.pop();
            let (prior, when) = match look.map(|look| look.known) {
                Some(Known::Read { content, seen, .. }) => {
                    let absent = || Precondition::Absent;
                    (prior(content), Ok(seen.map_or_else(absent, Precondition::Version)))
                }
                // It would not take the write either.
                Some(Known::Unreachable(Some(error))) => (None, Err(error)),
                _ => (None, Ok(Precondition::Always)),
            };
            let begun = (self.runtime.now(), self.runtime.wall());
            let made = match self.make(key, loaded.clone(), policy, prior.as_ref(), begun) {
                Ok(made) => made,
                Err(error) => return (StoreResult::Error, 0, Err(of_make(error))),
            };
            let outcome = match when {
                Ok(when) => self.write_when(shared, key, &made, when).await,
                Err(error) => Err(error),
            };
            let outcome = match outcome {
                Ok(WriteOutcome::Refused) if self.runtime.now() < until => continue,
                Ok(WriteOutcome::Refused) => {
                    let name = shared.backend.capabilities().name;
                    Err(Error::new(ErrorKind::Contended, name, Operation::Write))
                }
                Ok(WriteOutcome::Stored) => Ok(()),
                Err(error) => Err(error),
            };
            return self.settle_put(Putting { at: 0, change, made }, outcome);
        }
    }

    async fn write_when(
        &self,
        shared: &Shared,
        key: &Key,
        made: &Made,
        when: Precondition,
    ) -> Result<WriteOutcome, Error> {
        let no_answer = || Err(shared.no_answer(Operation::Markers));
        let marked = self.marked(shared, std::iter::once((key, made))).await.pop();
        let (markers, tags) = marked.unwrap_or_else(no_answer)?;
        let fill = Fill { key, entry: Some(&made.entry), markers, tags: &tags, when };
        shared.write(&[fill]).await.pop().unwrap_or(Ok(WriteOutcome::Refused))
    }

    /// The markers of entries that are written now: everything's and the services', the tags'.
    pub(crate) async fn marked<'a>(
        &self,
        shared: &Shared,
        entries: impl Iterator<Item = (&'a Key, &'a Made)>,
    ) -> Vec<Result<(Markers, Vec<TagVersion>), Error>> {
        let entries: Vec<(&Key, &Made)> = entries.collect();
        let mut asked = Vec::new();
        for (key, made) in &entries {
            asked.extend(made.tags.iter().map(|tag| MarkerRef {
                marker: Marker::Tag(tag.guard.tag.clone()),
                near: (*key).clone(),
            }));
        }
        let keys: Vec<&Key> = entries.iter().map(|(key, _)| *key).collect();
        let markers = shared.markers_of(&keys);
        let (markers, versions) =
            futures_util::future::join(markers, shared.marker_versions(&asked)).await;
        let mut versions = versions.into_iter();
        let mut marked = |((key, made), markers): (&(&Key, &Made), Result<Markers, Error>)| {
            // Every answer is taken, also after one that is an error.
            let tags: Vec<_> = made
                .tags
                .iter()
                .map(|tag| {
                    let version = versions.next()?.ok()?;
                    tag.seen.note(version);
                    Some(TagVersion { tag: tag.guard.tag.name().to_owned(), version })
                })
                .collect();
            let markers = markers?;
            self.note_markers(self.services.place(key.service()), Some(markers));
            let no_answer = || shared.no_answer(Operation::Markers);
            let tags: Option<Vec<_>> = tags.into_iter().collect();
            Ok((markers, tags.ok_or_else(no_answer)?))
        };
        entries.iter().zip(markers).map(&mut marked).collect()
    }

    /// Why an entry is not stored.
    pub(crate) fn refusal(&self, key: &Key, made: &Made) -> Option<CacheError> {
        match (&made.codec, made.storable) {
            (Some(source), _) => Some(CacheError::Codec(source.clone())),
            (None, StoreResult::Stored) => None,
            (None, _) => {
                Some(CacheError::TooLarge { len: made.len, max: self.limit(key, &made.tags) })
            }
        }
    }
}

pub(crate) fn of_make(error: LoadError) -> CacheError {
    match error.cause::<EncodeError>() {
        Some(wrong) => CacheError::Tags(wrong.clone()),
        None => error.into(),
    }
}
