//! Making the entry of what was brought: its deadlines, its tags, and whether it can be stored.

use std::sync::Arc;

use rucache_core::envelope::{EncodeError, MAX_TAG_LEN, MAX_TAGS};
use rucache_core::observer::StoreResult;
use rucache_core::{Key, LocalEntry, Mono, TagCounts, Timestamp, Value};

use crate::engine::Engine;
use crate::loaded::{Brings, LoadedValue};
use crate::negative::{confirm, negative, remembered};
use crate::tags::{Tag, Tags};
use crate::{LoadError, Policy};

/// An entry to be stored.
pub(crate) struct Made {
    pub(crate) entry: LocalEntry,
    /// Whether it may be stored, and why not.
    pub(crate) storable: StoreResult,
    /// Length of the value as JSON, in bytes.
    pub(crate) len: usize,
    /// Why it has no JSON form.
    pub(crate) codec: Option<Arc<serde_json::Error>>,
    pub(crate) tags: Vec<Arc<Tag>>,
    pub(crate) is_negative: bool,
    pub(crate) is_unmodified: bool,
}

impl Made {
    /// The guards of its tags as they stand now.
    pub(crate) fn tag_counts(&self) -> TagCounts {
        Tags::counts(&self.tags)
    }
}

impl Engine {
    /// The entry of what was brought at `begun` for `key`, where `prior` was there before.
    pub(crate) fn make(
        &self,
        key: &Key,
        loaded: LoadedValue,
        policy: Policy,
        prior: Option<&LocalEntry>,
        (begun, wall): (Mono, Timestamp),
    ) -> Result<Made, LoadError> {
        let random = self.runtime.random();
        let mut tags = self.checked_tags(key, &loaded.tags).map_err(LoadError::failed)?;
        let deadlines = loaded.policy.unwrap_or(policy).deadlines(begun, random);
        let holding = |value: Arc<dyn Value>, len: Option<usize>| {
            let weight = u32::try_from(len.unwrap_or(0)).unwrap_or(u32::MAX);
            (LocalEntry::new(value, wall, deadlines, weight), len)
        };
        let (mut is_unmodified, mut codec) = (false, None);
        let (entry, len) = match loaded.brings {
            Brings::Value(value, Ok(len)) => holding(value, Some(len)),
            Brings::Value(value, Err(error)) => {
                codec = Some(error);
                holding(value, None)
            }
            Brings::Negative(reason) => {
                let before = prior.and_then(negative);
                let verdict = confirm(before.as_deref(), &reason, wall);
                let policy = loaded.policy.unwrap_or(Policy::NEGATIVE);
                let deadlines = policy.verdict_deadlines(begun, random, verdict.attempts);
                (remembered(verdict, wall, deadlines), Some(0))
            }
            Brings::Same => {
                let prior = prior.filter(|prior| negative(prior).is_none());
                let prior = prior.ok_or_else(LoadError::nothing_kept)?;
                is_unmodified = true;
                let kept = prior.guards.tags().iter();
                let is_new = |tag: &Key| tags.iter().all(|known| known.guard.tag != *tag);
                let kept: Vec<_> = kept.filter(|(tag, _)| is_new(&tag.tag)).collect();
                tags.extend(kept.into_iter().map(|(tag, _)| self.tags.of(&tag.tag)));
                if tags.len() > MAX_TAGS {
                    let count = tags.len();
                    return Err(LoadError::failed(EncodeError::TooManyTags { count }));
                }
                let weight = usize::try_from(prior.weight).unwrap_or(usize::MAX);
                holding(prior.shared_value(), Some(weight))
            }
        };
        let storable = self.check_len(key, &tags, len);
        let (len, is_negative) = (len.unwrap_or(0), entry.is_negative());
        Ok(Made { entry, storable, len, codec, tags, is_negative, is_unmodified })
    }

    /// The tags called `names` in the service of `key`.
    fn checked_tags(&self, key: &Key, names: &[String]) -> Result<Vec<Arc<Tag>>, EncodeError> {
        if names.len() > MAX_TAGS {
            return Err(EncodeError::TooManyTags { count: names.len() });
        }
        let service = key.service_name();
        let tag = |name: &String| {
            let wrong = EncodeError::TagLength { len: name.len() };
            let key = Key::new(&service, name).ok().filter(|_| name.len() <= MAX_TAG_LEN);
            Ok(self.tags.of(&key.ok_or(wrong)?))
        };
        names.iter().map(tag).collect()
    }
}
