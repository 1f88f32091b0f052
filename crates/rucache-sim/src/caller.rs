//! One call on a cache, from the caller's side, told to the history.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use rucache_core::Key;
use rucache_engine::{Accept, CacheError, Hit, LoadError};

use crate::checker::{Answer, CallId, ChangeEnd, Failure, Seen, What};
use crate::history::History;
use crate::process::Process;
use crate::source::Fact;

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
    let policy = process.policy;
    match what {
        What::Read(key, accept) => {
            let answer = process.cache.read::<Fact>(&key, accept).await;
            End::Read(vec![(key, read(answer))])
        }
        What::Load(key) => {
            let (owner, asked) = (process.clone(), key.clone());
            let loader = move || async move {
                let loaded =
                    owner.source(call).load(owner.tagged(vec![asked]), owner.course(healthy)).await;
                loaded.into_iter().next().unwrap_or(Err(crate::source::Refusal))
            };
            let answer = process.cache.read_or_load(&key, policy, loader).await;
            End::Read(vec![(key, read(answer.map(Some)))])
        }
        What::LoadMany(keys) => {
            let owner = process.clone();
            let at_once = NonZeroUsize::MIN.saturating_add(process.random().index(3));
            let loader = move |missing: Vec<Key>| {
                let owner = owner.clone();
                async move { owner.source(call).load(owner.tagged(missing), owner.course(healthy)).await }
            };
            let answers =
                process.cache.read_or_load_many(&keys, policy, at_once, loader).await;
            let answers = answers.into_iter().map(|answer| read(answer.map(Some).map_err(Into::into)));
            End::Read(keys.into_iter().zip(answers).collect())
        }
        What::Set(key, version) => {
            let fact = process.history.written(call, &key, version);
            let written = process.cache.set_shared(&key, Arc::new(fact), policy).await;
            End::Changed(changed(written.map(|()| ChangeEnd::Done)))
        }
        What::Delete(key) => {
            let removed = process.cache.delete(&key).await;
            End::Changed(changed(removed.map(|_| ChangeEnd::Done)))
        }
        What::Expire(_) | What::Tag(..) | What::Clear(_) | What::ClearAll => {
            End::Changed(ChangeEnd::Failed)
        }
    }
}

fn read(answer: Result<Option<Hit<Fact>>, CacheError>) -> Answer {
    match answer {
        Ok(Some(hit)) => {
            let Fact { key, version, id } = (*hit.value).clone();
            let outcome = hit.outcome;
            let (from, collapsed, age) = (outcome.from, outcome.collapsed, outcome.age);
            Answer::Value(Seen { key, version, id, from, collapsed, age })
        }
        Ok(None) => Answer::Nothing,
        Err(CacheError::Load(error)) => Answer::Failed(match error {
            LoadError::Failed(_) => Failure::Load("failed"),
            LoadError::Absent => Failure::Load("absent"),
            LoadError::Panicked => Failure::Load("panicked"),
            LoadError::DeadlinePassed { .. } => Failure::Load("deadline passed"),
            LoadError::FailedElsewhere => Failure::Load("failed elsewhere"),
            LoadError::LoadedElsewhere => Failure::Elsewhere,
            LoadError::TimedOut { .. } => Failure::TimedOut,
            LoadError::Cancelled => Failure::Cancelled,
            other => Failure::Other(other.to_string()),
        }),
        Err(other) => Answer::Failed(Failure::Other(other.to_string())),
    }
}

fn changed(end: Result<ChangeEnd, CacheError>) -> ChangeEnd {
    end.unwrap_or(ChangeEnd::Failed)
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
