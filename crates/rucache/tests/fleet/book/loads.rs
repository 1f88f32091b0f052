//! Loads: one at a time (I3), none held past its deadline (I5), none sooner after a failure than the
//! back-off (I8).

use std::time::Duration;

use super::{Book, Load, Tally, TroubleKind, after, since};
use crate::note::{Moment, Verdict};
use crate::plan::{KEYS, timing};

/// What a busy machine adds to a deadline.
const SLACK: Duration = Duration::from_millis(1_000);

/// How long a lease lasts, and what it may have been on its way.
const LEASE: Duration = Duration::from_secs(6);

/// How much sooner a back-off may be over than it began: what the failure took on its way.
const BACK_OFF_SLACK: Duration = Duration::from_millis(100);

impl Book {
    pub(super) fn judge_loads(&self, breaches: &mut Vec<String>, tally: &mut Tally) {
        for load in &self.loads {
            let ended = load.ended.unwrap_or(load.began);
            tally.alone += usize::from(self.are_bound(load.key, load.asked, ended));
            let lasted = load.ended.map_or(Duration::ZERO, |ended| since(ended, load.began));
            let paused = self.was_trouble(Some(load.process), load.began, ended);
            if lasted > timing().load_deadline + SLACK && !paused {
                breaches.push(format!("I5 went on for {lasted:?}: {load:?}"));
            }
        }
        for key in 0..KEYS {
            let mut loads: Vec<&Load> = self.loads.iter().filter(|load| load.key == key).collect();
            loads.sort_by_key(|load| load.began);
            for pair in loads.windows(2) {
                if let [first, second] = pair {
                    self.judge_pair(first, second, breaches);
                }
            }
        }
    }

    /// Of two loads of a key one after the other.
    fn judge_pair(&self, first: &Load, second: &Load, breaches: &mut Vec<String>) {
        let asked = first.asked.min(second.asked);
        if !self.are_bound(first.key, asked, second.began) {
            return;
        }
        match first.ended {
            Some(ended) if ended <= second.began => {
                let failed = first.verdict == Some(Verdict::Failure);
                let earliest = after(ended, timing().back_off - BACK_OFF_SLACK);
                if failed && second.began < earliest {
                    let too_soon = since(second.began, ended);
                    breaches.push(format!("I8 {too_soon:?} after {first:?}: {second:?}"));
                }
            }
            // One of them may have waited for itself.
            _ if self.holds_unawares(first) || self.holds_unawares(second) => {}
            _ => breaches.push(format!("I3 two at a time: {first:?} {second:?}")),
        }
    }

    /// Whether the fleet's loads of a key are bound to be one at a time from a moment to another:
    /// everything is well, and nobody changes the key.
    fn are_bound(&self, key: usize, from: Moment, to: Moment) -> bool {
        !self.was_changed(key, from, to) && !self.was_trouble(None, from, to)
    }

    /// Whether the process of a load may then have held a lease unawares: it does not wait for its
    /// end, since it may be waiting for itself.
    fn holds_unawares(&self, load: &Load) -> bool {
        self.troubles.iter().any(|trouble| {
            trouble.process == Some(load.process)
                && trouble.kind == TroubleKind::AnswerLost
                && trouble.from <= load.began
                && after(trouble.from, LEASE) >= load.began
        })
    }

    /// Whether a key was being changed at any time between two moments.
    fn was_changed(&self, key: usize, from: Moment, to: Moment) -> bool {
        self.changes.iter().take_while(|change| change.called <= to).any(|change| {
            change.change.covers(key) && change.ended.is_none_or(|(ended, _)| ended >= from)
        })
    }
}
