//! Looking at the shared tier: entries under markers and tags that are compared, copies noted for
//! the local tier.

use std::sync::Arc;

use rucache_core::envelope::TagVersion;
use rucache_core::observer::TierResult;
use rucache_core::{
    Count, Error, ErrorKind, Key, LocalEntry, Marker, MarkerRef, MarkerVersion, Operation,
    TagCounts, Version,
};

use crate::engine::Engine;
use crate::flight::Ticket;
use crate::negative::is_negative;
use crate::shared::{Answer, Found, Markers, Shared};
use crate::tags::{Tag, Tags};

/// What the shared tier knows of a key, and what the key stood under before it was asked.
pub(crate) struct Look {
    pub(crate) known: Known,
    pub(crate) ticket: Ticket,
}

/// What the shared tier knows of a key.
pub(crate) enum Known {
    /// It answered; the markers where the store has them.
    Read { content: Content, seen: Option<Version>, markers: Option<Markers> },
    /// It holds an entry in a newer version's format: not to be read, nor to be written over.
    Newer,
    /// It did not answer, or may answer with what this process has invalidated.
    Unreachable(Option<Error>),
}

/// What stands in the shared tier, as far as it is good for anything.
pub(crate) enum Content {
    /// A value, or a verdict that there is none, before its soft deadline.
    Fresh(LocalEntry),
    /// A fallback.
    Stale(LocalEntry),
    /// A verdict past its soft deadline: only its record counts.
    Lapsed(LocalEntry),
    /// Nothing.
    Nothing,
}

/// The tags of an entry, with what their markers should be.
struct Tagged {
    at: usize,
    tags: Vec<Arc<Tag>>,
    written: Vec<MarkerVersion>,
    /// Their guards before the markers are read.
    counts: TagCounts,
}

impl Engine {
    /// What the shared tier knows of `keys`. The entries carry the guards of a local copy.
    pub(crate) async fn look(&self, shared: &Shared, keys: &[Key]) -> Vec<Look> {
        let tickets: Vec<Ticket> = keys.iter().map(|key| self.ticket(key)).collect();
        let copied = self.runtime.now();
        // What is delivered while the answer is under way is not in it yet.
        let covered: Vec<bool> = keys.iter().map(|key| self.outbox.covers(key)).collect();
        let mut answers = shared.read(keys).await;
        let counts = self.compare_tags(shared, keys, &tickets, &mut answers).await;
        let looks = keys.iter().zip(covered).zip(tickets).zip(answers.into_iter().zip(counts));
        looks
            .map(|(((key, covered), ticket), (answer, counts))| {
                self.services.count(ticket.service, Count::SharedRead(tier_result(&answer)));
                let known = match answer {
                    _ if covered || self.outbox.covers(key) => Known::Unreachable(None),
                    Answer::Failed(error) => Known::Unreachable(Some(error)),
                    Answer::Newer => Known::Newer,
                    Answer::Read { found, seen, markers } => {
                        self.note_markers(ticket.service, markers);
                        let guarded = |found: Found| Found {
                            entry: found.entry.with_guards(Self::guards(&ticket, copied, counts)),
                            ..found
                        };
                        Known::Read { content: content(found.map(guarded)), seen, markers }
                    }
                };
                Look { known, ticket }
            })
            .collect()
    }

    /// Drops the entries whose tags have changed; the guards of the tags of the others.
    async fn compare_tags(
        &self,
        shared: &Shared,
        keys: &[Key],
        tickets: &[Ticket],
        answers: &mut [Answer],
    ) -> Vec<TagCounts> {
        let mut counts = vec![TagCounts::new(); answers.len()];
        let mut tagged = Vec::new();
        for (at, (key, answer)) in keys.iter().zip(answers.iter_mut()).enumerate() {
            let Answer::Read { found: slot @ Some(_), .. } = answer else { continue };
            let Some(found) = slot.as_mut().filter(|found| !found.tags.is_empty()) else {
                continue;
            };
            match self.tagged(at, key, &found.tags) {
                Some(tags) => tagged.push(tags),
                None => *slot = None,
            }
        }
        let versions = self.tag_versions(shared, keys, tickets, &tagged).await;
        for (Tagged { at, written, counts: noted, .. }, now) in tagged.into_iter().zip(versions) {
            let slot = &mut answers[at];
            match (now, &mut *slot) {
                (Ok(now), _) if now == written => {}
                // It let this call wait once; it is not asked for more.
                (Err(error), _) if error.kind().leaves_write_unknown() => {
                    *slot = Answer::Failed(error);
                }
                (_, Answer::Read { found, .. }) => *found = None,
                _ => {}
            }
            counts[at] = noted;
        }
        counts
    }

    /// The tags of an entry; none where one is to be invalidated yet.
    fn tagged(&self, at: usize, key: &Key, written: &[TagVersion]) -> Option<Tagged> {
        let mut tags = Vec::with_capacity(written.len());
        for tag in written {
            let tag = Key::new(&key.service_name(), &tag.tag).ok()?;
            if self.outbox.covers_tag(&tag) {
                return None;
            }
            tags.push(self.tags.of(&tag));
        }
        let counts = Tags::counts(&tags);
        Some(Tagged { at, tags, written: written.iter().map(|tag| tag.version).collect(), counts })
    }

    /// The markers of the tags of each entry, from copies that are kept true by push, else in one
    /// batch from the store; an error for an entry of which one could not be read.
    async fn tag_versions(
        &self,
        shared: &Shared,
        keys: &[Key],
        tickets: &[Ticket],
        tagged: &[Tagged],
    ) -> Vec<Result<Vec<MarkerVersion>, Error>> {
        let told = self.push.is_trusted();
        let copies = |one: &Tagged| -> Vec<Option<MarkerVersion>> {
            let sum = tickets[one.at].sum;
            let copy = |(tag, (_, count)): (&Arc<Tag>, &(_, u64))| tag.copy(*count, sum);
            one.tags.iter().zip(&one.counts).map(|both| copy(both).filter(|_| told)).collect()
        };
        let copies: Vec<_> = tagged.iter().map(copies).collect();
        let mut asked = Vec::new();
        for (one, copies) in tagged.iter().zip(&copies) {
            let unknown = one.tags.iter().zip(copies).filter(|(_, copy)| copy.is_none());
            asked.extend(unknown.map(|(tag, _)| MarkerRef {
                marker: Marker::Tag(tag.guard.tag.clone()),
                near: keys[one.at].clone(),
            }));
        }
        let mut answers = shared.marker_versions(&asked).await.into_iter();
        let no_answer = || Err(shared.no_answer(Operation::Markers));
        let mut version = |one: &Tagged, place: usize| {
            let version = answers.next().unwrap_or_else(no_answer)?;
            one.tags[place].seen.note(version);
            if told {
                one.tags[place].keep(version, one.counts[place].1, tickets[one.at].sum);
            }
            Ok(version)
        };
        let mut versions = |(one, copies): (&Tagged, Vec<Option<_>>)| {
            let all = copies.into_iter().enumerate();
            // Every answer is taken, also after one that is an error.
            let all: Vec<_> =
                all.map(|(place, copy)| copy.map_or_else(|| version(one, place), Ok)).collect();
            all.into_iter().collect()
        };
        tagged.iter().zip(copies).map(&mut versions).collect()
    }

    /// Takes note of the markers of the service at `place` as the store has them.
    pub(crate) fn note_markers(&self, place: u32, markers: Option<Markers>) {
        if let Some(Markers { root, service }) = markers {
            self.services.seen_root.note(root);
            if let Some(known) = self.services.at(place) {
                known.seen.note(service);
            }
        }
    }

    /// Takes note that the store has raised `marker` to `least` at least, if it is one that can go
    /// back in time.
    pub(crate) fn note_raised(&self, marker: &Marker, least: MarkerVersion) {
        match marker {
            Marker::Root => self.services.seen_root.note(least),
            Marker::Service(name) => {
                if let Some(known) = self.services.at(self.services.place(name.as_str())) {
                    known.seen.note(least);
                }
            }
            Marker::TagEpoch(_) => {}
            Marker::Tag(tag) => self.tags.of(tag).seen.note(least),
        }
    }
}

fn content(found: Option<Found>) -> Content {
    match found {
        None => Content::Nothing,
        Some(Found { entry, is_fresh: true, .. }) => Content::Fresh(entry),
        Some(Found { entry, .. }) if is_negative(&entry) => Content::Lapsed(entry),
        Some(Found { entry, .. }) => Content::Stale(entry),
    }
}

fn tier_result(answer: &Answer) -> TierResult {
    match answer {
        Answer::Read { found: Some(_), .. } => TierResult::Hit,
        Answer::Read { found: None, .. } | Answer::Newer => TierResult::Miss,
        Answer::Failed(error) => match error.kind() {
            ErrorKind::Timeout => TierResult::Timeout,
            ErrorKind::CircuitOpen => TierResult::Skipped,
            _ => TierResult::Error,
        },
    }
}
