//! One server: the connections to it, and whether it is spoken to at all.

mod establish;
mod link;
mod reads;
mod supervisor;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{Pipeline, Value};
use rucache_core::Breaker;
use rucache_core::breaker::{Admission, CallOutcome, CircuitState};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use crate::clock::{Clock, after, random};
use crate::config::Address;
use crate::connection::Connection;
use crate::error::{Cause, Failure};
use crate::script;

pub(crate) use establish::{Place, field};
pub(crate) use reads::Found;
pub(crate) use supervisor::{Joins, Supervisor};

use link::{Admitted, Link};
use reads::Reads;

/// Answers in a row that did not come in time before the connection is suspected, and a new one is
/// made beside it: a half-open connection never ends by itself.
const SUSPECT: u32 = 2;

/// How long requests wait for a connection that has just broken, counted from then: a break costs its
/// callers no more than a server that does not answer.
const GRACE: Duration = Duration::from_millis(50);

/// How a request wants to be treated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) lane: Lane,
    pub(crate) access: Access,
    /// When the whole operation ends.
    pub(crate) deadline: Instant,
}

/// On which of a node's connections a request travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Short requests.
    Data,
    /// Long answers and admin work, which would hold up the others.
    Bulk,
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reads entries: not before a node that was away has been told what it missed.
    Entries,
    /// Reads other things. Like reads of entries sent once more where the connection broke.
    Facts,
    /// Changes something: sent once, never blindly again.
    Change,
}

/// Which keys a node may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    /// All: one command may name many.
    All,
    /// Those of some slots: a command names keys of one slot only.
    Slots,
}

/// A server as its callers see it. Its [`Supervisor`] connects it.
pub(crate) struct Node {
    name: Arc<str>,
    share: Share,
    clock: Clock,
    link: watch::Sender<Link>,
    address: Mutex<Option<Address>>,
    breaker: Mutex<Breaker>,
    late: AtomicU32,
    read_only: AtomicU32,
    wake: Notify,
    reads: Reads,
}

impl Node {
    /// A node that nobody has connected yet. Requests wait for the first attempt, which takes
    /// `patience` at most.
    pub(crate) fn new(name: impl Into<Arc<str>>, share: Share, patience: Duration) -> Self {
        Self {
            name: name.into(),
            share,
            clock: Clock::start(),
            link: watch::Sender::new(Link::Joining(after(patience))),
            address: Mutex::new(None),
            breaker: Mutex::default(),
            late: AtomicU32::new(0),
            read_only: AtomicU32::new(0),
            wake: Notify::new(),
            reads: Reads::default(),
        }
    }

    /// `host:port`, or what the Sentinels call it.
    pub(crate) const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Where it was connected last.
    pub(crate) fn address(&self) -> Option<Address> {
        self.address.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it serves.
    pub(crate) fn is_up(&self) -> bool {
        matches!(*self.link.borrow(), Link::Up(_))
    }

    /// Whether it could not be connected, or was lost.
    pub(crate) fn is_down(&self) -> bool {
        matches!(*self.link.borrow(), Link::Down(_))
    }

    /// Returns once the first attempt to connect has ended, or at `deadline`.
    pub(crate) async fn settled(&self, deadline: Instant) {
        let mut link = self.link.subscribe();
        let settled = link.wait_for(|link| matches!(link, Link::Up(_) | Link::Down(_)));
        let _ = timeout_at(deadline, settled).await;
    }

    /// Sends `pipeline`, loading scripts where the server has forgotten them.
    pub(crate) async fn send(
        &self,
        pipeline: &Pipeline,
        call: Call,
    ) -> Result<Vec<Value>, Failure> {
        let mut answers = self.exchange(pipeline, call).await?;
        let unknown = |value: &Value| is_code(value, "NOSCRIPT");
        let again: Vec<usize> = (0..answers.len()).filter(|at| unknown(&answers[*at])).collect();
        if again.is_empty() {
            return Ok(answers);
        }
        // Nothing of these was carried out: all of them once more, in their order.
        let mut retry = Pipeline::new();
        script::load(&mut retry);
        let commands: Vec<_> = pipeline.cmd_iter().collect();
        for at in &again {
            retry.add_command(commands[*at].clone());
        }
        let retried = self.exchange(&retry, call).await?;
        for (at, answer) in again.into_iter().zip(retried.into_iter().skip(script::COUNT)) {
            answers[at] = answer;
        }
        Ok(answers)
    }

    async fn exchange(&self, pipeline: &Pipeline, call: Call) -> Result<Vec<Value>, Failure> {
        let once = self.attempt(pipeline, call).await;
        let broke = once.as_ref().is_err_and(|cause| cause.ends_connection());
        let answers = if broke && call.access != Access::Change {
            self.attempt(pipeline, call).await
        } else {
            once
        };
        answers.map_err(|cause| cause.at(&self.name))
    }

    async fn attempt(&self, pipeline: &Pipeline, call: Call) -> Result<Vec<Value>, Cause> {
        let connection = self.connection(call).await?;
        let admission = self.breaker().pass();
        let answers = connection.exchange(pipeline, call.deadline).await;
        match &answers {
            Ok(answers) => self.answered(answers, call.lane, admission),
            Err(Cause::Deadline) if call.lane == Lane::Data => self.missed(admission),
            Err(cause) if cause.ends_connection() => self.lost(connection.id()),
            Err(_) => {}
        }
        answers
    }

    async fn connection(&self, call: Call) -> Result<Connection, Cause> {
        let first = self.link.borrow().admit(call);
        let mut until = match first {
            Admitted::Now(connection) => return connection,
            Admitted::At(until, _) => until,
        };
        let mut link = self.link.subscribe();
        loop {
            let why_not = match link.borrow_and_update().admit(call) {
                Admitted::Now(connection) => return connection,
                Admitted::At(moment, why_not) => {
                    until = until.min(moment);
                    why_not
                }
            };
            if timeout_at(until.min(call.deadline), link.changed()).await.is_err() {
                return Err(why_not);
            }
        }
    }

    fn answered(&self, answers: &[Value], lane: Lane, admission: Admission) {
        if answers.iter().any(|answer| is_code(answer, "READONLY")) {
            self.read_only.fetch_add(1, Ordering::Relaxed);
            self.wake.notify_one();
        }
        if lane == Lane::Data {
            // A server that is still reading its file answers, and serves nobody.
            let loading = answers.iter().any(|answer| is_code(answer, "LOADING"));
            let outcome = if loading { CallOutcome::Failed } else { CallOutcome::Answered };
            self.late.store(0, Ordering::Relaxed);
            let loading = Cause::NoNode("the server is loading its data");
            self.record(admission, outcome, &loading);
        }
    }

    fn missed(&self, admission: Admission) {
        if self.late.fetch_add(1, Ordering::Relaxed) + 1 >= SUSPECT {
            self.wake.notify_one();
        }
        self.record(admission, CallOutcome::Failed, &Cause::Deadline);
    }

    /// The connection numbered `id` is of no more use. Counts once, however many callers had
    /// something on it.
    fn lost(&self, id: u64) {
        let lost = self.link.send_if_modified(|link| {
            let until = match link {
                Link::Up(now) if now.has(id) => after(GRACE),
                Link::Recovering(now, until) if now.has(id) => *until,
                _ => return false,
            };
            *link = Link::Joining(until);
            true
        });
        if lost {
            self.wake.notify_one();
        }
    }

    fn record(&self, admission: Admission, outcome: CallOutcome, cause: &Cause) {
        let now = self.clock.now();
        let changed = self.breaker().record(admission, outcome, now, random());
        if changed == Some(CircuitState::Open) {
            self.link.send_if_modified(|link| {
                let up = matches!(link, Link::Up(_));
                if up {
                    *link = Link::Down(Cause::Open(Box::new(cause.clone())));
                }
                up
            });
            self.wake.notify_one();
        }
    }

    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `answer` is an error reply of this code.
pub(crate) fn is_code(answer: &Value, code: &str) -> bool {
    matches!(answer, Value::ServerError(error) if error.code() == code)
}
