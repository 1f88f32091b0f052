//! The outbox: invalidations that the shared tier has not confirmed, and those it might forget.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rucache_core::{Key, Marker, Mono, ServiceName};

/// Most keys that wait; beyond it the whole service is invalidated in their place.
const CAPACITY: usize = 10_000;

/// For how long a confirmed invalidation is remembered, should a server lose it in a fail-over.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Something that makes entries at the shared tier outdated; doing it twice is doing it once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Invalidation {
    /// An entry is removed.
    Delete(Key),
    /// An entry is kept as a fallback only.
    Expire(Key),
    /// A marker is raised.
    Raise(Marker),
}

impl Invalidation {
    /// The service to invalidate as a whole where single entries are too many.
    fn service(&self) -> Option<ServiceName> {
        match self {
            Self::Delete(key) | Self::Expire(key) => Some(key.service_name()),
            Self::Raise(Marker::Tag(tag)) => Some(tag.service_name()),
            Self::Raise(_) => None,
        }
    }
}

/// Invalidations to be delivered, newest per key, and those confirmed a short while ago.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// How many wait: asked on every read of the shared tier.
    waiting: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By what they touch; the number tells a newer one from an older.
    waiting: HashMap<Slot, (Invalidation, u64)>,
    next: u64,
    confirmed: VecDeque<(Mono, Invalidation)>,
    /// Services of which more was confirmed than is remembered.
    coarse: BTreeMap<ServiceName, Mono>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Slot {
    Entry(Key),
    Marker(Marker),
}

impl Slot {
    fn of(invalidation: &Invalidation) -> Self {
        match invalidation {
            Invalidation::Delete(key) | Invalidation::Expire(key) => Self::Entry(key.clone()),
            Invalidation::Raise(marker) => Self::Marker(marker.clone()),
        }
    }
}

impl Outbox {
    /// How many invalidations wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Keeps `invalidation` until it is delivered.
    pub(crate) fn put(&self, invalidation: Invalidation) {
        let mut state = self.lock();
        let slot = Slot::of(&invalidation);
        let is_new = !state.waiting.contains_key(&slot);
        let room = is_new && state.waiting.len() >= CAPACITY;
        let invalidation = match invalidation.service().filter(|_| room) {
            Some(service) => {
                state.waiting.retain(|_, (kept, _)| kept.service().as_ref() != Some(&service));
                Invalidation::Raise(Marker::Service(service))
            }
            None => invalidation,
        };
        let id = state.next;
        state.next += 1;
        let slot = Slot::of(&invalidation);
        let kept = state.waiting.entry(slot).or_insert_with(|| (invalidation.clone(), id));
        // What was to be removed is not only expired.
        if !matches!(kept.0, Invalidation::Delete(_)) {
            kept.0 = invalidation;
        }
        kept.1 = id;
        self.recount(&state);
    }

    /// Whether what the shared tier has of `key` may be outdated.
    pub(crate) fn covers(&self, key: &Key) -> bool {
        if self.len() == 0 || cfg!(mutant = "outbox-barrier") {
            return false;
        }
        let waiting = &self.lock().waiting;
        let has = |marker| waiting.contains_key(&Slot::Marker(marker));
        waiting.contains_key(&Slot::Entry(key.clone()))
            || has(Marker::Root)
            || has(Marker::Service(key.service_name()))
    }

    /// Whether what the shared tier has under `tag` may be outdated.
    pub(crate) fn covers_tag(&self, tag: &Key) -> bool {
        self.len() > 0 && self.lock().waiting.contains_key(&Slot::Marker(Marker::Tag(tag.clone())))
    }

    /// Whether `invalidation` is of a tag whose epoch is still to be raised before it.
    pub(crate) fn waits_for_epoch(&self, invalidation: &Invalidation) -> bool {
        let Invalidation::Raise(Marker::Tag(tag)) = invalidation else { return false };
        let epoch = Marker::TagEpoch(tag.service_name());
        self.lock().waiting.contains_key(&Slot::Marker(epoch))
    }

    /// Everything that waits, oldest first.
    pub(crate) fn waiting(&self) -> Vec<(Invalidation, u64)> {
        let mut waiting: Vec<_> = self.lock().waiting.values().cloned().collect();
        waiting.sort_unstable_by_key(|(_, id)| *id);
        waiting
    }

    /// Forgets what was delivered, unless something newer stands in its place; remembers that it was
    /// confirmed.
    pub(crate) fn delivered(&self, invalidation: &Invalidation, id: u64, now: Mono) {
        let mut state = self.lock();
        let slot = Slot::of(invalidation);
        if state.waiting.get(&slot).is_some_and(|(_, current)| *current == id) {
            state.waiting.remove(&slot);
        }
        state.remember(invalidation.clone(), now);
        self.recount(&state);
    }

    /// Takes note that the shared tier has confirmed `invalidation`, which nothing older may follow.
    pub(crate) fn confirmed(&self, invalidation: Invalidation, now: Mono) {
        let mut state = self.lock();
        if !state.waiting.is_empty() {
            let slot = Slot::of(&invalidation);
            // To be expired is less than to be removed.
            let settles = |kept: &Invalidation| {
                !matches!((kept, &invalidation), (Invalidation::Delete(_), Invalidation::Expire(_)))
            };
            if state.waiting.get(&slot).is_some_and(|(kept, _)| settles(kept)) {
                state.waiting.remove(&slot);
            }
            self.recount(&state);
        }
        state.remember(invalidation, now);
    }

    /// Puts what was confirmed in the last minute among what is to be delivered.
    pub(crate) fn again(&self, now: Mono) {
        let mut state = self.lock();
        state.forget(now);
        let coarse = std::mem::take(&mut state.coarse);
        let confirmed = std::mem::take(&mut state.confirmed);
        drop(state);
        let services = coarse.into_keys().map(|name| Invalidation::Raise(Marker::Service(name)));
        confirmed
            .into_iter()
            .map(|(_, invalidation)| invalidation)
            .chain(services)
            .for_each(|invalidation| self.put(invalidation));
    }

    fn recount(&self, state: &State) {
        self.waiting.store(state.waiting.len(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remember(&mut self, invalidation: Invalidation, now: Mono) {
        self.forget(now);
        if self.confirmed.len() >= CAPACITY
            && let Some((at, oldest)) = self.confirmed.pop_front()
            && let Some(service) = oldest.service()
        {
            self.coarse.insert(service, at);
        }
        self.confirmed.push_back((now, invalidation));
    }

    fn forget(&mut self, now: Mono) {
        let is_old = |at: Mono| now.since(at) > REMEMBERED;
        while self.confirmed.front().is_some_and(|(at, _)| is_old(*at)) {
            self.confirmed.pop_front();
        }
        self.coarse.retain(|_, at| !is_old(*at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::parse(name).unwrap()
    }

    fn delete(name: &str) -> Invalidation {
        Invalidation::Delete(key(name))
    }

    fn at(secs: u64) -> Mono {
        Mono::default().after(Duration::from_secs(1_000 + secs))
    }

    #[test]
    fn newest_of_a_key_stands_for_all_and_a_delete_for_an_expire() {
        let outbox = Outbox::default();
        outbox.put(delete("a:x"));
        outbox.put(Invalidation::Expire(key("a:x")));
        outbox.put(Invalidation::Expire(key("a:y")));
        outbox.put(delete("a:y"));
        let mut waiting: Vec<_> = outbox.waiting().into_iter().map(|(one, _)| one).collect();
        waiting.sort_by_key(|one| format!("{one:?}").len());
        assert_eq!(outbox.len(), 2);
        assert!(waiting.iter().all(|one| matches!(one, Invalidation::Delete(_))), "{waiting:?}");
    }

    #[test]
    fn what_comes_while_it_is_delivered_is_delivered_again() {
        let outbox = Outbox::default();
        outbox.put(delete("a:x"));
        let (sent, id) = outbox.waiting().remove(0);
        outbox.put(delete("a:x"));
        outbox.delivered(&sent, id, at(0));
        assert_eq!(outbox.len(), 1);
        let (sent, id) = outbox.waiting().remove(0);
        outbox.delivered(&sent, id, at(0));
        assert_eq!(outbox.len(), 0);
    }

    #[test]
    fn key_is_covered_by_what_waits_for_it_its_service_or_everything() {
        let outbox = Outbox::default();
        let covered = || [outbox.covers(&key("a:x")), outbox.covers(&key("ab:x"))];
        assert_eq!(covered(), [false, false]);
        for (invalidation, expected) in [
            (delete("a:x"), [true, false]),
            (Invalidation::Raise(Marker::Service(key("a:x").service_name())), [true, false]),
            (Invalidation::Raise(Marker::Tag(key("a:x"))), [false, false]),
            (Invalidation::Raise(Marker::Root), [true, true]),
        ] {
            outbox.put(invalidation.clone());
            assert_eq!(covered(), expected, "{invalidation:?}");
            outbox.confirmed(invalidation, at(0));
            assert_eq!(covered(), [false, false]);
        }
        outbox.put(Invalidation::Raise(Marker::Tag(key("a:red"))));
        assert!(outbox.covers_tag(&key("a:red")) && !outbox.covers_tag(&key("a:blue")));
    }

    #[test]
    fn overflow_becomes_a_change_of_the_service_and_other_services_keep_theirs() {
        let outbox = Outbox::default();
        outbox.put(delete("b:x"));
        (0..CAPACITY).for_each(|n| outbox.put(delete(&format!("a:{n}"))));
        assert_eq!(outbox.len(), 2);
        assert!(outbox.covers(&key("a:anything")) && outbox.covers(&key("b:x")));
        assert!(!outbox.covers(&key("b:y")));
    }

    #[test]
    fn what_was_confirmed_is_sent_again_for_a_minute() {
        let outbox = Outbox::default();
        outbox.confirmed(delete("a:old"), at(0));
        outbox.confirmed(delete("a:new"), at(30));
        outbox.again(at(61));
        assert_eq!(
            outbox.waiting().into_iter().map(|(one, _)| one).collect::<Vec<_>>(),
            [delete("a:new")]
        );
        assert!(outbox.covers(&key("a:new")) && !outbox.covers(&key("a:old")));
    }
}
