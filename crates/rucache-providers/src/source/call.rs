//! One question to a source: as many attempts as plan, gate and time allow.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{self, Either};
use rucache_core::breaker::Admission;
use rucache_core::{Mono, Runtime};
use rucache_ruc::{CallResult, SourceStatus};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::config::SourceConfig;
use crate::fault::{Fault, Trouble, Verdict};
use crate::gate::Gate;
use crate::http::{Request, Response, Transport};
use crate::limits::{Limits, Use};
use crate::tally::Tally;

/// How long the first retry waits, halved or not by chance; each further one twice as long.
const FIRST_BACK_OFF: Duration = Duration::from_millis(200);

/// Makes the calls of one source.
pub(crate) struct Caller {
    pub(crate) name: Arc<str>,
    pub(crate) runtime: Arc<dyn Runtime>,
    transport: Box<dyn Transport>,
    pub(crate) limits: Limits,
    gate: Mutex<Gate>,
    tally: Tally,
    connections: Semaphore,
    timeout: Duration,
    deadline: Duration,
    retries: u32,
}

/// On what terms a question is asked.
pub(crate) struct Terms<'a> {
    purpose: Use,
    /// When the answer comes too late.
    until: Mono,
    /// Whether anybody still waits for the answer.
    is_wanted: &'a (dyn Fn() -> bool + Sync),
}

impl Caller {
    pub(crate) fn new(
        config: &SourceConfig,
        transport: Box<dyn Transport>,
        limits: Limits,
        runtime: Arc<dyn Runtime>,
    ) -> Self {
        Self {
            name: config.name().into(),
            runtime,
            transport,
            limits,
            gate: Mutex::default(),
            tally: Tally::default(),
            connections: Semaphore::new(config.connections),
            timeout: config.timeout,
            deadline: config.deadline,
            retries: config.retries,
        }
    }

    /// The terms of a question that is asked now.
    pub(crate) fn terms<'a>(
        &self,
        purpose: Use,
        is_wanted: &'a (dyn Fn() -> bool + Sync),
    ) -> Terms<'a> {
        Terms { purpose, until: self.runtime.now().after(self.deadline), is_wanted }
    }

    /// Whether there is time for another call.
    pub(crate) fn has_time(&self, terms: &Terms<'_>) -> bool {
        self.runtime.now() < terms.until
    }

    /// Asks, and asks again where that may help.
    pub(crate) async fn ask<T>(
        &self,
        terms: &Terms<'_>,
        request: impl Fn() -> Option<Request> + Sync,
        read: impl Fn(&Response) -> Verdict<T> + Sync,
    ) -> Verdict<T> {
        let mut last: Option<Trouble> = None;
        for attempt in 0..=self.retries {
            // What the API does not know how to ask, it does not know.
            let Some(request) = request() else { return Ok(None) };
            let trouble = match self.attempt(terms, request, &read).await {
                Err(withheld) => return Err(last.unwrap_or(withheld)),
                Ok(Err(trouble)) if trouble.fault.passes() => trouble,
                Ok(verdict) => return verdict,
            };
            last = Some(trouble);
            let rest = self.back_off(attempt).max(trouble.retry_after.unwrap_or_default());
            let resumes = self.runtime.now().after(rest);
            if attempt == self.retries || resumes >= terms.until || !(terms.is_wanted)() {
                break;
            }
            self.runtime.sleep(rest).await;
        }
        Err(last.unwrap_or(Fault::Timeout.into()))
    }

    /// One attempt; an error is a call that was not made.
    async fn attempt<T>(
        &self,
        terms: &Terms<'_>,
        request: Request,
        read: &(impl Fn(&Response) -> Verdict<T> + Sync),
    ) -> Result<Verdict<T>, Trouble> {
        let permit = self.permit(terms.until).await;
        let admission = match permit {
            Ok(_) if self.has_time(terms) => self.admit(terms.purpose).await,
            Ok(_) => Err(Fault::Busy.into()),
            Err(fault) => Err(fault.into()),
        };
        let admission = admission.inspect_err(|_| self.tally.count(CallResult::Withheld))?;
        let left = terms.until.since(self.runtime.now());
        let sending = pin!(self.transport.send(request));
        let answered =
            match future::select(sending, self.runtime.sleep(self.timeout.min(left))).await {
                Either::Left((answered, _)) => answered,
                Either::Right(_) => Err(Fault::Timeout),
            };
        drop(permit);
        let verdict = answered.map_err(Trouble::from).and_then(|response| read(&response));
        self.note(admission, &verdict);
        Ok(verdict)
    }

    /// A connection's turn.
    async fn permit(&self, until: Mono) -> Result<SemaphorePermit<'_>, Fault> {
        let left = until.since(self.runtime.now());
        match future::select(pin!(self.connections.acquire()), self.runtime.sleep(left)).await {
            Either::Left((Ok(permit), _)) => Ok(permit),
            // The semaphore is never closed.
            Either::Left((Err(_), _)) | Either::Right(_) => Err(Fault::Busy),
        }
    }

    /// Leave from gate and plan.
    async fn admit(&self, purpose: Use) -> Result<Admission, Trouble> {
        // Looked at first, so that a closed gate costs nothing of the plan.
        if let Some(trouble) = self.gate().is_closed(self.runtime.now()) {
            return Err(trouble);
        }
        self.limits.take(purpose).await?;
        let admission = self.gate().admit(self.runtime.now());
        if admission.is_err() {
            self.limits.unused().await;
        }
        admission
    }

    fn note<T>(&self, admission: Admission, verdict: &Verdict<T>) {
        let trouble = verdict.as_ref().err().copied();
        self.tally.count(match verdict {
            Ok(Some(_)) => CallResult::Answered,
            Ok(None) => CallResult::NotFound,
            Err(trouble) => CallResult::Failed(trouble.fault.cause()),
        });
        let (now, random) = (self.runtime.now(), self.runtime.random());
        let mut gate = self.gate();
        let changed = gate.record(admission, trouble, now, random);
        let closed = gate.is_closed(now);
        drop(gate);
        match closed {
            Some(Trouble { fault, retry_after }) if changed => tracing::warn!(
                source = &*self.name,
                cause = fault.cause().as_str(),
                fault = ?fault,
                rest = ?retry_after.unwrap_or_default(),
                "source is left alone"
            ),
            None if changed => tracing::info!(source = &*self.name, "source answers again"),
            _ => {}
        }
    }

    /// Between half and all of the wait that `attempt` calls for.
    fn back_off(&self, attempt: u32) -> Duration {
        let whole = FIRST_BACK_OFF.saturating_mul(2_u32.saturating_pow(attempt.min(8)));
        let share = u32::try_from(self.runtime.random() >> 48).unwrap_or(0);
        whole / 2 + whole / 2 * share / (1 << 16)
    }

    /// How the source is.
    pub(crate) fn status(&self) -> SourceStatus {
        let (circuit, closed) = self.gate().status(self.runtime.now());
        let mut status = SourceStatus::new(self.name.clone(), circuit);
        status.closed = closed;
        (status.minute, status.month) = self.limits.usage();
        status.calls = self.tally.read();
        status
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
