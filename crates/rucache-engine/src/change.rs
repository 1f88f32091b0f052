//! Changing entries: set, delete, expire, in every tier, fenced against what was begun before.

use std::sync::Arc;

use rucache_core::observer::{Origin, Scope};
use rucache_core::{Error, ErrorKind, Key, LocalEntry, Precondition, WriteOutcome};

use tokio::sync::oneshot;
use tracing::{Instrument, Span};

use crate::engine::Engine;
use crate::flight::Ticket;
use crate::look::{Content, Known};
use crate::negative::is_negative;
use crate::outbox::Invalidation;
use crate::shared::Fill;
use crate::{CacheError, LoadError};

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
    pub(crate) key: &'a Key,
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
pub(crate) fn prior(content: Content) -> Option<LocalEntry> {
    match content {
        Content::Fresh(entry) | Content::Stale(entry) | Content::Lapsed(entry) => Some(entry),
        Content::Nothing => None,
    }
}

/// Whether trying again later would end the same way.
pub(crate) fn is_final(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Invalid | ErrorKind::Codec)
}
