//! Entries and leases: each a [`Slot`] under the entry's name.

use bytes::Bytes;

use super::super::{PutIf, Slot, Store};
use super::Emulated;
use super::swap::Next;
use crate::backend::MAX_NOTE_LEN;
use crate::{
    Change, Error, ErrorKind, Fetched, Key, Lease, LeaseEnd, LeaseHold, LeaseRequest, LeaseToken,
    Operation, Precondition, Timestamp, Ttl, Version, Write, WriteOutcome,
};

use crate::Backend;

impl<S: Store> Emulated<S> {
    pub(super) async fn read_one(&self, key: &Key) -> Result<Fetched, Error> {
        let Some(item) = self.store.get(self.codec.entry(key).as_str()).await? else {
            return Ok(Fetched::default());
        };
        match Slot::decode(&item.bytes) {
            Some(slot) => {
                Ok(Fetched { entry: slot.read(self.runtime.wall()), ..Fetched::default() })
            }
            None => Err(self.error(ErrorKind::ForeignValue, Operation::Get)),
        }
    }

    pub(super) async fn write_one(&self, write: &Write) -> Result<WriteOutcome, Error> {
        if write.value.len() > self.capabilities().max_value_len {
            // The caller has a newer value: the old one must not be read again.
            self.delete_one(&write.key).await?;
            return Err(self.error(ErrorKind::TooLarge, Operation::Write));
        }
        let fresh = self.fresh_version();
        let outcome = if write.when == Precondition::Always {
            let now = self.runtime.wall();
            let mut slot = Slot::default();
            let outcome = slot.write(write.value.clone(), write.ttl, write.when, now, fresh);
            let (bytes, ttl) = (slot.encode(), remaining(&slot, now));
            self.store
                .put(self.codec.entry(&write.key).as_str(), bytes, ttl, PutIf::Always)
                .await?;
            outcome
        } else {
            self.change(&write.key, Operation::Write, |slot, now| {
                let value = write.value.clone();
                let outcome = slot.write(value, write.ttl, write.when, now, fresh);
                (outcome, outcome == WriteOutcome::Stored)
            })
            .await?
        };
        if outcome == WriteOutcome::Stored {
            self.tell_entry(&write.key);
        }
        Ok(outcome)
    }

    pub(super) async fn delete_one(&self, key: &Key) -> Result<bool, Error> {
        let was_there =
            self.change(key, Operation::Delete, |slot, now| (slot.delete(now), true)).await?;
        self.tell_entry(key);
        Ok(was_there)
    }

    pub(super) async fn expire_one(&self, key: &Key) -> Result<bool, Error> {
        let fresh = self.fresh_version();
        let was_there = self
            .change(key, Operation::Expire, |slot, now| (slot.expire(now, fresh), true))
            .await?;
        self.tell_entry(key);
        Ok(was_there)
    }

    pub(super) async fn lease_one(&self, request: &LeaseRequest) -> Result<Lease, Error> {
        let token = (u128::from(self.runtime.random()) << 64) | u128::from(self.runtime.random());
        let token = LeaseToken::from_raw(token);
        self.change(&request.key, Operation::Lease, |slot, now| {
            let lease = slot.lease(request.seen, request.ttl, now, token);
            let granted = matches!(lease, Lease::Granted(_));
            (lease, granted)
        })
        .await
    }

    pub(super) async fn renew_one(&self, hold: &LeaseHold, ttl: Ttl) -> Result<bool, Error> {
        self.change(&hold.key, Operation::Renew, |slot, now| {
            let renewed = slot.renew(hold.token, ttl, now);
            (renewed, renewed)
        })
        .await
    }

    pub(super) async fn release_one(&self, end: &LeaseEnd) -> Result<bool, Error> {
        if end.back_off.as_ref().is_some_and(|back_off| back_off.note.len() > MAX_NOTE_LEN) {
            let limit = "the back-off note is longer than 64 bytes; shorten it";
            return Err(self.error(ErrorKind::Invalid, Operation::Release).with_source(limit));
        }
        self.change(&end.hold.key, Operation::Release, |slot, now| {
            let released = slot.release(end.hold.token, end.back_off.as_ref(), now);
            (released, released)
        })
        .await
    }

    /// Changes a slot by `step`, which says its answer and whether it changed anything.
    async fn change<T: Send>(
        &self,
        key: &Key,
        operation: Operation,
        mut step: impl FnMut(&mut Slot, Timestamp) -> (T, bool) + Send,
    ) -> Result<T, Error> {
        self.swap(self.codec.entry(key).as_str(), operation, |bytes: Option<&Bytes>, now| {
            let mut slot = bytes.and_then(Slot::decode).unwrap_or_default();
            let (answer, changed) = step(&mut slot, now);
            let next = if !changed {
                Next::Keep
            } else if slot.is_empty(now) {
                Next::Remove
            } else {
                Next::Put(slot.encode(), remaining(&slot, now))
            };
            Ok((answer, next))
        })
        .await
    }

    fn fresh_version(&self) -> Version {
        Version::from_raw(self.runtime.random())
    }

    fn tell_entry(&self, key: &Key) {
        self.tell(&Change::Entries(vec![key.clone()]));
    }
}

/// How long the store must keep `slot`: through the last millisecond of its life.
fn remaining(slot: &Slot, now: Timestamp) -> Ttl {
    let last = slot.last_alive().unwrap_or_default().as_millis();
    Ttl::millis(last.saturating_sub(now.as_millis()).saturating_add(1))
}
