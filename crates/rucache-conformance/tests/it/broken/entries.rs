//! Entries, misread and miswritten.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use rucache_core::{
    Backend, Companions, Error, ErrorKind, Fetched, Key, LeaseEnd, LeaseHold, MarkerVersion,
    Operation, Precondition, Stored, Timestamp, Ttl, Version, Write, WriteOutcome,
};

use super::past::{Act, Past};
use super::{Broken, error, only};

const DAYS_30: Ttl = Ttl::secs(30 * 24 * 3_600);

impl Broken {
    pub(super) async fn read(&self, key: &Key, companions: Companions) -> Fetched {
        let past = self.past(key);
        self.remember(key, |past| past.reads += 1);
        let companions = match self.breaks("companions_come_when_asked_for") {
            true => Companions::Markers,
            false => companions,
        };
        let mut fetched = self.held(key, companions).await;
        fetched.entry = match fetched.entry {
            Some(stored) => self.misread(&past, stored),
            None => self.made_up(&past),
        };
        if self.breaks("companions_are_the_markers") {
            let older = |marker: MarkerVersion| MarkerVersion::from_raw(marker.as_raw() - 1);
            fetched.service = fetched.service.map(older);
        }
        if self.breaks("missing_marker_is_no_companion") && companions == Companions::Markers {
            fetched.service = fetched.service.or(Some(MarkerVersion::from_raw(0)));
        }
        fetched
    }

    /// What the model holds.
    pub(super) async fn held(&self, key: &Key, companions: Companions) -> Fetched {
        let answers = self.inner.get_many(std::slice::from_ref(key), companions).await;
        only(answers).unwrap_or_default()
    }

    fn misread(&self, past: &Past, mut stored: Stored) -> Option<Stored> {
        if self.breaks("empty_value_is_a_value") && stored.value.is_empty() {
            return None;
        }
        stored.version = self.disguised(past, &stored);
        if self.breaks("written_entry_is_read_back") {
            stored.value = String::from_utf8_lossy(&stored.value).into_owned().into();
        }
        if self.breaks("expired_entry_is_kept_as_stale") {
            stored.stale = false;
        }
        if self.breaks("write_after_an_expire_is_fresh") {
            stored.stale |= past.was_expired && past.last == Act::Write;
        }
        Some(stored)
    }

    /// An entry where there is none.
    fn made_up(&self, past: &Past) -> Option<Stored> {
        let ghost = |value: Bytes, stale| {
            Some(Stored { value, version: Version::from_raw(u64::MAX), stale })
        };
        let (value, ttl) = past.value.clone().unwrap_or((Bytes::new(), Ttl::MIN));
        let waited_for = ttl >= Ttl::secs(1);
        if self.breaks("missing_entry_is_a_miss") && past.last == Act::Nothing && past.reads > 0 {
            return ghost(Bytes::new(), false);
        }
        if self.breaks("deleted_entry_is_gone") && past.last == Act::Delete && !past.was_leased {
            return ghost(value, true);
        }
        if self.breaks("entry_is_gone_after_its_ttl")
            && (past.last, past.writes) == (Act::Write, 1)
            && waited_for
        {
            return ghost(value, false);
        }
        if self.breaks("expire_keeps_the_ttl") && past.last == Act::Expire {
            return ghost(value, true);
        }
        if self.breaks("lease_is_no_entry") && past.last == Act::Lease {
            return ghost(Bytes::new(), false);
        }
        None
    }

    /// The version as it is shown.
    fn disguised(&self, past: &Past, stored: &Stored) -> Version {
        let other = Version::from_raw(stored.version.as_raw() | 1 << 60);
        let strange = self.breaks("reads_leave_the_version") && past.reads >= 5
            || self.breaks("refused_write_leaves_the_entry") && past.last == Act::RefusedWrite
            || self.breaks("lease_leaves_the_entry") && past.last == Act::Lease
            || self.breaks("back_off_leaves_the_entry") && past.last == Act::Release;
        if strange {
            return other;
        }
        if self.breaks("every_write_gives_a_new_version") {
            let mut hasher = DefaultHasher::new();
            (&stored.value, stored.stale).hash(&mut hasher);
            return Version::from_raw(hasher.finish());
        }
        if self.breaks("expire_gives_a_new_version") && past.last == Act::Expire {
            return past.before_expire.unwrap_or(other);
        }
        stored.version
    }

    /// The version that the model knows for one that was shown; `None` for one that was made up.
    pub(super) async fn revealed(&self, key: &Key, shown: Version) -> Option<Version> {
        match self.held(key, Companions::None).await.entry {
            None if shown == Version::from_raw(u64::MAX) => None,
            Some(stored) if self.disguised(&self.past(key), &stored) == shown => {
                Some(stored.version)
            }
            _ => Some(shown),
        }
    }

    pub(super) async fn write(&self, mut write: Write) -> Result<WriteOutcome, Error> {
        let limit = self.inner.capabilities().max_value_len;
        if self.breaks("longest_value_is_stored") && write.value.len() == limit {
            return Err(error(ErrorKind::TooLarge, Operation::Write));
        }
        if write.value.len() > limit {
            return self.write_too_large(write).await;
        }
        if self.breaks("any_name_works") && write.key.name().contains(['\u{7f}', '\u{1b}']) {
            return Err(error(ErrorKind::Invalid, Operation::Write));
        }
        let (key, value) = (write.key.clone(), write.value.clone());
        let past = self.past(&key);
        let current = self.held(&key, Companions::None).await.entry;
        let asked = write.when;
        write.when = self.misjudged(&write, &past, current.as_ref()).await;
        write.ttl = self.mistimed(&write, &past);
        if self.breaks("later_write_replaces")
            && let Some(tail) =
                current.and_then(|old| old.value.get(value.len()..).map(<[_]>::to_vec))
        {
            write.value = [&value[..], &tail].concat().into();
        }
        let ttl = write.ttl;
        let outcome = only(self.inner.write_many(&[write]).await)?;
        let over_at_once =
            self.breaks("thirty_days_are_no_date") && ttl >= DAYS_30 && ttl < Ttl::MAX
                || self.breaks("longest_ttl_is_not_over_at_once") && ttl == Ttl::MAX;
        if over_at_once {
            self.inner.delete_many(std::slice::from_ref(&key)).await;
        }
        if outcome == WriteOutcome::Refused {
            self.remember(&key, |past| past.act(Act::RefusedWrite));
            if self.breaks("refused_write_leaves_the_lease")
                && past.token_before.is_none()
                && let Some(token) = past.token
            {
                let hold = LeaseHold { key, token };
                self.inner.release_many(&[LeaseEnd { hold, back_off: None }]).await;
            }
            return Ok(outcome);
        }
        self.remember(&key, |past| {
            let fill = matches!(asked, Precondition::Lease(_));
            past.act(if fill { Act::Fill } else { Act::Write });
            past.writes += 1;
            past.value = Some((value, ttl));
        });
        Ok(outcome)
    }

    async fn write_too_large(&self, write: Write) -> Result<WriteOutcome, Error> {
        let keeps_the_old_one = match write.when {
            Precondition::Always => {
                self.breaks("value_too_large_deletes_the_old_one")
                    && !self.past(&write.key).was_leased
            }
            _ => self.breaks("value_too_large_deletes_the_old_one_under_any_precondition"),
        };
        if keeps_the_old_one {
            return Err(error(ErrorKind::TooLarge, Operation::Write));
        }
        let mut past = self.past(&write.key);
        if self.breaks("value_too_large_voids_the_lease") && past.last == Act::Lease {
            return Err(error(ErrorKind::TooLarge, Operation::Write));
        }
        past.act(Act::RefusedWrite);
        self.remember(&write.key, |remembered| *remembered = past);
        let outcome = only(self.inner.write_many(&[write]).await);
        if self.breaks("longer_value_is_too_large") {
            return Err(error(ErrorKind::Invalid, Operation::Write));
        }
        if self.breaks("error_names_the_backend_and_never_the_key") {
            return Err(Error::new(ErrorKind::TooLarge, "other", Operation::Write));
        }
        outcome
    }

    /// The condition under which the write really happens.
    async fn misjudged(
        &self,
        write: &Write,
        past: &Past,
        current: Option<&Stored>,
    ) -> Precondition {
        // No entry ever has this version.
        let never = Precondition::Version(Version::from_raw(0));
        let stale = current.is_some_and(|stored| stored.stale);
        let (happens, refused) = match write.when {
            Precondition::Always => (false, false),
            Precondition::Absent => (
                self.breaks("absent_is_refused_by_an_entry")
                    && (past.last, past.reads) == (Act::Write, 0)
                    && current.is_some()
                    || self.breaks("absent_is_refused_by_a_stale_entry") && stale,
                self.breaks("absent_holds_where_nothing_is") && past.last == Act::Nothing
                    || self.breaks("absent_holds_while_a_lease_is_out") && past.last == Act::Lease
                    || self.breaks("entry_past_its_ttl_is_none") && past.last == Act::Write,
            ),
            Precondition::Version(shown) => {
                let outdated = match past.last {
                    Act::Write => self.breaks("version_is_refused_after_a_write"),
                    Act::Expire => self.breaks("version_is_refused_after_an_expire"),
                    Act::Delete => self.breaks("version_is_refused_after_a_delete"),
                    _ => false,
                };
                if self.breaks("version_holds_while_it_is_current") && past.last != Act::Lease {
                    (false, true)
                } else if outdated {
                    (true, false)
                } else {
                    let version = self.revealed(&write.key, shown).await.unwrap_or(shown);
                    return Precondition::Version(version);
                }
            }
            Precondition::Lease(token) => return self.misjudged_fill(token, past, current),
        };
        match (happens, refused) {
            (true, _) => Precondition::Always,
            (_, true) => never,
            _ => write.when,
        }
    }

    /// The TTL that the write really gets.
    fn mistimed(&self, write: &Write, past: &Past) -> Ttl {
        let ttl = write.ttl;
        if self.breaks("shortest_ttl_is_not_for_ever") && ttl == Ttl::MIN {
            return Ttl::MAX;
        }
        if self.breaks("ttl_is_never_shortened") && ttl > Ttl::secs(1) {
            return Ttl::secs(ttl.as_millis() / 1_000);
        }
        match &past.value {
            Some((_, first)) if self.breaks("write_sets_the_ttl_anew") => *first,
            _ => ttl,
        }
    }

    pub(super) async fn delete(&self, key: &Key, batch: usize) -> Result<bool, Error> {
        let past = self.past(key);
        let stale = self.held(key, Companions::None).await.entry.is_some_and(|stored| stored.stale);
        let was_there = only(self.inner.delete_many(std::slice::from_ref(key)).await)?;
        self.remember(key, |past| {
            past.act(if was_there { Act::Delete } else { Act::DeleteOfNothing });
            past.counter_restarted = true;
        });
        if self.breaks("map_is_no_entry") {
            let everything =
                self.inner.map_page(key, None, usize::MAX, Timestamp::default()).await?;
            let members: Vec<_> =
                everything.entries.into_iter().map(|entry| entry.member).collect();
            self.inner.map_remove(key, &members, Timestamp::default()).await?;
        }
        if self.breaks("delete_says_whether_there_was_an_entry") && batch == 1 {
            return Ok(was_there || past.last == Act::Delete);
        }
        Ok(was_there && !(stale && self.breaks("delete_counts_a_stale_entry")))
    }

    pub(super) async fn expire(&self, key: &Key) -> Result<bool, Error> {
        let past = self.past(key);
        let before = self.held(key, Companions::None).await.entry.map(|stored| stored.version);
        let was_there = only(self.inner.expire_many(std::slice::from_ref(key)).await)?;
        self.remember(key, |past| {
            past.act(if was_there { Act::Expire } else { Act::ExpireOfNothing });
            past.was_expired = true;
            past.before_expire = before;
        });
        let untouched = past.last == Act::Nothing;
        Ok(was_there || self.breaks("expire_says_whether_there_was_an_entry") && untouched)
    }
}
