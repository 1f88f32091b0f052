//! One API as a provider: gathered, limited, guarded, retried.

mod batch;
mod call;
mod gather;

use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rucache_core::{Backend, Runtime};
use rucache_ruc::{
    Account, Answer, Cause, Coverage, ExchangeRate, LimaDate, Provider, Quote, RateQuery, Reply,
    Ruc, SourceStatus, Unavailable,
};
use tokio::sync::oneshot;

use crate::api::{Api, api};
use crate::config::SourceConfig;
use crate::error::ConfigError;
use crate::fault::Verdict;
use crate::http::{Client, Transport};
use crate::limits::{Counters, Limits, Use};
use crate::secret::Secret;
use batch::Asker;
use call::{Caller, Terms};
use gather::{Gather, Left, Next, Waiting};

/// A look-up API as a [`Provider`].
///
/// - Single look-ups that come close together travel in one call, where the API takes several.
///   The first of them does not wait, nor does who asks for one after the other; while they keep
///   coming during calls, each waits a little longer, up to [`SourceConfig::gather`].
/// - No call is made that the plan does not allow, counted over the fleet where `shared` is given.
///   [`Provider::lookup`] may use the reserve, [`Provider::lookup_many`] leaves it alone.
/// - A call once made is seen to its end, also when its caller has gone away: what it brings
///   decides how the source is treated next.
///
/// Clones share everything.
#[derive(Clone)]
pub struct Source {
    shared: Arc<Shared>,
}

struct Shared {
    asker: Asker,
    /// For [`Use::Interactive`] and [`Use::Bulk`].
    gathers: [Mutex<Gather>; 2],
}

impl Source {
    /// The source that `config` describes, with its token read from where it is kept.
    ///
    /// `shared` is the fleet's shared tier; without one the limits hold for this process alone.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with the setting that is wrong.
    pub fn open(
        config: &SourceConfig,
        runtime: Arc<dyn Runtime>,
        shared: Option<Arc<dyn Backend>>,
    ) -> Result<Self, ConfigError> {
        Self::with_token(config, config.read_token()?, runtime, shared)
    }

    /// As [`open`](Self::open), with a token that the caller has read.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with the setting that is wrong.
    pub fn with_token(
        config: &SourceConfig,
        token: Secret,
        runtime: Arc<dyn Runtime>,
        shared: Option<Arc<dyn Backend>>,
    ) -> Result<Self, ConfigError> {
        let client = Client::new(config, runtime.clone())?;
        let counters = shared.map(|backend| -> Arc<dyn Counters> { Arc::new(backend) });
        Self::assemble(config, api(config.api, token), Box::new(client), runtime, counters)
    }

    pub(crate) fn assemble(
        config: &SourceConfig,
        api: Box<dyn Api>,
        transport: Box<dyn Transport>,
        runtime: Arc<dyn Runtime>,
        counters: Option<Arc<dyn Counters>>,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let limits = Limits::new(config, config.service()?, runtime.clone(), counters);
        let caller = Caller::new(config, transport, limits, runtime);
        let limit = api.batch_limit();
        let gather = || Mutex::new(Gather::new(limit, config.gather));
        let asker = Asker { api, caller, coverage: config.coverage, confirm: config.confirm };
        let source = Self { shared: Arc::new(Shared { asker, gathers: [gather(), gather()] }) };
        let looking = source.clone();
        // What a fleet has used before this process began, so that its first status tells it.
        let look = async move { looking.shared.asker.caller.limits.look().await };
        source.runtime().spawn(Box::pin(look));
        Ok(source)
    }

    /// Asks for `rucs`, in calls as full as can be; answers in their order.
    async fn ask(&self, rucs: &[Ruc], purpose: Use) -> Vec<Answer> {
        let limit = self.batch_limit().get();
        let mut answers = Vec::with_capacity(rucs.len());
        for chunk in rucs.chunks(limit) {
            let (batch, receivers) = chunk.iter().map(|ruc| Waiting::new(*ruc)).unzip();
            answers.extend::<Vec<_>>(receivers);
            match chunk.len() == limit {
                true => self.depart(batch, purpose),
                false => self.gather(batch, purpose),
            }
        }
        let mut told = Vec::with_capacity(answers.len());
        for answer in answers {
            told.push(answer.await.unwrap_or_else(|_| failed()));
        }
        told
    }

    /// Lets `batch` wait for others.
    fn gather(&self, batch: Vec<Waiting>, purpose: Use) {
        for waiting in batch {
            let next = self.queue(purpose).join(waiting, self.runtime().now());
            match next {
                Next::Gathering => {}
                Next::Depart(batch) => self.depart(batch, purpose),
                Next::Wait(span) => {
                    let source = self.clone();
                    self.runtime().spawn(Box::pin(async move {
                        let batch = source.gathered(span, purpose).await;
                        source.depart(batch, purpose);
                    }));
                }
            }
        }
    }

    /// Those who have gathered after `span`, or later where a full call has left meanwhile.
    async fn gathered(&self, mut span: Duration, purpose: Use) -> Vec<Waiting> {
        loop {
            match span.is_zero() {
                // Who is ready at this moment comes along, and nobody waits.
                true => gather::settle(|| self.queue(purpose).len()).await,
                false => self.runtime().sleep(span).await,
            }
            let left = self.queue(purpose).leave(self.runtime().now());
            match left {
                Left::Depart(batch) => return batch,
                Left::Wait(longer) => span = longer,
            }
        }
    }

    /// Sends `batch` off, apart from those who wait for it.
    fn depart(&self, batch: Vec<Waiting>, purpose: Use) {
        if batch.is_empty() {
            return;
        }
        let source = self.clone();
        self.runtime().spawn(Box::pin(async move {
            let numbers = gather::numbers(&batch);
            let is_wanted = || batch.iter().any(Waiting::is_wanted);
            let asker = &source.shared.asker;
            let terms = asker.caller.terms(purpose, &is_wanted);
            let answers = asker.answers(&numbers, &terms).await;
            source.queue(purpose).landed();
            for waiting in batch {
                let place = numbers.iter().position(|ruc| *ruc == waiting.ruc);
                let answer = place.and_then(|place| answers.get(place)).cloned();
                waiting.tell(answer.unwrap_or_else(failed));
            }
        }));
    }

    /// Runs one question to its end, also when the caller goes away.
    async fn detached<T, F>(&self, question: impl FnOnce(Self) -> F + Send + 'static) -> Reply<T>
    where
        T: Send + 'static,
        F: Future<Output = Verdict<T>> + Send,
    {
        let (sender, receiver) = oneshot::channel();
        let source = self.clone();
        self.runtime().spawn(Box::pin(async move {
            // Nobody waits any more: nothing to tell.
            let _ = sender.send(question(source).await);
        }));
        match receiver.await {
            Ok(Ok(Some(found))) => Reply::Found(found),
            Ok(Ok(None)) => Reply::NotFound,
            Ok(Err(trouble)) => Reply::Unavailable(trouble.into()),
            Err(_) => Reply::Unavailable(Unavailable::new(Cause::Failed)),
        }
    }

    fn terms(&self) -> Terms<'static> {
        self.shared.asker.caller.terms(Use::Interactive, &|| true)
    }

    fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.shared.asker.caller.runtime
    }

    fn queue(&self, purpose: Use) -> MutexGuard<'_, Gather> {
        let [interactive, bulk] = &self.shared.gathers;
        let gather = match purpose {
            Use::Interactive => interactive,
            Use::Bulk => bulk,
        };
        gather.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed() -> Answer {
    Answer::Unavailable(Unavailable::new(Cause::Failed))
}

#[async_trait]
impl Provider for Source {
    fn name(&self) -> &str {
        &self.shared.asker.caller.name
    }

    fn coverage(&self) -> Coverage {
        self.shared.asker.coverage
    }

    fn batch_limit(&self) -> NonZeroUsize {
        self.shared.asker.api.batch_limit()
    }

    async fn lookup(&self, ruc: Ruc) -> Answer {
        self.ask(&[ruc], Use::Interactive).await.pop().unwrap_or_else(failed)
    }

    /// Takes any number of them: more than a call carries go in several at once.
    async fn lookup_many(&self, rucs: &[Ruc]) -> Vec<Answer> {
        self.ask(rucs, Use::Bulk).await
    }

    /// A day still to come is not asked for: it has no rate yet.
    async fn exchange_rate(&self, query: RateQuery) -> Reply<ExchangeRate> {
        if self.shared.asker.api.rate(query).is_none() {
            return Reply::NotCovered;
        }
        let today = LimaDate::at(self.runtime().wall());
        if query.day.is_some_and(|day| day > today) {
            return Reply::NotFound;
        }
        self.detached(move |source| async move {
            let Asker { api, caller, .. } = &source.shared.asker;
            let read = |response: &_| api.read_rate(query, response);
            caller.ask(&source.terms(), || api.rate(query), read).await
        })
        .await
    }

    async fn account(&self) -> Reply<Account> {
        if self.shared.asker.api.account().is_none() {
            return Reply::NotCovered;
        }
        self.detached(|source| async move {
            let Asker { api, caller, .. } = &source.shared.asker;
            let read = |response: &_| api.read_account(response);
            caller.ask(&source.terms(), || api.account(), read).await
        })
        .await
    }

    async fn quote(&self, rucs: &[Ruc]) -> Vec<Quote> {
        let calls = rucs.len().div_ceil(self.batch_limit().get());
        let calls = u64::try_from(calls).unwrap_or(u64::MAX);
        vec![Quote { source: self.shared.asker.caller.name.clone(), numbers: rucs.len(), calls }]
    }

    fn status(&self) -> Vec<SourceStatus> {
        vec![self.shared.asker.caller.status()]
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
