//! One call on a cache, from the caller's side, told to the history.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use rucache_core::Key;
use rucache_engine::{
    Accept, CacheError, Found, Hit, LoadError, Loaded, Outcome, ServedFrom, Verdict, Written,
};

use crate::checker::{Answer, CallId, ChangeEnd, Failure, Seen, What};
use crate::history::History;
use crate::process::Process;
use crate::source::{Fact, Refusal};

/// A call, and how its caller behaves.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) what: What,
    /// After this long the caller leaves.
    pub(crate) leaves_after: Option<Duration>,
    /// Whether loads bring a value soon.
    pub(crate) healthy: bool,
}

/// Makes the call in `process`; for one key, the version that it got.
pub(crate) async fn make(process: Arc<Process>, plan: Plan) -> Option<u64> {
    let call = process.history.called(process.number, plan.what.clone());
    let guard = Called { history: process.history.clone(), call: Some(call) };
    let made = carry_out(process.clone(), call, plan.what, plan.healthy);
    let Some(patience) = plan.leaves_after else { return guard.end(made.await) };
    match select(Box::pin(made), process.scheduler.sleep(patience)).await {
        Either::Left((end, _)) => guard.end(end),
        Either::Right(_) => None,
    }
}

/// How a call ended.
enum End {
    Read(Vec<(Key, Answer)>),
    Changed(ChangeEnd),
}

async fn carry_out(process: Arc<Process>, call: CallId, what: What, healthy: bool) -> End {
    let (cache, policy) = (&process.cache, process.policy);
    match what {
        What::Read(key, accept) => {
            let answer = cache.look::<Fact>(&key, accept).await;
            End::Read(vec![(key, found(answer))])
        }
        What::Load(key) => {
            let (owner, asked) = (process.clone(), key.clone());
            let loader = move || async move {
                let loaded = owner.load(call, vec![asked], healthy).await;
                loaded.into_iter().next().unwrap_or(Err(Refusal))
            };
            let answer = cache.read_or_load(&key, policy, loader).await;
            End::Read(vec![(key, read(answer))])
        }
        What::LoadMany(keys) => {
            let owner = process.clone();
            let at_once = NonZeroUsize::MIN.saturating_add(process.random().index(3));
            let loader = move |missing: Vec<Key>| {
                let owner = owner.clone();
                async move { owner.load(call, missing, healthy).await }
            };
            let answers = cache.read_or_load_many(&keys, policy, at_once, loader).await;
            let answers = answers.into_iter().map(|answer| read(answer.map_err(Into::into)));
            End::Read(keys.into_iter().zip(answers).collect())
        }
        What::Set(key, version) => {
            let tags = process.tags();
            let fact = process.history.written(call, &key, version, tags.clone());
            let loaded = Loaded::new(fact).with_tags(tags);
            End::of(cache.put(&key, loaded, policy).await)
        }
        What::Delete(key) => End::of(cache.delete(&key).await.map(|removed| removed.written)),
        What::Expire(key) => End::of(cache.expire(&key).await.map(|removed| removed.written)),
        What::Tag(service, tag) => End::of(cache.service(&service).invalidate_tag(tag).await),
        What::Clear(service) => End::of(cache.service(&service).clear().await),
        What::ClearAll => End::of(cache.clear_all().await),
    }
}

fn found(answer: Result<Found<Fact>, CacheError>) -> Answer {
    match answer {
        Ok(Found::Value(hit)) => value(&hit),
        Ok(Found::Negative(verdict)) => negative(&verdict, false),
        Ok(Found::Nothing) => Answer::Nothing,
        Err(other) => Answer::Failed(Failure::Other(other.to_string())),
    }
}

fn read(answer: Result<Hit<Fact>, CacheError>) -> Answer {
    match answer {
        Ok(hit) => value(&hit),
        // What a flight brought does not tell whose flight it was.
        Err(CacheError::Load(LoadError::Negative(verdict))) => negative(&verdict, true),
        Err(CacheError::Load(error)) => Answer::Failed(match error {
            LoadError::Failed(_) => Failure::Load("failed"),
            LoadError::Absent => Failure::Load("absent"),
            LoadError::Panicked => Failure::Load("panicked"),
            LoadError::DeadlinePassed { .. } => Failure::Load("deadline passed"),
            LoadError::FailedElsewhere => Failure::Load("failed elsewhere"),
            LoadError::LoadedElsewhere => Failure::Elsewhere,
            LoadError::TimedOut { .. } => Failure::TimedOut,
            LoadError::Overloaded => Failure::Overloaded,
            LoadError::Cancelled => Failure::Cancelled,
            other => Failure::Other(other.to_string()),
        }),
        Err(other) => Answer::Failed(Failure::Other(other.to_string())),
    }
}

fn value(hit: &Hit<Fact>) -> Answer {
    seen((*hit.value).clone(), hit.outcome)
}

/// A verdict says in its reason which load it came from.
fn negative(verdict: &Verdict, collapsed: bool) -> Answer {
    let mut outcome = verdict.outcome;
    outcome.collapsed |= collapsed && outcome.from != ServedFrom::Local;
    match serde_json::from_str(&verdict.negative.reason) {
        Ok(fact) => seen(fact, outcome),
        Err(_) => Answer::Failed(Failure::Other("a verdict that nobody reached".to_owned())),
    }
}

fn seen(fact: Fact, outcome: Outcome) -> Answer {
    let Fact { key, version, id } = fact;
    let Outcome { from, collapsed, age, .. } = outcome;
    Answer::Value(Seen { key, version, id, from, collapsed, age })
}

impl End {
    fn of(written: Result<Written, CacheError>) -> Self {
        Self::Changed(match written {
            Ok(Written::Done) => ChangeEnd::Done,
            Ok(Written::Deferred) => ChangeEnd::Deferred,
            Err(_) => ChangeEnd::Failed,
        })
    }
}

/// A call that was made, until it is told how it ended.
struct Called {
    history: Arc<History>,
    call: Option<CallId>,
}

impl Called {
    fn end(mut self, end: End) -> Option<u64> {
        let call = self.call.take()?;
        match end {
            End::Read(answers) => {
                let version = match answers.as_slice() {
                    [(_, Answer::Value(seen))] => Some(seen.version),
                    _ => None,
                };
                self.history.answered(call, answers);
                version
            }
            End::Changed(end) => {
                self.history.changed(call, end);
                None
            }
        }
    }
}

impl Drop for Called {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            self.history.dropped(call);
        }
    }
}

/// A read of `key` that takes what it gets.
pub(crate) const fn plain(what: What) -> Plan {
    Plan { what, leaves_after: None, healthy: true }
}

/// A read without loading.
pub(crate) const fn look(key: Key) -> What {
    What::Read(key, Accept::Fresh)
}
