//! Asking the provider, as the engine's loader.

use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{self, Either};
use futures_util::stream::{self, StreamExt};
use rucache_core::{BoxFuture, Jitter, Runtime, Timestamp, Ttl};
use rucache_engine::{Loaded, Policy};
use rucache_ruc::{Answer, Cause, Freshness, Profile, Provider, Ruc, Taxpayer, Unavailable};
use thiserror::Error;

use crate::CachedRecord;

/// Calls to a provider that one look-up of many has under way at once.
pub(crate) const CONCURRENCY: NonZeroUsize = NonZeroUsize::new(32).unwrap();

/// Why a provider gave no record, on its way through the engine.
#[derive(Debug, Error)]
#[error("the provider could not answer")]
pub(crate) struct NoAnswer(pub(crate) Unavailable);

/// What the engine's loader needs to ask a provider.
#[derive(Clone)]
pub(crate) struct Asking {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) profile: Profile,
    /// How long the load as a whole may take.
    pub(crate) deadline: Duration,
    /// Whether other processes read what is loaded.
    pub(crate) shared: bool,
}

impl Asking {
    /// Asks for `rucs` in calls as large as the provider takes, several at once; answers in order.
    pub(crate) async fn ask(self, rucs: Vec<Ruc>) -> Vec<Result<Loaded<CachedRecord>, NoAnswer>> {
        let chunks = rucs.chunks(self.provider.batch_limit().get()).map(<[Ruc]>::to_vec);
        // Before the deadline of the load as a whole, which would take the answers of all with it.
        let too_long = || self.runtime.sleep(self.deadline * 9 / 10);
        let calls: Vec<_> =
            chunks.map(|chunk| ask_at_once(self.provider.clone(), chunk, too_long())).collect();
        let answers: Vec<_> = stream::iter(calls).buffered(CONCURRENCY.get()).collect().await;
        rucs.iter()
            .zip(answers.into_iter().flatten())
            .map(|(ruc, a)| self.loaded(*ruc, a))
            .collect()
    }

    fn loaded(&self, ruc: Ruc, answer: Answer) -> Result<Loaded<CachedRecord>, NoAnswer> {
        match answer {
            Answer::Found { record, as_of, source } if record.ruc() == ruc => {
                let policy = self.policy(&record, as_of);
                let source = source.as_deref().unwrap_or_else(|| self.provider.name());
                let source = Some(source.to_owned());
                Ok(Loaded::from(CachedRecord { record, as_of, source }).with_policy(policy))
            }
            // A record of another number is no answer to this one.
            Answer::Found { .. } => Err(NoAnswer(Unavailable::new(Cause::Failed))),
            Answer::NotFound => Ok(Loaded::absent()),
            Answer::NotCovered => Err(NoAnswer(Unavailable::new(Cause::NotCovered))),
            Answer::Unavailable(unavailable) => Err(NoAnswer(unavailable)),
        }
    }

    fn policy(&self, record: &Taxpayer, as_of: Option<Timestamp>) -> Policy {
        let policy = policy(self.profile.record(record, as_of, self.runtime.wall()));
        // What a fleet loads together should not expire together.
        if self.shared { policy.with_jitter(Jitter::percent(10)) } else { policy }
    }
}

/// One call to the provider. Whatever it does wrong, answers stay with their numbers; a call that
/// hangs or panics spoils its own answers only.
async fn ask_at_once(
    provider: Arc<dyn Provider>,
    rucs: Vec<Ruc>,
    too_long: BoxFuture<()>,
) -> Vec<Answer> {
    let call = async {
        match rucs[..] {
            [ruc] => vec![provider.lookup(ruc).await],
            _ => provider.lookup_many(&rucs).await,
        }
    };
    let call = pin!(AssertUnwindSafe(call).catch_unwind());
    let (mut answers, cause) = match future::select(call, too_long).await {
        Either::Left((Ok(answers), _)) => (answers, Cause::Failed),
        Either::Left((Err(_), _)) => (Vec::new(), Cause::Failed),
        Either::Right(_) => (Vec::new(), Cause::Timeout),
    };
    answers.resize(rucs.len(), Answer::Unavailable(Unavailable::new(cause)));
    answers
}

/// The life of an entry whose data is good for `freshness`.
pub(crate) fn policy(freshness: Freshness) -> Policy {
    let policy = Policy::exact(Ttl::try_from(freshness.fresh).unwrap_or(Ttl::MIN));
    match Ttl::try_from(freshness.stale) {
        Ok(stale) => policy.with_stale(stale),
        // Zero: no fallback.
        Err(_) => policy,
    }
}
