//! The contract's operations, one key at a time, run to their end.

use bytes::Bytes;
use rucache_core::{
    Answers, BackOff, Companions, Error, ErrorKind, Fetched, Key, Lease, LeaseEnd, LeaseHold,
    LeaseRequest, LeaseToken, MapEntry, MapPage, Marker, MarkerRef, MarkerVersion, Precondition,
    Stored, Timestamp, Ttl, Version, Write, WriteOutcome,
};

use super::{Env, random};
use crate::Failure;

/// What a key holds while a clause looks at other things.
pub(crate) const LONG: Ttl = Ttl::MEDIUM;

/// Reading and writing.
impl Env {
    pub(crate) fn fetch(&self, key: &Key, companions: Companions) -> Result<Fetched, Failure> {
        self.one(self.backend().get_many(std::slice::from_ref(key), companions))
    }

    pub(crate) fn read(&self, key: &Key) -> Result<Option<Stored>, Failure> {
        Ok(self.fetch(key, Companions::None)?.entry)
    }

    /// The value of `key`, stale or not.
    pub(crate) fn value(&self, key: &Key) -> Result<Option<Bytes>, Failure> {
        Ok(self.read(key)?.map(|stored| stored.value))
    }

    /// The version of an entry that must be there.
    pub(crate) fn version(&self, key: &Key) -> Result<Version, Failure> {
        let stored = self.read(key)?;
        stored.map(|stored| stored.version).ok_or_else(|| Failure::new("the entry is not there"))
    }

    pub(crate) fn write(
        &self,
        key: &Key,
        value: impl Into<Bytes>,
        ttl: Ttl,
        when: Precondition,
    ) -> Result<WriteOutcome, Failure> {
        let write = Write { key: key.clone(), value: value.into(), ttl, when };
        self.one(self.backend().write_many(std::slice::from_ref(&write)))
    }

    /// A write that must end in an error, and its kind.
    pub(crate) fn write_error(&self, write: Write) -> Result<Error, Failure> {
        let answers = self.run(self.backend().write_many(&[write]))?;
        match answers.into_iter().next() {
            Some(Err(error)) => Ok(error),
            other => Err(Failure::new(format!("wanted an error, found {other:?}"))),
        }
    }

    /// Writes unconditionally for as long as any clause runs.
    pub(crate) fn set(&self, key: &Key, value: impl Into<Bytes>) -> Result<(), Failure> {
        self.set_for(key, value, LONG)
    }

    pub(crate) fn set_for(
        &self,
        key: &Key,
        value: impl Into<Bytes>,
        ttl: Ttl,
    ) -> Result<(), Failure> {
        match self.write(key, value, ttl, Precondition::Always)? {
            WriteOutcome::Stored => Ok(()),
            WriteOutcome::Refused => Err(Failure::new("an unconditional write was refused")),
        }
    }

    pub(crate) fn delete(&self, key: &Key) -> Result<bool, Failure> {
        self.one(self.backend().delete_many(std::slice::from_ref(key)))
    }

    pub(crate) fn expire(&self, key: &Key) -> Result<bool, Failure> {
        self.one(self.backend().expire_many(std::slice::from_ref(key)))
    }
}

/// Leases.
impl Env {
    pub(crate) fn lease_for(
        &self,
        key: &Key,
        seen: Option<Version>,
        ttl: Ttl,
    ) -> Result<Lease, Failure> {
        let request = LeaseRequest { key: key.clone(), seen, ttl };
        self.one(self.backend().lease_many(std::slice::from_ref(&request)))
    }

    /// Asks for the lease of the entry as it is.
    pub(crate) fn lease(&self, key: &Key) -> Result<Lease, Failure> {
        let seen = self.read(key)?.map(|stored| stored.version);
        self.lease_for(key, seen, LONG)
    }

    /// The lease of the entry as it is, which must be free.
    pub(crate) fn take(&self, key: &Key) -> Result<LeaseToken, Failure> {
        self.take_for(key, LONG)
    }

    /// The same for `ttl`.
    pub(crate) fn take_for(&self, key: &Key, ttl: Ttl) -> Result<LeaseToken, Failure> {
        let seen = self.read(key)?.map(|stored| stored.version);
        granted(self.lease_for(key, seen, ttl)?)
    }

    pub(crate) fn fill(&self, key: &Key, token: LeaseToken) -> Result<WriteOutcome, Failure> {
        self.write(key, "filled", LONG, Precondition::Lease(token))
    }

    pub(crate) fn renew(&self, key: &Key, token: LeaseToken, ttl: Ttl) -> Result<bool, Failure> {
        self.one(self.backend().renew_many(&[LeaseHold { key: key.clone(), token }], ttl))
    }

    pub(crate) fn release(&self, key: &Key, token: LeaseToken) -> Result<bool, Failure> {
        self.end(key, token, None)
    }

    pub(crate) fn back_off(
        &self,
        key: &Key,
        token: LeaseToken,
        note: impl Into<Bytes>,
        ttl: Ttl,
    ) -> Result<bool, Failure> {
        self.end(key, token, Some(BackOff { note: note.into(), ttl }))
    }

    fn end(
        &self,
        key: &Key,
        token: LeaseToken,
        back_off: Option<BackOff>,
    ) -> Result<bool, Failure> {
        let hold = LeaseHold { key: key.clone(), token };
        self.one(self.backend().release_many(&[LeaseEnd { hold, back_off }]))
    }
}

/// Counters, markers and maps.
impl Env {
    pub(crate) fn add(&self, counter: &Key, delta: u64, ttl: Ttl) -> Result<u64, Failure> {
        self.one(self.backend().add_many(&[(counter.clone(), delta)], ttl))
    }

    /// A seed that no marker has had.
    pub(crate) fn seed(&self) -> MarkerVersion {
        MarkerVersion::seed(self.wall(), random())
    }

    /// The marker as it stands near `near`, created if it is missing.
    pub(crate) fn marker(&self, marker: &Marker, near: &Key) -> Result<MarkerVersion, Failure> {
        self.marker_or(marker, near, self.seed())
    }

    pub(crate) fn marker_or(
        &self,
        marker: &Marker,
        near: &Key,
        seed: MarkerVersion,
    ) -> Result<MarkerVersion, Failure> {
        let at = [MarkerRef { marker: marker.clone(), near: near.clone() }];
        self.one(self.backend().markers(&at, seed))
    }

    pub(crate) fn bump(&self, marker: &Marker) -> Result<(), Failure> {
        self.bump_or(marker, self.seed())
    }

    pub(crate) fn bump_or(&self, marker: &Marker, seed: MarkerVersion) -> Result<(), Failure> {
        self.one(self.backend().bump(std::slice::from_ref(marker), seed))
    }

    pub(crate) fn map_put(
        &self,
        map: &Key,
        entries: &[MapEntry],
        now: Timestamp,
    ) -> Result<u64, Failure> {
        Ok(self.run(self.backend().map_put(map, entries, now))??)
    }

    pub(crate) fn map_remove(
        &self,
        map: &Key,
        members: &[String],
        now: Timestamp,
    ) -> Result<u64, Failure> {
        Ok(self.run(self.backend().map_remove(map, members, now))??)
    }

    pub(crate) fn map_page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Failure> {
        Ok(self.run(self.backend().map_page(map, cursor, limit, now))??)
    }

    pub(crate) fn map_len(&self, map: &Key, now: Timestamp) -> Result<u64, Failure> {
        Ok(self.run(self.backend().map_len(map, now))??)
    }

    pub(crate) fn map_purge(&self, map: &Key, now: Timestamp) -> Result<u64, Failure> {
        Ok(self.run(self.backend().map_purge(map, now))??)
    }

    fn one<T: Send>(&self, answers: impl Future<Output = Answers<T>> + Send) -> Result<T, Failure> {
        let mut answers = self.run(answers)?;
        match (answers.pop(), answers.len()) {
            (Some(answer), 0) => Ok(answer?),
            (_, more) => Err(Failure::new(format!("one question got {more} answers besides one"))),
        }
    }
}

/// The kind of an error, for clauses that want one.
pub(crate) fn is_kind(error: &Error, kind: ErrorKind) -> Result<(), Failure> {
    crate::failure::same("kind of the error", error.kind(), kind)
}

fn granted(lease: Lease) -> Result<LeaseToken, Failure> {
    match lease {
        Lease::Granted(token) => Ok(token),
        other => Err(Failure::new(format!("the lease was not granted: {other:?}"))),
    }
}

/// A token that no backend has given out.
pub(crate) fn nobodys_token() -> LeaseToken {
    LeaseToken::from_raw((u128::from(random()) << 64) | u128::from(random()))
}
