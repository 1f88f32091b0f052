//! Loads: how many at once (I3), how long (I5), how soon after a failure (I8), and that nobody's
//! departure ends them (I7).

use std::time::Duration;

use rucache_core::Key;

use super::record::{Call, CallId, Load, LoadEnd, LoadId, Moment, Origin};
use super::{Book, SLACK};
use crate::source::Fact;

/// How long a failure is told of after its back-off: what is on its way to a caller.
const ECHO: Duration = Duration::from_millis(500);

impl Book {
    pub(crate) fn load_began(
        &mut self,
        call: CallId,
        key: &Key,
        tags: Vec<&'static str>,
    ) -> (LoadId, Fact) {
        let began = self.moment();
        let Call { process, called: asked, .. } = self.calls[call.0];
        let id = self.loads.len();
        let version = self.version(key);
        let fact = self.value(key, version, tags, Origin::Load);
        let tags = self.values[fact.id].tags.join(" ");
        self.note(|| {
            format!("p{process} loads {key} at v{version} (load {id}, value {}) [{tags}]", fact.id)
        });
        self.judge_beginning(call, key, asked);
        self.tally.loads += 1;
        let ids = self.loads_of.get(key).into_iter().flatten();
        let first_began =
            ids.map(|id| &self.loads[*id]).find(|load| load.call == call).map(|load| load.began);
        let first_began = first_began.unwrap_or(began);
        self.loads.push(Load {
            call,
            process,
            key: key.clone(),
            asked,
            began,
            first_began,
            ended: None,
        });
        self.open_loads.insert(id);
        self.loads_of.entry(key.clone()).or_default().push(id);
        (LoadId(id), fact)
    }

    pub(crate) fn load_ended(&mut self, load: LoadId, end: LoadEnd) {
        let moment = self.moment();
        let id = load.0;
        self.note(|| format!("load {id} ends: {end:?}"));
        self.open_loads.remove(&id);
        let Some(load) = self.loads.get_mut(id) else { return };
        load.ended = Some((moment, end));
        let (process, lasted) = (load.process, moment.at.since(load.began.at));
        let whole = moment.at.since(load.first_began.at);
        let deadline = self.setup.timing.load_deadline;
        let alive = self.processes.get(&process).is_some_and(|process| process.alive);
        self.tally.load_ended(end);
        if lasted > deadline + SLACK {
            self.violate("I5", || format!("load {id} went on for {lasted:?}"));
        }
        if end == LoadEnd::Dropped && alive && whole + SLACK < deadline {
            self.violate("I7", || {
                format!("load {id} was dropped after {lasted:?}, long before its deadline")
            });
        }
    }

    pub(crate) fn recursed(&mut self, call: CallId, key: &Key, noticed: bool) {
        self.note(|| format!("#{} asks for {key} from within its load: {noticed}", call.0));
        let Call { process, called, .. } = self.calls[call.0];
        if !noticed && !self.was_superseded(process, key, called) {
            self.violate("I5", || {
                format!("the load of #{} asked for {key}, its own key, and was not told so", call.0)
            });
        }
    }

    pub(crate) fn loads_within(&self, key: &Key, span: Duration) -> usize {
        let loads = self.loads_of.get(key).into_iter().flatten();
        loads.filter(|id| self.now.since(self.loads[**id].began.at) <= span).count()
    }

    pub(super) fn watch_loads(&mut self) {
        let deadline = self.setup.timing.load_deadline + SLACK;
        let held = self.open_loads.iter().copied();
        let held = held.map(|id| (id, self.now.since(self.loads[id].began.at)));
        if let Some((id, lasted)) = held.into_iter().find(|(_, lasted)| *lasted > deadline) {
            self.violate("I5", || format!("load {id} still goes on after {lasted:?}"));
        }
    }

    /// A load of `key` begins for `call`: may it?
    fn judge_beginning(&mut self, call: CallId, key: &Key, asked: Moment) {
        let process = self.calls[call.0].process;
        let Some(ids) = self.loads_of.get(key) else { return };
        let (mut doubled, mut hasty) = (None, None);
        let mut again = vec![call];
        for (id, load) in ids.iter().rev().take(16).map(|id| (*id, &self.loads[*id])) {
            if !self.binds(load, process, asked) {
                continue;
            }
            if load.ended.is_none() {
                doubled = Some((id, load.process));
            } else if !again.contains(&load.call) && load.failed() && self.is_in_back_off(load) {
                hasty = Some(id);
            }
            // What its own call has asked for again is not its end.
            again.push(load.call);
        }
        if let Some((other, of)) = doubled {
            self.violate("I3", || {
                format!("p{process} begins to load {key} while load {other} of p{of} goes on")
            });
        }
        if let Some(other) = hasty {
            self.violate("I8", || {
                format!("p{process} begins to load {key} within the back-off of load {other}")
            });
        }
    }

    /// Whether `load` forbids another one of its key, asked for at `asked` in `process`, for its time:
    /// unless the flight of one of them was ended by a change.
    fn binds(&self, load: &Load, process: u64, asked: Moment) -> bool {
        let (key, asked) = (&load.key, asked.min(load.asked));
        // In peace the leases make one process of the fleet.
        let in_fleet = self.at_peace_since(asked) && !self.was_changed(key, asked);
        let in_process = load.process == process && !self.was_superseded(process, key, asked);
        in_fleet || in_process
    }

    fn is_in_back_off(&self, load: &Load) -> bool {
        let Some((ended, _)) = load.ended else { return false };
        let alive = self.processes.get(&load.process).is_some_and(|process| process.alive);
        alive && self.now.since(ended.at) + SLACK < self.setup.timing.back_off
    }

    /// A caller was told of a failure: was there one?
    pub(super) fn judge_failed_load(&mut self, call: usize, key: &Key, how: &str, ended: Moment) {
        let called = self.calls[call].called;
        let since = self.setup.timing.max_back_off + ECHO;
        let recent = |load: &Load| match load.ended {
            Some((end, how)) => how != LoadEnd::Value && end.at.after(since) >= called.at,
            None => false,
        };
        let ids = self.loads_of.get(key).into_iter().flatten();
        let found = ids.rev().any(|id| recent(&self.loads[*id]));
        let waited = ended.at.since(called.at);
        if !found {
            self.violate("I5", || {
                format!("#{call} of {key} was told \"{how}\" after {waited:?}, and no load failed")
            });
        }
    }
}
