//! Filling: what was loaded is stored under its lease, unless something newer happened meanwhile.

use std::time::Duration;

use rucache_core::envelope::TagVersion;
use rucache_core::observer::{RefreshResult, StoreResult, Tier};
use rucache_core::{Key, LeaseHold, Marker, MarkerRef, Precondition, TagCounts, WriteOutcome};

use crate::LoadError;
use crate::engine::Engine;
use crate::lease::{Permitted, Place};
use crate::make::Made;
use crate::notes::{not_stored, refreshed};
use crate::shared::{Fill, Shared};
use crate::tags::Tag;

/// A lease that ends without a write, and how often its load has failed for how long a back-off.
type Ended = (LeaseHold, Option<(u32, Duration)>);

/// What a fill writes: an entry with its tags, or a sign that there is nothing.
struct Filling<'a> {
    at: usize,
    place: &'a Place,
    made: Option<&'a Made>,
    tags: Vec<TagVersion>,
    /// What becomes of it when the store does as told.
    result: StoreResult,
}

impl Engine {
    /// Stores what was brought, ends the leases and the flights.
    pub(crate) async fn fill(
        &self,
        shared: &Shared,
        permitted: Vec<Permitted>,
        answers: Vec<Result<Made, LoadError>>,
    ) {
        // Noted before the markers of the tags are read: a copy is outdated by what follows.
        let counts: Vec<TagCounts> = answers
            .iter()
            .map(|answer| answer.as_ref().map(Made::tag_counts).unwrap_or_default())
            .collect();
        let now = self.runtime.now();
        let back_off = |permitted: &Permitted, answer: &Result<Made, LoadError>| match answer {
            Ok(_) | Err(LoadError::Absent | LoadError::Overloaded) => None,
            Err(_) => Some(self.flights.set_back(&permitted.leader.key, now, &self.timing)),
        };
        let back_offs: Vec<_> =
            permitted.iter().zip(&answers).map(|(one, answer)| back_off(one, answer)).collect();
        let (results, ended) = self.store_all(shared, &permitted, &answers, &back_offs).await;
        let mut failed = Vec::new();
        let ends = permitted.into_iter().zip(answers).zip(results.into_iter().zip(counts));
        for (((one, answer), (result, counts)), back_off) in ends.zip(back_offs) {
            let (key, span) = (one.leader.key.clone(), back_off.map(|(_, span)| span));
            match answer {
                Ok(made) => {
                    self.note_refresh(&one.leader, refreshed(&made));
                    let len = made.len;
                    if result == StoreResult::Stored {
                        self.note_verdict(&key, &made);
                    }
                    let stored = self.keep(one, made, result, counts);
                    let result = match result {
                        StoreResult::Stored if !stored => StoreResult::Superseded,
                        result => result,
                    };
                    self.note_store(&key, Tier::Shared, result, len);
                }
                Err(LoadError::Absent) => {
                    let forget = || self.local.as_ref().is_some_and(|local| local.remove(&key));
                    failed.push((one.leader.fail_absent(forget), self.timing.back_off));
                }
                Err(error) => {
                    self.note_refresh(&one.leader, RefreshResult::Failed);
                    match span {
                        Some(span) => failed.push((one.leader.fail(error), span)),
                        None => drop(one.leader.fail(error)),
                    }
                }
            }
        }
        self.back_off(failed);
        // Nobody waits for that.
        shared.release(ended).await;
    }

    /// Ends a flight with what was loaded; whether the shared tier has stored it.
    ///
    /// While changes are told, the next read makes the local copy: the echo of the fill would drop
    /// one that is made now.
    fn keep(&self, one: Permitted, made: Made, result: StoreResult, counts: TagCounts) -> bool {
        let Permitted { leader, place, .. } = one;
        let (key, ticket) = (leader.key.clone(), leader.ticket);
        let outdated = !counts.is_empty() && self.services.epoch(ticket.service) != ticket.epoch;
        let in_doubt = matches!(result, StoreResult::Error | StoreResult::Refused)
            && made.storable == StoreResult::Stored;
        let copies = !outdated
            && !self.push.is_trusted()
            && (result == StoreResult::Stored || in_doubt || place.is_none());
        // What it was made of may have changed elsewhere from then on.
        let copied = made.entry.deadlines.loaded;
        let guards = Self::guards(&ticket, copied, counts);
        leader.complete(made.entry, |entry, current| {
            if let Some(local) = self.local.as_ref().filter(|_| current) {
                if copies && made.storable == StoreResult::Stored {
                    local.insert(key.clone(), entry.with_guards(guards));
                } else {
                    local.remove(&key);
                }
            }
            // The lease was the fill's: what has come since is newer in the shared tier too.
            result == StoreResult::Stored
        })
    }

    /// Stores what was brought and ends the other leases; what became of each.
    async fn store_all(
        &self,
        shared: &Shared,
        permitted: &[Permitted],
        answers: &[Result<Made, LoadError>],
        back_offs: &[Option<(u32, Duration)>],
    ) -> (Vec<StoreResult>, Vec<Ended>) {
        let mut results = vec![StoreResult::Error; permitted.len()];
        let (mut fillings, mut ended) = (Vec::new(), Vec::new());
        for (at, (one, answer)) in permitted.iter().zip(answers).enumerate() {
            let Some(place) = &one.place else { continue };
            let ticket = one.leader.ticket;
            let (made, result) = match answer {
                // This process has cleared its service: nobody would read it.
                Ok(_) if self.services.cleared(ticket.service) != ticket.cleared => {
                    ended.push((place.hold.clone(), None));
                    results[at] = StoreResult::Superseded;
                    continue;
                }
                Ok(made) if made.storable == StoreResult::Stored => (Some(made), made.storable),
                // Too large, or certainly absent: the older value must not outlive it, and a newer
                // one must not be touched.
                Ok(made) => (None, made.storable),
                Err(LoadError::Absent) => (None, StoreResult::Stored),
                Err(_) => {
                    ended.push((place.hold.clone(), back_offs[at]));
                    continue;
                }
            };
            fillings.push(Filling { at, place, made, tags: Vec::new(), result });
        }
        self.tag(shared, permitted, &mut fillings).await;
        let mut fills = Vec::with_capacity(fillings.len());
        for filling in fillings.iter().filter(|one| one.result != StoreResult::Superseded) {
            let key = &permitted[filling.at].leader.key;
            let markers = match cfg!(mutant = "markers-before-load") {
                true => shared.markers(key).await.unwrap_or(filling.place.markers),
                false => filling.place.markers,
            };
            let when = match cfg!(mutant = "lease-fence") {
                true => Precondition::Always,
                false => Precondition::Lease(filling.place.hold.token),
            };
            let entry = filling.made.map(|made| &made.entry);
            fills.push(Fill { key, entry, markers, tags: &filling.tags, when });
        }
        let mut outcomes = shared.write(&fills).await.into_iter();
        for filling in &fillings {
            results[filling.at] = match filling.result {
                StoreResult::Superseded => {
                    ended.push((filling.place.hold.clone(), None));
                    StoreResult::Superseded
                }
                result => match outcomes.next() {
                    Some(Ok(WriteOutcome::Stored)) => result,
                    Some(Ok(WriteOutcome::Refused)) => StoreResult::Superseded,
                    outcome @ (Some(Err(_)) | None) => {
                        // Filled or not, it is not to be held any longer.
                        ended.push((filling.place.hold.clone(), None));
                        self.lease_may_be_held(&filling.place.hold.key);
                        let error = outcome.and_then(Result::err);
                        error.as_ref().map_or(StoreResult::Error, not_stored)
                    }
                },
            };
        }
        (results, ended)
    }

    /// Notes the markers of the tags of what is to be stored; what was loaded while a tag of its
    /// service was invalidated may be older than that, and is superseded.
    async fn tag(&self, shared: &Shared, permitted: &[Permitted], fillings: &mut [Filling<'_>]) {
        let key = |filling: &Filling<'_>| permitted[filling.at].leader.key.clone();
        let mut asked = Vec::new();
        for filling in &*fillings {
            let near = key(filling);
            asked.extend(filling.tags_of().iter().map(|tag| MarkerRef {
                marker: Marker::Tag(tag.guard.tag.clone()),
                near: near.clone(),
            }));
        }
        if asked.is_empty() {
            return;
        }
        let mut versions = shared.marker_versions(&asked).await.into_iter();
        for filling in fillings.iter_mut().filter(|filling| filling.is_tagged()) {
            let mut known = Vec::new();
            for tag in filling.tags_of() {
                // Every answer is taken, also after one that is an error.
                let version = versions.next().and_then(Result::ok);
                known.push(version.map(|version| {
                    tag.seen.note(version);
                    TagVersion { tag: tag.guard.tag.name().to_owned(), version }
                }));
            }
            match known.into_iter().collect() {
                Some(tags) => filling.tags = tags,
                None => filling.result = StoreResult::Superseded,
            }
        }
        // Read after the tags: an invalidation raises the epoch first.
        let tagged: Vec<Key> =
            fillings.iter().filter(|one| !one.tags.is_empty()).map(&key).collect();
        let mut epochs = shared.epochs(&tagged).await.into_iter();
        for filling in fillings.iter_mut().filter(|filling| !filling.tags.is_empty()) {
            let epoch = epochs.next().and_then(Result::ok);
            let is_same = epoch.is_some() && epoch == filling.place.epoch;
            if !is_same && !cfg!(mutant = "tag-epoch") {
                filling.result = StoreResult::Superseded;
            }
        }
    }
}

impl<'a> Filling<'a> {
    fn tags_of(&self) -> &'a [std::sync::Arc<Tag>] {
        self.made.map_or(&[], |made| &made.tags)
    }

    fn is_tagged(&self) -> bool {
        !self.tags_of().is_empty()
    }
}
