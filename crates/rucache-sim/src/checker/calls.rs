//! Calls: what they end in (I4, I7, P1, P4), and for how long they may take (I9).

use rucache_core::Key;
use rucache_engine::ServedFrom;

use super::record::{Call, CallEnd, Failure, KeyChange, Moment, Origin};
use super::{Answer, Book, CallId, ChangeEnd, SLACK, Seen, What};
use crate::setup::CALL_TIMEOUT;
use crate::source::Fact;

/// Calls to the store that a read or a change may make, one after the other.
const MAX_STORE_CALLS: u32 = 12;

impl Book {
    pub(crate) fn called(&mut self, process: u64, what: What) -> CallId {
        let id = self.calls.len();
        self.note(|| format!("p{process} #{id} {what}"));
        let called = self.moment();
        let keys: Vec<Key> =
            self.setup.keys.iter().filter(|key| what.covers(key)).cloned().collect();
        for key in keys {
            let floor = match what {
                What::Set(_, version) => version,
                _ => self.version(&key),
            };
            self.changes.entry(key).or_default().push(KeyChange { call: id, floor });
        }
        self.tally.called(&what);
        self.calls.push(Call { process, what, called, ended: None });
        self.open_calls.insert(id);
        CallId(id)
    }

    pub(crate) fn written(
        &mut self,
        call: CallId,
        key: &Key,
        version: u64,
        tags: Vec<&'static str>,
    ) -> Fact {
        self.value(key, version, tags, Origin::Set(call.0))
    }

    pub(crate) fn answered(&mut self, call: CallId, answers: Vec<(Key, Answer)>) {
        for (key, answer) in &answers {
            self.note(|| format!("#{} {key}: {}", call.0, text(answer)));
        }
        let ended = self.end(call, CallEnd::Answered);
        for (key, answer) in answers {
            self.tally.answered(&answer);
            match answer {
                Answer::Value(seen) => self.judge_value(call.0, &key, &seen),
                Answer::Nothing => {}
                Answer::Failed(failure) => self.judge_failure(call.0, &key, &failure, ended),
            }
        }
    }

    pub(crate) fn changed(&mut self, call: CallId, end: ChangeEnd) {
        self.note(|| format!("#{} {end:?}", call.0));
        self.tally.changed(end);
        if end == ChangeEnd::Failed {
            let what = self.calls[call.0].what.to_string();
            self.violate("P1", || format!("#{} ({what}) failed", call.0));
        }
        self.end(call, CallEnd::Changed(end));
    }

    pub(crate) fn dropped(&mut self, call: CallId) {
        self.note(|| format!("#{} dropped", call.0));
        self.tally.dropped += 1;
        self.end(call, CallEnd::Dropped);
    }

    /// Looks at calls and loads that go on.
    pub(crate) fn watch(&mut self) {
        let late = self.open_calls.iter().find(|id| self.is_late(&self.calls[**id])).copied();
        if let Some(id) = late {
            let what = self.calls[id].what.to_string();
            self.violate("I9", || format!("#{id} ({what}) has no answer yet"));
        }
        self.watch_loads();
    }

    fn end(&mut self, call: CallId, end: CallEnd) -> Moment {
        let moment = self.moment();
        let is_late = self.is_late(&self.calls[call.0]);
        let call_id = call.0;
        self.open_calls.remove(&call_id);
        if let Some(call) = self.calls.get_mut(call_id) {
            call.ended = Some((moment, end));
        }
        if is_late && end != CallEnd::Dropped {
            let call = &self.calls[call_id];
            let (what, took) = (call.what.to_string(), moment.at.since(call.called.at));
            self.violate("I9", || format!("#{call_id} ({what}) was answered after {took:?}"));
        }
        moment
    }

    fn is_late(&self, call: &Call) -> bool {
        let patience = match call.what.loads() {
            true => self.setup.timing.hard_timeout,
            false => MAX_STORE_CALLS * CALL_TIMEOUT,
        };
        self.now.since(call.called.at) > patience + SLACK
    }

    fn judge_value(&mut self, call: usize, key: &Key, seen: &Seen) {
        let known = self.values.get(seen.id);
        let Some(value) = known.filter(|value| {
            value.key == *key && seen.key == key.as_str() && value.version == seen.version
        }) else {
            let (of, version, id) = (&seen.key, seen.version, seen.id);
            return self.violate("P4", || {
                format!("#{call} got v{version} of {of} (value {id}) under {key}")
            });
        };
        let (began, hard, loaded) = (value.began, value.hard, matches!(value.origin, Origin::Load));
        let reader = &self.calls[call];
        // A batch answers with what it had at its beginning, and no sooner than its last key.
        let served = match reader.what {
            What::LoadMany(_) => reader.called.at,
            _ => self.now,
        };
        let (past, age) = (served.since(hard), reader.called.at.since(began));
        // What was loaded just now is served however short its life is.
        if seen.from != ServedFrom::Load && past > SLACK {
            self.violate("I4", || {
                format!("#{call} got value {} of {key} {past:?} past its hard deadline", seen.id)
            });
        }
        if loaded && age > seen.age + SLACK {
            self.violate("I4", || {
                format!(
                    "#{call} was told that value {} is {:?} old: it was {age:?}",
                    seen.id, seen.age
                )
            });
        }
        self.judge_freshness(call, key, seen);
    }

    fn judge_failure(&mut self, call: usize, key: &Key, failure: &Failure, ended: Moment) {
        match failure {
            Failure::Other(text) => {
                self.violate("P1", || format!("#{call} of {key} failed with: {text}"));
            }
            Failure::Cancelled => {
                self.violate("I7", || {
                    format!("#{call} of {key} was told that its load was dropped")
                });
            }
            Failure::Load(how) => self.judge_failed_load(call, key, how, ended),
            Failure::TimedOut | Failure::Elsewhere | Failure::Overloaded => {}
        }
    }
}

fn text(answer: &Answer) -> String {
    match answer {
        Answer::Value(seen) => {
            let Seen { version, id, from, collapsed, age, .. } = seen;
            let collapsed = if *collapsed { ", collapsed" } else { "" };
            format!("v{version} (value {id}) from {from:?}{collapsed}, {age:?} old")
        }
        Answer::Nothing => "nothing".to_owned(),
        Answer::Failed(failure) => format!("{failure:?}"),
    }
}
