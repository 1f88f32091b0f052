//! Small reads that come while others are under way travel together.
//!
//! A caller that finds a free lane reads at once, by itself: nothing is gained by waiting. What
//! comes while the lanes are taken is the next batch, in which a name stands once however many ask.
//! Nobody joins a batch that is under way: what is read was in the store after its caller asked.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use redis::{Pipeline, Value};
use rucache_core::WireKey;
use rucache_core::pace::Pace;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::link::Admitted;
use super::{Access, Call, Lane, Node, Share};
use crate::error::{Cause, Failure};
use crate::request::{self, list, string};

/// Batches under way at the same time. Fewer make a handful of callers wait for each other, more make
/// the batches of hundreds too short.
const LANES: usize = 3;

/// Names of a read that travels with others. Who asks for more has a batch already, and would keep
/// single readers waiting.
const MAX_SHARED: usize = 64;

/// Names in one `MGET`.
const MGET: usize = 1_000;

/// What stands under each name.
pub(crate) type Found = Vec<Result<Option<Bytes>, Failure>>;

/// The reads of one node that wait for a lane.
#[derive(Default)]
pub(super) struct Reads(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    taken: usize,
    waiting: Vec<Job>,
    pace: Pace,
}

struct Job {
    names: Vec<WireKey>,
    deadline: Instant,
    reply: oneshot::Sender<Found>,
}

impl Job {
    /// Whether its caller still waits.
    fn is_wanted(&self, now: Instant) -> bool {
        self.deadline > now && !self.reply.is_closed()
    }
}

impl Reads {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// What stands under each of `names`; for short reads of entries, together with those of others
    /// where there are any.
    pub(crate) async fn read(self: &Arc<Self>, names: Vec<WireKey>, call: Call) -> Found {
        let shared = call.lane == Lane::Data && call.access == Access::Entries;
        if !shared || names.len() > MAX_SHARED {
            return self.read_apart(&names.iter().collect::<Vec<_>>(), call).await;
        }
        let refused = match self.link.borrow().admit(call) {
            Admitted::Now(Err(cause)) => Some(cause),
            Admitted::Now(Ok(_)) | Admitted::At(..) => None,
        };
        if let Some(cause) = refused {
            return self.failed(cause, names.len());
        }
        let count = names.len();
        match self.enter(names, call.deadline) {
            Entered::Lane(lane, names) => {
                let found = self.read_apart(&names.iter().collect::<Vec<_>>(), call).await;
                drop(lane);
                found
            }
            Entered::Queue(found) => match timeout_at(call.deadline, found).await {
                Ok(Ok(found)) => found,
                // Without an answer: too late, or the runtime ends.
                Ok(Err(_)) | Err(_) => self.failed(Cause::Deadline, count),
            },
        }
    }

    /// What stands under each of `names`, in a round trip apart from others'.
    async fn read_apart(&self, names: &[&WireKey], call: Call) -> Found {
        let together = match self.share {
            Share::All => MGET,
            Share::Slots => 1,
        };
        let mut pipeline = Pipeline::with_capacity(names.len().div_ceil(together));
        for names in names.chunks(together) {
            pipeline.add_command(request::read(names));
        }
        let answers = match self.send(&pipeline, call).await {
            Ok(answers) => answers,
            Err(failure) => return vec![Err(failure); names.len()],
        };
        let mut found = Vec::with_capacity(names.len());
        for (names, answer) in names.chunks(together).zip(answers) {
            let value = |value| {
                let value = string(value).map_err(|cause| cause.at(&self.name))?;
                Ok(value.map(Bytes::from))
            };
            match one_by_one(answer, names.len()) {
                Ok(values) => found.extend(values.into_iter().map(value)),
                Err(cause) => found.extend(self.failed(cause, names.len())),
            }
        }
        // One for each, whatever the client makes of a connection that is out of step.
        found.resize(names.len(), Err(Cause::Form.at(&self.name)));
        found
    }

    fn enter(self: &Arc<Self>, names: Vec<WireKey>, deadline: Instant) -> Entered {
        let mut queue = self.reads.lock();
        if queue.taken < LANES {
            queue.taken += 1;
            return Entered::Lane(OwnLane { node: self.clone() }, names);
        }
        let (reply, found) = oneshot::channel();
        queue.waiting.push(Job { names, deadline, reply });
        Entered::Queue(found)
    }

    fn failed(&self, cause: Cause, count: usize) -> Found {
        vec![Err(cause.at(&self.name)); count]
    }
}

/// The answer to [`request::read`] of so many names, name by name.
fn one_by_one(answer: Value, names: usize) -> Result<Vec<Value>, Cause> {
    if names == 1 {
        return Ok(vec![answer]);
    }
    let values = list(answer)?;
    if values.len() == names { Ok(values) } else { Err(Cause::Form) }
}

/// Where a read goes.
enum Entered {
    Lane(OwnLane, Vec<WireKey>),
    Queue(oneshot::Receiver<Found>),
}

/// The lane of a caller that reads by itself. When the caller is done, or leaves, those who waited
/// meanwhile get it.
struct OwnLane {
    node: Arc<Node>,
}

impl Drop for OwnLane {
    fn drop(&mut self) {
        let mut queue = self.node.reads.lock();
        if queue.waiting.is_empty() {
            queue.taken -= 1;
            return;
        }
        drop(queue);
        let shared = SharedLane { node: self.node.clone(), ended: false };
        // Without a runtime nobody waits any more: the lane is dropped.
        if let Ok(handle) = Handle::try_current() {
            handle.spawn(shared.read());
        }
    }
}

/// The lane of those who waited.
struct SharedLane {
    node: Arc<Node>,
    ended: bool,
}

impl SharedLane {
    async fn read(mut self) {
        while let Some(jobs) = self.next_batch() {
            let batch = Batch::of(&jobs);
            let deadline = jobs.iter().map(|job| job.deadline).max().unwrap_or_else(Instant::now);
            let call = Call { lane: Lane::Data, access: Access::Entries, deadline };
            let found = self.node.read_apart(&batch.names, call).await;
            let len = |found: &Result<Option<Bytes>, _>| match found {
                Ok(Some(value)) => value.len(),
                _ => 0,
            };
            self.node.reads.lock().pace.learn(found.iter().map(len));
            let mut answers = batch.answers(found);
            for job in jobs {
                let answer = answers.by_ref().take(job.names.len()).collect();
                // A caller that has left needs no answer.
                drop(job.reply.send(answer));
            }
        }
    }

    /// The next jobs whose callers still wait; without any, the lane is free.
    fn next_batch(&mut self) -> Option<Vec<Job>> {
        let mut queue = self.node.reads.lock();
        let now = Instant::now();
        queue.waiting.retain(|job| job.is_wanted(now));
        if queue.waiting.is_empty() {
            queue.taken -= 1;
            self.ended = true;
            return None;
        }
        let (mut names, max) = (0, queue.pace.names());
        let fits = |job: &&Job| {
            names += job.names.len();
            names <= max
        };
        // At least one: a job may be longer than a batch.
        let count = queue.waiting.iter().take_while(fits).count().max(1);
        let rest = queue.waiting.split_off(count);
        Some(mem::replace(&mut queue.waiting, rest))
    }
}

impl Drop for SharedLane {
    /// Where the task was ended with its runtime, the lane is free all the same.
    fn drop(&mut self) {
        if !self.ended {
            let mut queue = self.node.reads.lock();
            queue.taken -= 1;
            queue.waiting.clear();
        }
    }
}

/// The names of some jobs, each once.
struct Batch<'j> {
    names: Vec<&'j WireKey>,
    /// Where each name that a job asks for is among them, job after job.
    places: Vec<usize>,
}

impl<'j> Batch<'j> {
    fn of(jobs: &'j [Job]) -> Self {
        let count = jobs.iter().map(|job| job.names.len()).sum();
        let (mut names, mut seen) = (Vec::with_capacity(count), HashMap::with_capacity(count));
        let place = |name: &'j WireKey| {
            *seen.entry(name).or_insert_with(|| {
                names.push(name);
                names.len() - 1
            })
        };
        let places = jobs.iter().flat_map(|job| &job.names).map(place).collect();
        Self { names, places }
    }

    /// What was found for each name that a job asks for, job after job.
    fn answers(
        self,
        mut found: Found,
    ) -> impl Iterator<Item = Result<Option<Bytes>, Failure>> + use<> {
        let mut left = vec![0_usize; found.len()];
        self.places.iter().for_each(|place| left[*place] += 1);
        self.places.into_iter().map(move |place| {
            left[place] -= 1;
            // Shared only where there are several: most names have one reader.
            if left[place] > 0 {
                found[place].clone()
            } else {
                mem::replace(&mut found[place], Ok(None))
            }
        })
    }
}
