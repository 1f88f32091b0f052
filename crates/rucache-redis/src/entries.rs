//! Entries: reading, writing, deleting, expiring them, and their leases.

use bytes::{Buf, Bytes};
use redis::Value;
use rucache_core::backend::MAX_NOTE_LEN;
use rucache_core::{
    Answers, Companions, Fetched, Key, Lease, LeaseEnd, LeaseHold, LeaseRequest, LeaseToken,
    Marker, Operation, Precondition, Stored, Ttl, Version, WireKey, Write, WriteOutcome,
};

use crate::backend::Shared;
use crate::clock::random;
use crate::error::{Cause, Failure};
use crate::marker;
use crate::node::Access;
use crate::request::{Request, flag, string};
use crate::script;

/// Bytes before a value: its state and its version.
const HEAD_LEN: usize = 9;

/// The state of an entry.
const FRESH: u8 = 1;
/// The state of an entry that a caller has expired.
const STALE: u8 = 2;

impl Shared {
    pub(crate) async fn get_many(&self, keys: &[Key], companions: Companions) -> Answers<Fetched> {
        let call = self.call(Access::Entries);
        // Each marker once a batch: the root first, then the services in the order they appear.
        let mut services: Vec<&str> = Vec::new();
        let mut names: Vec<WireKey> = Vec::with_capacity(keys.len() + 2);
        names.extend(keys.iter().map(|key| self.codec.entry(key)));
        if companions == Companions::Markers && !keys.is_empty() {
            names.push(self.codec.marker(&Marker::Root));
            for key in keys {
                let service = key.service();
                if !services.contains(&service) {
                    services.push(service);
                    names.push(self.codec.marker(&Marker::Service(key.service_name())));
                }
            }
        }
        let mut answers = self.fleet.read(names, call).await;
        let markers: Vec<_> =
            answers.drain(keys.len().min(answers.len())..).map(marker::read).collect();
        let fetched = |(key, answer): (&Key, Result<Option<Bytes>, Failure>)| {
            let mut fetched =
                Fetched { entry: answer?.map(stored).transpose()?, ..Fetched::default() };
            if let [root, rest @ ..] = markers.as_slice() {
                let service = match services.as_slice() {
                    [_] => Some(0),
                    _ => services.iter().position(|service| *service == key.service()),
                };
                // A marker that cannot be read is not a marker that is missing.
                fetched.root = root.clone()?;
                fetched.service =
                    service.and_then(|at| rest.get(at)).cloned().transpose()?.flatten();
            }
            Ok(fetched)
        };
        let fetched = keys.iter().zip(answers).map(fetched);
        fetched.map(|one: Result<_, Failure>| one.map_err(|e| e.during(Operation::Get))).collect()
    }

    pub(crate) async fn write_many(&self, writes: &[Write]) -> Answers<WriteOutcome> {
        let request = |write: &Write| {
            if write.value.len() > self.max_value_len {
                // Nothing of the value is sent; what it should have replaced is read no longer.
                return self.entry_request(&script::DELETE, &write.key);
            }
            let mut entry = Vec::with_capacity(HEAD_LEN + write.value.len());
            entry.push(FRESH);
            entry.extend_from_slice(&random().to_be_bytes());
            entry.extend_from_slice(&write.value);
            let (when, proof) = match write.when {
                Precondition::Always => ("always", Vec::new()),
                Precondition::Absent => ("absent", Vec::new()),
                Precondition::Version(version) => {
                    ("version", version.as_raw().to_be_bytes().to_vec())
                }
                Precondition::Lease(token) => ("lease", token.as_raw().to_be_bytes().to_vec()),
            };
            let request = self.entry_request(&script::WRITE, &write.key).arg(when).arg(proof);
            request.arg(entry).arg(write.ttl.as_millis())
        };
        let answers = self.change(writes.iter().map(request).collect()).await;
        let outcome = |(write, answer): (&Write, Result<Value, Failure>)| {
            let done = flag(answer?)?;
            let (len, max) = (write.value.len(), self.max_value_len);
            if len > max {
                return Err(Failure::from(Cause::ValueLen { len, max }));
            }
            Ok(if done { WriteOutcome::Stored } else { WriteOutcome::Refused })
        };
        let outcomes = writes.iter().zip(answers).map(outcome);
        outcomes.map(|one| one.map_err(|failure| failure.during(Operation::Write))).collect()
    }

    pub(crate) async fn delete_many(&self, keys: &[Key]) -> Answers<bool> {
        let request = |key| self.entry_request(&script::DELETE, key);
        self.flags(keys.iter().map(request).collect(), Operation::Delete).await
    }

    pub(crate) async fn expire_many(&self, keys: &[Key]) -> Answers<bool> {
        let version = || random().to_be_bytes();
        let request = |key| self.entry_request(&script::EXPIRE, key).arg(&version()[..]);
        self.flags(keys.iter().map(request).collect(), Operation::Expire).await
    }

    pub(crate) async fn lease_many(&self, requests: &[LeaseRequest]) -> Answers<Lease> {
        let token = |_| LeaseToken::from_raw(u128::from(random()) << 64 | u128::from(random()));
        let tokens: Vec<LeaseToken> = requests.iter().map(token).collect();
        let request = |(request, token): (&LeaseRequest, &LeaseToken)| {
            let seen = request.seen.map(|seen| seen.as_raw().to_be_bytes().to_vec());
            self.entry_request(&script::LEASE, &request.key)
                .arg(seen.unwrap_or_default())
                .arg(&token.as_raw().to_be_bytes()[..])
                .arg(request.ttl.as_millis())
        };
        let answers = self.change(requests.iter().zip(&tokens).map(request).collect()).await;
        let lease = |(token, answer): (LeaseToken, Result<Value, Failure>)| {
            let answer = string(answer?)?.unwrap_or_default();
            match answer.split_first() {
                Some((b'G', [])) => Ok(Lease::Granted(token)),
                Some((b'L', [])) => Ok(Lease::Held),
                Some((b'C', [])) => Ok(Lease::Changed),
                Some((b'N', note)) => Ok(Lease::BackingOff { note: Bytes::copy_from_slice(note) }),
                _ => Err(Failure::from(Cause::Form)),
            }
        };
        let leases = tokens.into_iter().zip(answers).map(lease);
        leases.map(|one| one.map_err(|failure| failure.during(Operation::Lease))).collect()
    }

    pub(crate) async fn renew_many(&self, holds: &[LeaseHold], ttl: Ttl) -> Answers<bool> {
        let request = |hold| self.lease_request(&script::RENEW, hold).arg(ttl.as_millis());
        self.flags(holds.iter().map(request).collect(), Operation::Renew).await
    }

    pub(crate) async fn release_many(&self, ends: &[LeaseEnd]) -> Answers<bool> {
        let note_len = |end: &LeaseEnd| end.back_off.as_ref().map_or(0, |left| left.note.len());
        let fits = |end: &&LeaseEnd| note_len(end) <= MAX_NOTE_LEN;
        let request = |end: &LeaseEnd| {
            let request = self.lease_request(&script::RELEASE, &end.hold);
            match &end.back_off {
                Some(left) => request.arg(&left.note[..]).arg(left.ttl.as_millis()),
                None => request,
            }
        };
        let requests = ends.iter().filter(fits).map(request).collect();
        let mut answers = self.flags(requests, Operation::Release).await.into_iter();
        let answer = |end: &LeaseEnd| match note_len(end) {
            len if len > MAX_NOTE_LEN => {
                Err(Failure::from(Cause::NoteLen { len }).during(Operation::Release))
            }
            _ => answers
                .next()
                .unwrap_or_else(|| Err(Failure::from(Cause::Form).during(Operation::Release))),
        };
        ends.iter().map(answer).collect()
    }

    fn entry_request(&self, script: &redis::Script, key: &Key) -> Request {
        let (entry, lease) = (self.codec.entry(key), self.codec.lease(key));
        Request::script(script, &[entry.as_bytes(), lease.as_bytes()])
    }

    fn lease_request(&self, script: &redis::Script, hold: &LeaseHold) -> Request {
        let lease = self.codec.lease(&hold.key);
        Request::script(script, &[lease.as_bytes()]).arg(&hold.token.as_raw().to_be_bytes()[..])
    }

    async fn flags(&self, requests: Vec<Request>, operation: Operation) -> Answers<bool> {
        let answers = self.change(requests).await.into_iter();
        let read = |answer: Result<Value, Failure>| Ok(flag(answer?)?);
        answers.map(|one| read(one).map_err(|failure: Failure| failure.during(operation))).collect()
    }
}

/// The entry in the bytes of its slot.
fn stored(mut bytes: Bytes) -> Result<Stored, Cause> {
    let (head, _) = bytes.split_first_chunk::<HEAD_LEN>().ok_or(Cause::Foreign)?;
    let [state @ (FRESH | STALE), version @ ..] = *head else { return Err(Cause::Foreign) };
    // In place: a slice would be a second owner, which costs an allocation.
    bytes.advance(HEAD_LEN);
    Ok(Stored {
        value: bytes,
        version: Version::from_raw(u64::from_be_bytes(version)),
        stale: state == STALE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_its_state_its_version_and_its_value() {
        let expected = |stale| Stored {
            value: "hello".into(),
            version: Version::from_raw(0x0102_0304_0506_0708),
            stale,
        };
        let read =
            |state: &[u8]| stored([state, &[1, 2, 3, 4, 5, 6, 7, 8], b"hello"].concat().into());
        assert_eq!(read(&[FRESH]).ok(), Some(expected(false)));
        assert_eq!(read(&[STALE]).ok(), Some(expected(true)));
    }

    #[test]
    fn the_empty_value_is_nine_bytes() {
        let read = stored(vec![1; HEAD_LEN].into()).ok();
        assert_eq!(read.map(|stored| stored.value), Some(Bytes::new()));
    }

    #[test]
    fn what_was_not_written_by_this_cache_is_foreign() {
        for foreign in
            [&b""[..], b"short", &[1; 8], &[0; 20], &[3; 20], b"{\"ruc\":\"20131312955\"}"]
        {
            let read = stored(Bytes::copy_from_slice(foreign));
            assert!(matches!(read, Err(Cause::Foreign)), "{foreign:?}");
        }
    }
}
