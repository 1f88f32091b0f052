//! Permits: the right to load a value outside of this process, under the fences of a load within.
//!
//! A service that is asked over a network has no loader: its client loads. A permit is what such a
//! client holds meanwhile. It names the lease and the markers that the load was begun under, so that
//! any process of the fleet can judge the fill.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rucache_core::observer::StoreResult;
use rucache_core::{
    Count, Error, Key, Lease, LeaseRequest, LeaseToken, MarkerVersion, Precondition, Ttl,
    WriteOutcome,
};
use thiserror::Error as ThisError;

use crate::cache::{Accept, Cacheable};
use crate::engine::Engine;
use crate::find::Found;
use crate::loaded::LoadedValue;
use crate::look::{Content, Known, Look};
use crate::make::Made;
use crate::name::KeyName;
use crate::negative::Verdict;
use crate::notes::not_stored;
use crate::outcome::Hit;
use crate::put::of_make;
use crate::shared::{Fill, Markers, Shared};
use crate::{Cache, CacheError, LoadError, Loaded, Policy};

/// How long a caller waits before it looks again whether the holder has filled.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// The same, after many looks.
const LOOK_AGAIN_AT_MOST: Duration = Duration::from_millis(100);

/// How often an entry may change under a caller who asks for a permit, before it waits.
const CHANGES: usize = 3;

/// The right to load a value, as text of 80 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    token: LeaseToken,
    /// What the load was begun under: everything's marker, the service's, the service's tag epoch.
    under: [u64; 3],
}

/// A text is no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[error("not a lease; send the one that was given, unchanged")]
pub struct InvalidPermit;

impl fmt::Display for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [root, service, epoch] = self.under;
        write!(f, "{}{root:016x}{service:016x}{epoch:016x}", self.token)
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit(…)")
    }
}

impl FromStr for Permit {
    type Err = InvalidPermit;

    fn from_str(text: &str) -> Result<Self, InvalidPermit> {
        if text.len() != 80 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidPermit);
        }
        let (token, under) = text.split_at(32);
        let number = |at: usize| {
            u64::from_str_radix(&under[at * 16..(at + 1) * 16], 16).map_err(|_| InvalidPermit)
        };
        let token = token.parse().map_err(|_| InvalidPermit)?;
        Ok(Self { token, under: [number(0)?, number(1)?, number(2)?] })
    }
}

/// The answer to somebody who would load a value.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Leased<T> {
    /// There is a fresh value, perhaps by now.
    Value(Hit<T>),
    /// There is a verdict that there is none.
    Negative(Verdict),
    /// The caller should load it, and [fill](Cache::fill) under this permit.
    Granted(Permit),
    /// Somebody else is at it, and has not finished in time.
    Held,
    /// The backend cannot tell: whoever loads the value does not store it.
    Unreachable,
}

/// What became of a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// It is stored.
    Done,
    /// The backend did not say whether it is stored.
    Deferred,
    /// Something newer happened since the permit was given, or it has run out: nothing was stored.
    Superseded,
}

impl Cache {
    /// The fresh value of `name`, or the right to load it for `ttl`; whoever does not get it waits
    /// for the one who did, up to `wait`.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub async fn lease<T: Cacheable>(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
        ttl: Ttl,
        wait: Duration,
    ) -> Result<Leased<T>, CacheError> {
        let key = name.in_service(self.service_name())?;
        let engine = self.engine();
        let until = engine.runtime.now().after(wait);
        let mut nap = LOOK_AGAIN;
        let leased = loop {
            let leased = engine.lease_once(&key, ttl).await?;
            let left = until.since(engine.runtime.now());
            if !matches!(leased, Leased::Held) || left.is_zero() {
                break leased;
            }
            engine.runtime.sleep(nap.min(left)).await;
            nap = (nap * 3 / 2).min(LOOK_AGAIN_AT_MOST);
        };
        engine.answered_as(
            &key,
            match &leased {
                Leased::Value(hit) => hit.outcome.from.count(),
                Leased::Negative(_) => Count::NegativeHit,
                Leased::Granted(_) | Leased::Held | Leased::Unreachable => Count::Miss,
            },
        );
        Ok(leased)
    }

    /// Stores what was loaded under `permit` as `name`, unless something newer happened since the
    /// permit was given: a set, a delete, a clear of the service, an invalidated tag.
    ///
    /// # Errors
    ///
    /// Those of [`put`](Self::put).
    pub async fn fill<T: Cacheable>(
        &self,
        name: &(impl KeyName + Sync + ?Sized),
        permit: Permit,
        loaded: Loaded<T>,
        policy: impl Into<Policy>,
    ) -> Result<Filled, CacheError> {
        let key = name.in_service(self.service_name())?;
        let loaded = loaded.measured()?;
        let engine = self.engine();
        let (result, len, filled) = match &engine.shared {
            Some(shared) => engine.fill_shared(shared, &key, permit, loaded, policy.into()).await,
            None => engine.fill_local(&key, permit, loaded, policy.into()),
        };
        engine.note_store(&key, engine.home(), result, len);
        filled
    }
}

/// What is told of a fill: to the counters, and to the caller.
type Told = (StoreResult, usize, Result<Filled, CacheError>);

impl Engine {
    async fn lease_once<T: Cacheable>(&self, key: &Key, ttl: Ttl) -> Result<Leased<T>, CacheError> {
        let Some(shared) = &self.shared else { return Ok(self.lease_local(key, ttl)) };
        if let Some(leased) = known(self.find(key, Accept::Fresh)) {
            return Ok(leased);
        }
        for _ in 0..CHANGES {
            let look = self.look(shared, std::slice::from_ref(key)).await.pop();
            let Some(Look { known: Known::Read { content, seen, markers }, ticket }) = look else {
                return Ok(Leased::Unreachable);
            };
            if let Content::Fresh(_) = content {
                let look = Look { known: Known::Read { content, seen, markers }, ticket };
                if let Some(leased) = known(self.taken(key, look, Accept::Fresh)?) {
                    return Ok(leased);
                }
            }
            let request = LeaseRequest { key: key.clone(), seen, ttl };
            let Some(under) = self.under(shared, key, markers).await else {
                return Ok(Leased::Unreachable);
            };
            match shared.lease(&[request]).await.pop() {
                Some(Ok(Lease::Granted(token))) => {
                    return Ok(Leased::Granted(Permit { token, under }));
                }
                Some(Ok(Lease::Held | Lease::BackingOff { .. })) => return Ok(Leased::Held),
                Some(Ok(Lease::Changed)) => {}
                Some(Err(_)) | None => return Ok(Leased::Unreachable),
            }
        }
        Ok(Leased::Held)
    }

    /// The markers that a load begun now stands under; the lease is asked for afterwards.
    async fn under(
        &self,
        shared: &Shared,
        key: &Key,
        markers: Option<Markers>,
    ) -> Option<[u64; 3]> {
        let markers = match markers {
            Some(markers) => markers,
            None => shared.markers(key).await.ok()?,
        };
        let epoch = shared.epochs(std::slice::from_ref(key)).await.pop()?.ok()?;
        Some([markers.root, markers.service, epoch].map(MarkerVersion::as_raw))
    }

    fn lease_local<T: Cacheable>(&self, key: &Key, ttl: Ttl) -> Leased<T> {
        let now = self.runtime.now();
        let halves = [self.runtime.random(), self.runtime.random()];
        let raw = (u128::from(halves[0]) << 64) | u128::from(halves[1]);
        let ticket = self.ticket(key);
        // Looked at behind the lock, so that nothing is filled between the look and the lease.
        let find = || known(self.find(key, Accept::Fresh));
        let until = now.after(ttl.as_duration());
        match self.flights.lend(key, raw, (now, until), find) {
            Ok(true) => {
                let token = LeaseToken::from_raw(raw);
                Leased::Granted(Permit { token, under: [ticket.sum, 0, ticket.epoch] })
            }
            Ok(false) => Leased::Held,
            Err(leased) => leased,
        }
    }

    fn fill_local(&self, key: &Key, permit: Permit, loaded: LoadedValue, policy: Policy) -> Told {
        let ticket = self.ticket(key);
        let is_old = ticket.sum != permit.under[0]
            || (!loaded.tags.is_empty() && ticket.epoch != permit.under[2]);
        let now = self.runtime.now();
        let stored = self.flights.repay(key, permit.token.as_raw(), now, || {
            if is_old {
                return Ok(None);
            }
            let prior = self.kept(key, now);
            let made =
                self.make(key, loaded, policy, prior.as_ref(), (now, self.runtime.wall()))?;
            if let Some(local) = &self.local {
                if made.storable == StoreResult::Stored {
                    let guards = Self::guards(&ticket, now, made.tag_counts());
                    local.insert(key.clone(), made.entry.clone().with_guards(guards));
                } else {
                    local.remove(key);
                }
            }
            Ok::<_, LoadError>(Some(made))
        });
        self.tidy(1);
        match stored {
            Some(Ok(Some(made))) => {
                self.note_verdict(key, &made);
                let filled = self.refusal(key, &made).map_or(Ok(Filled::Done), Err);
                (made.storable, made.len, filled)
            }
            Some(Ok(None)) | None => (StoreResult::Superseded, 0, Ok(Filled::Superseded)),
            Some(Err(error)) => (StoreResult::Error, 0, Err(of_make(error))),
        }
    }

    async fn fill_shared(
        &self,
        shared: &Shared,
        key: &Key,
        permit: Permit,
        loaded: LoadedValue,
        policy: Policy,
    ) -> Told {
        let at = (self.runtime.now(), self.runtime.wall());
        let made = match self.make(key, loaded, policy, None, at) {
            Ok(made) => made,
            Err(error) => return (StoreResult::Error, 0, Err(of_make(error))),
        };
        if let Some(refusal) = self.refusal(key, &made) {
            // What was there is outdated all the same.
            let removed = self.drop_entry(key).await;
            return (made.storable, made.len, Err(removed.err().unwrap_or(refusal)));
        }
        let mut change = self.changing(key);
        let guards = Self::guards(&change.ticket, at.0, made.tag_counts());
        let superseded = (StoreResult::Superseded, made.len, Ok(Filled::Superseded));
        match self.write_under(shared, key, &made, permit).await {
            Ok(WriteOutcome::Stored) => {
                // While changes are told, the echo of the write would drop a copy that is made now.
                let copies = !self.push.is_trusted();
                change.keep = copies.then(|| made.entry.clone().with_guards(guards));
                self.note_verdict(key, &made);
                (StoreResult::Stored, made.len, Ok(Filled::Done))
            }
            Ok(WriteOutcome::Refused) => superseded,
            Err(error) => (not_stored(&error), made.len, Ok(Filled::Deferred)),
        }
    }

    /// Writes an entry under what its load was begun under, unless that has changed.
    async fn write_under(
        &self,
        shared: &Shared,
        key: &Key,
        made: &Made,
        permit: Permit,
    ) -> Result<WriteOutcome, Error> {
        let marked = self.marked(shared, std::iter::once((key, made))).await.pop();
        let no_answer = || Err(shared.no_answer(rucache_core::Operation::Markers));
        let (markers, tags) = marked.unwrap_or_else(no_answer)?;
        // Read after the tags: an invalidation raises the epoch first.
        let Some(now) = self.under(shared, key, Some(markers)).await else {
            return Err(shared.no_answer(rucache_core::Operation::Markers));
        };
        let untagged = tags.is_empty();
        if now[..2] != permit.under[..2] || (!untagged && now[2] != permit.under[2]) {
            return Ok(WriteOutcome::Refused);
        }
        let when = Precondition::Lease(permit.token);
        let fill = Fill { key, entry: Some(&made.entry), markers, tags: &tags, when };
        shared.write(&[fill]).await.pop().unwrap_or(Ok(WriteOutcome::Refused))
    }
}

/// What a read found, if it found anything.
fn known<T>(found: Found<T>) -> Option<Leased<T>> {
    match found {
        Found::Value(hit) => Some(Leased::Value(hit)),
        Found::Negative(verdict) => Some(Leased::Negative(verdict)),
        Found::Nothing => None,
    }
}
