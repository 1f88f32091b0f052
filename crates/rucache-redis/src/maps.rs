//! Maps with expiry: a hash with the notes and a sorted set with the expiries, in one slot.

use bytes::Bytes;
use redis::{Script, Value};
use rucache_core::backend::MAX_NOTE_LEN;
use rucache_core::{Key, MapEntry, MapPage, Timestamp};

use crate::backend::Shared;
use crate::cluster::slot_of;
use crate::error::{Cause, Failure};
use crate::node::Access;
use crate::request::{Request, list, number, string};
use crate::script;

/// Longest name of a member, in bytes.
const MAX_MEMBER_LEN: usize = 64;

/// Members that one script touches: 500 take the server about 2.5 ms.
const STEP: usize = 500;

/// Scripts in one round trip.
const STEPS: usize = 16;

/// Expired members that one script drops.
const PURGE_STEP: u64 = 1_000;

/// Longest page that is asked for.
const MAX_PAGE: usize = 10_000;

/// The latest expiry: scores are doubles, exact up to here.
const LAST: u64 = 1 << 53;

impl Shared {
    pub(crate) async fn map_put(
        &self,
        map: &Key,
        entries: &[MapEntry],
        now: Timestamp,
    ) -> Result<u64, Failure> {
        entries.iter().try_for_each(check)?;
        let request = |entries: &[MapEntry]| {
            let mut request = self.map_request(&script::MAP_PUT, map).arg(now.as_millis());
            for entry in entries {
                let expires = entry.expires.as_millis().min(LAST);
                request = request.arg(&entry.member).arg(expires).arg(&entry.note[..]);
            }
            request
        };
        self.sum(entries.chunks(STEP).map(request)).await
    }

    pub(crate) async fn map_remove(
        &self,
        map: &Key,
        members: &[String],
        now: Timestamp,
    ) -> Result<u64, Failure> {
        let request = |members: &[String]| {
            self.map_request(&script::MAP_REMOVE, map).arg(now.as_millis()).arg(members)
        };
        self.sum(members.chunks(STEP).map(request)).await
    }

    pub(crate) async fn map_page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Failure> {
        let cursor: u64 = cursor.map_or(Ok(0), str::parse).map_err(|_| Cause::Cursor)?;
        let request = Request::new("HSCAN", &self.codec.map(map))
            .arg(cursor)
            .arg("COUNT")
            .arg(limit.clamp(1, MAX_PAGE));
        let answer = self.fleet.ask(request, self.bulk(Access::Facts)).await?;
        let [next, members] = <[Value; 2]>::try_from(list(answer)?).map_err(|_| Cause::Form)?;
        let mut fields = list(members)?.into_iter();
        let mut page = MapPage { entries: Vec::new(), next: following(next)? };
        while let (Some(member), Some(value)) = (fields.next(), fields.next()) {
            let entry = entry(member, value)?;
            if entry.expires > now {
                page.entries.push(entry);
            }
        }
        Ok(page)
    }

    pub(crate) async fn map_len(&self, map: &Key, now: Timestamp) -> Result<u64, Failure> {
        let (hash, expiries) = self.map_names(map);
        let mut command = redis::cmd("ZCOUNT");
        command.arg(expiries).arg(format!("({}", now.as_millis())).arg("+inf");
        let request = Request::Command(slot_of(hash.as_bytes()), command);
        Ok(number(self.fleet.ask(request, self.bulk(Access::Facts)).await?)?)
    }

    pub(crate) async fn map_purge(&self, map: &Key, now: Timestamp) -> Result<u64, Failure> {
        let mut dropped = 0;
        loop {
            // A deadline for each step: a million members take seconds, and every step is complete.
            let request = self.map_request(&script::MAP_PURGE, map).arg(now.as_millis());
            let step = number(self.fleet.ask(request, self.bulk(Access::Change)).await?)?;
            dropped += step;
            if step < PURGE_STEP {
                return Ok(dropped);
            }
        }
    }

    /// Sends `requests`, a few at a time, within one deadline; the sum of their answers.
    async fn sum(&self, requests: impl Iterator<Item = Request>) -> Result<u64, Failure> {
        let call = self.bulk(Access::Change);
        let mut requests = requests.peekable();
        let mut sum = 0;
        while requests.peek().is_some() {
            let few = requests.by_ref().take(STEPS).collect();
            for answer in self.fleet.send(few, call).await {
                sum += number(answer?)?;
            }
        }
        Ok(sum)
    }

    fn map_request(&self, script: &Script, map: &Key) -> Request {
        let (hash, expiries) = self.map_names(map);
        Request::script(script, &[hash.as_bytes(), expiries.as_bytes()])
    }

    fn map_names(&self, map: &Key) -> (rucache_core::WireKey, String) {
        let hash = self.codec.map(map);
        let expiries = format!("{}:x", hash.as_str());
        (hash, expiries)
    }
}

fn check(entry: &MapEntry) -> Result<(), Cause> {
    match (entry.member.len(), entry.note.len()) {
        (len, _) if len == 0 || len > MAX_MEMBER_LEN => Err(Cause::MemberLen { len }),
        (_, len) if len > MAX_NOTE_LEN => Err(Cause::NoteLen { len }),
        _ => Ok(()),
    }
}

/// The cursor of the next page; the server's zero is the end.
pub(crate) fn following(cursor: Value) -> Result<Option<String>, Cause> {
    let cursor = string(cursor)?.and_then(|cursor| String::from_utf8(cursor).ok());
    cursor.ok_or(Cause::Form).map(|cursor| Some(cursor).filter(|cursor| cursor != "0"))
}

/// A member in its form `expiry:note`.
fn entry(member: Value, value: Value) -> Result<MapEntry, Cause> {
    let member = string(member)?.and_then(|member| String::from_utf8(member).ok());
    let value = Bytes::from(string(value)?.ok_or(Cause::Form)?);
    let colon = value.iter().position(|byte| *byte == b':').ok_or(Cause::Foreign)?;
    let expires = value.get(..colon).and_then(|digits| std::str::from_utf8(digits).ok());
    let expires = expires.and_then(|digits| digits.parse().ok()).ok_or(Cause::Foreign)?;
    Ok(MapEntry {
        member: member.ok_or(Cause::Foreign)?,
        note: value.slice(colon + 1..),
        expires: Timestamp::from_millis(expires),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn a_member_carries_its_expiry_before_its_note() {
        let read = entry(bytes("20131312955"), bytes("1700000000000:a:b")).ok();
        let expected = MapEntry {
            member: "20131312955".to_owned(),
            note: "a:b".into(),
            expires: Timestamp::from_millis(1_700_000_000_000),
        };
        assert_eq!(read, Some(expected));
        for foreign in ["", "17", "x:note", ":note"] {
            assert!(entry(bytes("m"), bytes(foreign)).is_err(), "{foreign:?}");
        }
    }

    #[test]
    fn cursor_zero_is_the_end() {
        assert_eq!(following(bytes("0")).ok(), Some(None));
        assert_eq!(following(bytes("17")).ok(), Some(Some("17".to_owned())));
    }
}
