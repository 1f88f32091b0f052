//! The sliding minute of a fleet, in counters that can only be added to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rucache_core::{Key, KeyKind, ServiceName, Timestamp, Ttl};

use super::counters::{Counters, key};

/// Length of a slot, in milliseconds.
const WIDTH: u64 = 3_000;
/// How far the wall clocks of a fleet may lie apart, in milliseconds.
pub(super) const SKEW: u64 = 1_000;

/// Calls of a fleet, counted by slots of three seconds.
///
/// A call is admitted when the slots that any minute around it can touch hold at most the limit,
/// this call included: a minute, the time a call may take to reach the source, the skew of the
/// clocks, and a slot for the cut at either end. So no sliding minute at the source sees more than
/// the limit, whichever processes the calls come from; the price is that a plan used to the full
/// gives somewhat less than it could.
///
/// Counters only grow, so leave is taken by adding first and looking at the neighbours after: of two
/// processes in neighbouring slots at least one sees the other, and within a slot the sum that an
/// addition returns is its rank. What was added and then refused stays counted, which errs on the
/// safe side, and is rare: full is known without asking.
pub(crate) struct Slots {
    counters: Arc<dyn Counters>,
    service: ServiceName,
    /// Slots that are looked at together.
    span: u64,
    known: BTreeMap<u64, Known>,
    /// Calls that were made while nobody could be told.
    owed: BTreeMap<u64, u64>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    count: u64,
    /// Nobody adds to it any more.
    is_final: bool,
}

/// Whether there is leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// There is, and it is taken.
    Taken,
    /// There is none before `wait` has passed.
    Full { wait: Duration },
    /// The counters cannot be reached.
    Unknown,
}

impl Slots {
    pub(crate) fn new(counters: Arc<dyn Counters>, service: ServiceName, minute: Duration) -> Self {
        let minute = u64::try_from(minute.as_millis()).unwrap_or(u64::MAX / 2);
        let span = (minute + SKEW).div_ceil(WIDTH) + 1;
        let (known, owed) = (BTreeMap::new(), BTreeMap::new());
        Self { counters, service, span, known, owed }
    }

    /// Takes leave for one call at `wall`, if the fleet keeps to `limit` with it.
    pub(crate) async fn take(&mut self, wall: Timestamp, limit: u64) -> Admission {
        let slot = wall.as_millis() / WIDTH;
        self.forget(slot);
        if self.fullest(slot) >= limit {
            return Admission::Full { wait: self.wait(wall, limit) };
        }
        let Some(rank) = self.add(slot).await else { return Admission::Unknown };
        if !self.look(slot, wall).await {
            return Admission::Unknown;
        }
        // Behind this call in its own slot stand others, which look for themselves.
        let others = self.fullest(slot).saturating_sub(self.count(slot));
        if others + rank <= limit {
            return Admission::Taken;
        }
        Admission::Full { wait: self.wait(wall, limit) }
    }

    /// Remembers a call that was made without leave, to be told when the counters are back.
    pub(crate) fn owe(&mut self, wall: Timestamp) {
        let slot = wall.as_millis() / WIDTH;
        *self.owed.entry(slot).or_default() += 1;
    }

    /// Calls that count at `wall`, as far as is known.
    pub(crate) fn used(&self, wall: Timestamp) -> u64 {
        let slot = wall.as_millis() / WIDTH;
        self.sum(slot)
    }

    /// Adds this call, and what is owed; the call's rank in its slot.
    async fn add(&mut self, slot: u64) -> Option<u64> {
        let mut additions = vec![(self.key(slot), 1 + self.owed.get(&slot).copied().unwrap_or(0))];
        let others: Vec<u64> = self.owed.keys().copied().filter(|owed| *owed != slot).collect();
        additions.extend(others.iter().map(|at| (self.key(*at), self.owed[at])));
        let answers = self.counters.add(&additions, self.ttl()).await;
        let rank = answers.first()?.as_ref().ok().copied()?;
        self.owed.remove(&slot);
        self.learn(slot, rank, false);
        for (at, answer) in others.into_iter().zip(answers.into_iter().skip(1)) {
            // What may not have been told is told again: rather a call too many counted than made.
            if let Ok(count) = answer {
                self.owed.remove(&at);
                self.learn(at, count, false);
            }
        }
        Some(rank)
    }

    /// Looks at the slots around, as far as they may have changed; whether all could be read.
    async fn look(&mut self, slot: u64, wall: Timestamp) -> bool {
        let first = (slot + 1).saturating_sub(self.span);
        let is_open = |at: &u64| *at != slot && self.known.get(at).is_none_or(|k| !k.is_final);
        let open: Vec<u64> = (first..=slot + 1).filter(is_open).collect();
        let reads: Vec<(Key, u64)> = open.iter().map(|at| (self.key(*at), 0)).collect();
        let answers = self.counters.add(&reads, self.ttl()).await;
        let is_complete = answers.len() == open.len() && answers.iter().all(Result::is_ok);
        for (at, answer) in open.into_iter().zip(answers) {
            let is_final = wall.as_millis() >= (at + 1) * WIDTH + SKEW;
            if let Ok(count) = answer {
                self.learn(at, count, is_final);
            }
        }
        is_complete
    }

    fn learn(&mut self, slot: u64, count: u64, is_final: bool) {
        let known = self.known.entry(slot).or_insert(Known { count, is_final });
        // A counter that the store has lost begins again; what was seen stays true.
        known.count = known.count.max(count);
        known.is_final |= is_final;
    }

    fn count(&self, slot: u64) -> u64 {
        self.known.get(&slot).map_or(0, |known| known.count)
    }

    /// Calls in the window of slots that ends with `last`.
    fn sum(&self, last: u64) -> u64 {
        let first = (last + 1).saturating_sub(self.span);
        let known = self.known.range(first..=last).map(|(_, known)| known.count);
        let owed = self.owed.range(first..=last).map(|(_, owed)| *owed);
        known.chain(owed).fold(0, u64::saturating_add)
    }

    /// Calls in the fuller of the windows that a call in `slot` counts in: nobody is further ahead
    /// than in the next slot.
    fn fullest(&self, slot: u64) -> u64 {
        self.sum(slot).max(self.sum(slot + 1))
    }

    /// How long until enough slots have passed for one more call.
    fn wait(&self, wall: Timestamp, limit: u64) -> Duration {
        let slot = wall.as_millis() / WIDTH;
        let free = (slot + 1..=slot + self.span).find(|at| self.fullest(*at) < limit);
        let free = free.unwrap_or(slot + self.span);
        Duration::from_millis((free * WIDTH).saturating_sub(wall.as_millis()))
    }

    fn forget(&mut self, slot: u64) {
        let first = (slot + 1).saturating_sub(self.span);
        self.known = self.known.split_off(&first);
        self.owed = self.owed.split_off(&first);
    }

    fn key(&self, slot: u64) -> Key {
        const SLOT: KeyKind = KeyKind::new("slot");
        key(&self.service, SLOT, slot)
    }

    const fn ttl(&self) -> Ttl {
        Ttl::millis(2 * self.span * WIDTH)
    }
}
