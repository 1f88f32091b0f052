//! Changing entries: set, delete, expire, in every tier, fenced against what was begun before.

use std::sync::Arc;

use rucache_core::envelope::EncodeError;
use rucache_core::observer::{Origin, Scope, StoreResult};
use rucache_core::{Error, ErrorKind, Key, Local, LocalEntry, Precondition, WriteOutcome};

use tokio::sync::oneshot;
use tracing::{Instrument, Span};

use crate::engine::Engine;
use crate::flight::Ticket;
use crate::loaded::{Brings, LoadedValue};
use crate::look::{Content, Known};
use crate::make::Made;
use crate::negative::is_negative;
use crate::outbox::Invalidation;
use crate::shared::{Fill, Shared};
use crate::{CacheError, LoadError, Policy};

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Every later read sees it, in this process; in others, once they are told.
    Done,
    /// The shared tier did not say that it has carried it out. This process acts as if it had, and
    /// tells the shared tier to drop the entries as soon as it can be reached.
    Deferred,
}

/// What became of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// Whether there was an entry, as far as is known.
    pub existed: bool,
    /// Whether it is certain that there is none now.
    pub written: Written,
}

/// What stands in a slot: a value and a verdict share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// A value.
    Value,
    /// A verdict that there is none, lapsed or not.
    Verdict,
}

impl Only {
    fn is(self, entry: &LocalEntry) -> bool {
        is_negative(entry) == (self == Self::Verdict)
    }
}

/// An entry under change. However it ends, nothing that was begun before stays in the local tier.
pub(crate) struct Changing<'a> {
    engine: &'a Engine,
    key: &'a Key,
    pub(crate) ticket: Ticket,
    /// What the local tier gets if nobody else has changed the key meanwhile.
    pub(crate) keep: Option<LocalEntry>,
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        let keep = self.keep.take();
        self.engine.flights.end_change(self.key, &self.ticket, |unchanged| {
            let Some(local) = &self.engine.local else { return };
            match keep.filter(|_| unchanged) {
                Some(entry) => local.insert(self.key.clone(), entry),
                None => drop(local.remove(self.key)),
            }
        });
    }
}

impl Engine {
    /// Carries out a change to its end, also when the caller leaves before: an invalidation that the
    /// store may or may not have got must not be forgotten.
    pub(crate) async fn apart<T: Send + 'static, F>(
        &self,
        change: impl FnOnce(Arc<Self>) -> F,
    ) -> Result<T, CacheError>
    where
        F: Future<Output = Result<T, CacheError>> + Send + 'static,
    {
        let cancelled = || Err(LoadError::Cancelled.into());
        let Some(engine) = self.myself.upgrade() else { return cancelled() };
        if self.shared.is_none() {
            // Nothing is waited for.
            return change(engine).await;
        }
        let (sender, receiver) = oneshot::channel();
        let change = change(engine);
        let to_the_end = async move {
            // The caller may have left.
            let _ = sender.send(change.await);
        };
        self.runtime.spawn(Box::pin(to_the_end.instrument(Span::current())));
        receiver.await.unwrap_or_else(|_| cancelled())
    }

    pub(crate) fn changing<'a>(&'a self, key: &'a Key) -> Changing<'a> {
        self.flights.fence(key, || self.local.as_ref().is_some_and(|local| local.remove(key)));
        Changing { engine: self, key, ticket: self.ticket(key), keep: None }
    }

    /// Stores what was brought from outside.
    pub(crate) async fn put(
        &self,
        key: &Key,
        loaded: Result<LoadedValue, LoadError>,
        policy: Policy,
    ) -> Result<Written, CacheError> {
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(LoadError::Absent) => {
                return Ok(self.remove(key, Origin::Local).await?.written);
            }
            Err(error) => return Err(error.into()),
        };
        let (result, len, written) = match (&self.shared, &self.local) {
            (Some(shared), _) => self.put_shared(shared, key, loaded, policy).await,
            (None, Some(local)) => self.put_local(local, key, loaded, policy),
            (None, None) => (StoreResult::Error, 0, Ok(Written::Done)),
        };
        self.note_store(key, self.home(), result, len);
        written
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
                (made.storable, made.len, self.refusal(key, &made).map_or(Ok(Written::Done), Err))
            }
            Err(error) => (StoreResult::Error, 0, Err(of_make(error))),
        }
    }

    async fn put_shared(
        &self,
        shared: &Shared,
        key: &Key,
        loaded: LoadedValue,
        policy: Policy,
    ) -> (StoreResult, usize, Result<Written, CacheError>) {
        let mut change = self.changing(key);
        let at = (self.runtime.now(), self.runtime.wall());
        let needs_prior = !matches!(loaded.brings, Brings::Value(..));
        let made = if needs_prior {
            self.put_over(shared, key, &loaded, policy).await
        } else {
            match self.make(key, loaded, policy, None, at) {
                Ok(made) => Ok((self.write_now(shared, key, &made).await, made)),
                Err(error) => Err(error),
            }
        };
        let (written, made) = match made {
            Ok(made) => made,
            Err(error) => {
                drop(change);
                let removed = if needs_prior { None } else { self.drop_entry(key).await.err() };
                return (StoreResult::Error, 0, Err(removed.unwrap_or_else(|| of_make(error))));
            }
        };
        if let Some(refusal) = self.refusal(key, &made) {
            drop(change);
            // What was there is outdated all the same.
            let removed = self.drop_entry(key).await;
            return (made.storable, made.len, Err(removed.err().unwrap_or(refusal)));
        }
        let guards = Self::guards(&change.ticket, at.0, made.tag_counts());
        let entry = made.entry.clone().with_guards(guards);
        match written {
            Ok(()) => {
                self.outbox.confirmed(Invalidation::Delete(key.clone()), self.runtime.now());
                // While changes are told, the echo of the write would drop a copy that is made now.
                change.keep = (!self.push.is_trusted()).then_some(entry);
                (StoreResult::Stored, made.len, Ok(Written::Done))
            }
            Err(error) if is_final(&error) => (StoreResult::Error, made.len, Err(error.into())),
            Err(_) => {
                change.keep = Some(entry);
                self.defer(Invalidation::Delete(key.clone()));
                (StoreResult::Error, made.len, Ok(Written::Deferred))
            }
        }
    }

    /// Writes an entry without condition.
    async fn write_now(&self, shared: &Shared, key: &Key, made: &Made) -> Result<(), Error> {
        if made.storable != StoreResult::Stored {
            return Ok(());
        }
        self.write_when(shared, key, made, Precondition::Always).await.map(drop)
    }

    async fn write_when(
        &self,
        shared: &Shared,
        key: &Key,
        made: &Made,
        when: Precondition,
    ) -> Result<WriteOutcome, Error> {
        let (markers, tags) = self.marked(shared, key, made).await?;
        let fill = Fill { key, entry: Some(&made.entry), markers, tags: &tags, when };
        shared.write(&[fill]).await.pop().unwrap_or(Ok(WriteOutcome::Refused))
    }

    /// Writes over exactly what was read, as often as it takes: a verdict counts those before it.
    async fn put_over(
        &self,
        shared: &Shared,
        key: &Key,
        loaded: &LoadedValue,
        policy: Policy,
    ) -> Result<(Result<(), Error>, Made), LoadError> {
        let until = self.runtime.now().after(self.timing.hard_timeout);
        loop {
            let (prior, when) = match self.look(shared, std::slice::from_ref(key)).await.pop() {
                Some(look) => match look.known {
                    Known::Read { content, seen, .. } => {
                        let absent = || Precondition::Absent;
                        (prior(content), seen.map_or_else(absent, Precondition::Version))
                    }
                    Known::Newer | Known::Unreachable(_) => (None, Precondition::Always),
                },
                None => (None, Precondition::Always),
            };
            let at = (self.runtime.now(), self.runtime.wall());
            let made = self.make(key, loaded.clone(), policy, prior.as_ref(), at)?;
            match self.write_when(shared, key, &made, when).await {
                Ok(WriteOutcome::Refused) if self.runtime.now() < until => {}
                Ok(WriteOutcome::Refused) => {
                    let name = shared.backend.capabilities().name;
                    let error =
                        Error::new(ErrorKind::Contended, name, rucache_core::Operation::Write);
                    return Ok((Err(error), made));
                }
                Ok(WriteOutcome::Stored) => return Ok((Ok(()), made)),
                Err(error) => return Ok((Err(error), made)),
            }
        }
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

    /// Removes an entry.
    pub(crate) async fn remove(&self, key: &Key, origin: Origin) -> Result<Removed, CacheError> {
        let removed = self.drop_entry(key).await?;
        self.invalidated(key.service(), Scope::Key, origin);
        Ok(removed)
    }

    pub(crate) async fn drop_entry(&self, key: &Key) -> Result<Removed, CacheError> {
        let Some(shared) = &self.shared else {
            let gone = || self.local.as_ref().is_some_and(|local| local.remove(key));
            let was_there = self.kept(key, self.runtime.now()).is_some();
            let existed = self.flights.fence(key, gone) && was_there;
            return Ok(Removed { existed, written: Written::Done });
        };
        let _change = self.changing(key);
        let answer = shared.delete(std::slice::from_ref(key)).await.pop();
        self.conclude(answer, Invalidation::Delete(key.clone()))
    }

    /// Removes an entry if it is what is meant to go.
    pub(crate) async fn remove_only(&self, key: &Key, only: Only) -> Result<Removed, CacheError> {
        let removed = self.drop_only(key, only).await?;
        self.invalidated(key.service(), Scope::Key, Origin::Local);
        Ok(removed)
    }

    async fn drop_only(&self, key: &Key, only: Only) -> Result<Removed, CacheError> {
        let Some(shared) = &self.shared else {
            let now = self.runtime.now();
            let existed = self.flights.fence(key, || {
                self.kept(key, now).is_some_and(|entry| only.is(&entry))
                    && self.local.as_ref().is_some_and(|local| local.remove(key))
            });
            return Ok(Removed { existed, written: Written::Done });
        };
        let _change = self.changing(key);
        let until = self.runtime.now().after(self.timing.hard_timeout);
        loop {
            let look = self.look(shared, std::slice::from_ref(key)).await.pop();
            let Some(Known::Read { content, seen: Some(seen), .. }) = look.map(|look| look.known)
            else {
                // Nothing is there, or what is there cannot be told.
                return self.drop_entry(key).await;
            };
            if !prior(content).is_some_and(|entry| only.is(&entry)) {
                return Ok(Removed { existed: false, written: Written::Done });
            }
            let markers = shared.markers(key).await;
            let answer = match markers {
                Ok(markers) => {
                    // A sign that there is nothing, gone at once.
                    let when = Precondition::Version(seen);
                    let fill = Fill { key, entry: None, markers, tags: &[], when };
                    shared.write(&[fill]).await.pop()
                }
                Err(error) => Some(Err(error)),
            };
            let refused = matches!(answer, Some(Ok(WriteOutcome::Refused)));
            if refused && self.runtime.now() < until {
                continue;
            }
            let answer = answer.map(|answer| answer.map(|_| !refused));
            return self.conclude(answer, Invalidation::Delete(key.clone()));
        }
    }

    /// Keeps an entry as a fallback only.
    pub(crate) async fn expire(&self, key: &Key, origin: Origin) -> Result<Removed, CacheError> {
        let expired = self.expire_entry(key).await?;
        self.invalidated(key.service(), Scope::Key, origin);
        Ok(expired)
    }

    async fn expire_entry(&self, key: &Key) -> Result<Removed, CacheError> {
        // As readers read it: none of them is behind it from now on.
        let now = self.runtime.coarse_now();
        let stale = |mut entry: LocalEntry| {
            entry.deadlines.soft = entry.deadlines.soft.min(now);
            entry.deadlines.early = entry.deadlines.early.min(now);
            entry
        };
        let Some(shared) = &self.shared else {
            let existed = self.flights.fence(key, || {
                let Some(entry) = self.kept(key, now) else { return false };
                if let Some(local) = &self.local {
                    local.insert(key.clone(), stale(entry));
                }
                true
            });
            return Ok(Removed { existed, written: Written::Done });
        };
        let kept = self.kept(key, now);
        let mut change = self.changing(key);
        let answer = shared.expire(std::slice::from_ref(key)).await.pop();
        let removed = self.conclude(answer, Invalidation::Expire(key.clone()))?;
        if removed.written == Written::Deferred {
            change.keep = kept.map(stale);
        }
        Ok(removed)
    }

    fn conclude(
        &self,
        answer: Option<Result<bool, Error>>,
        invalidation: Invalidation,
    ) -> Result<Removed, CacheError> {
        match answer {
            Some(Ok(existed)) => {
                self.outbox.confirmed(invalidation, self.runtime.now());
                Ok(Removed { existed, written: Written::Done })
            }
            Some(Err(error)) if is_final(&error) => Err(error.into()),
            Some(Err(_)) | None => {
                self.defer(invalidation);
                Ok(Removed { existed: false, written: Written::Deferred })
            }
        }
    }
}

/// What a new verdict, or the word that nothing has changed, builds upon.
fn prior(content: Content) -> Option<LocalEntry> {
    match content {
        Content::Fresh(entry) | Content::Stale(entry) | Content::Lapsed(entry) => Some(entry),
        Content::Nothing => None,
    }
}

/// Whether trying again later would end the same way.
pub(crate) fn is_final(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Invalid | ErrorKind::Codec)
}

pub(crate) fn of_make(error: LoadError) -> CacheError {
    match error.cause::<EncodeError>() {
        Some(wrong) => CacheError::Tags(wrong.clone()),
        None => error.into(),
    }
}
