//! Single reads that come while others are under way travel together.
//!
//! A caller that finds a free lane reads at once, by itself: nothing is gained by waiting. What
//! comes while the lanes are taken is the next batch, in which a name stands once however many ask.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rucache_core::pace::Pace;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::{Node, failed};
use crate::client::{Item, Name};
use crate::error::Trouble;

/// Batches under way at the same time: while the server works at one, the client reads the other.
const LANES: usize = 2;

/// Names of a read that travels with others. Who asks for more has a batch already, and would keep
/// single readers waiting.
const MAX_SHARED: usize = 64;

/// What was found under each name.
pub(crate) type Found = Vec<Result<Option<Item>, Trouble>>;

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
    names: Vec<Name>,
    reply: oneshot::Sender<Found>,
}

impl Reads {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// What stands under each of `names`, with its value; together with the reads of others where
    /// there are any. Not before missed invalidations are delivered.
    pub(crate) async fn read(self: &Arc<Self>, names: Vec<Name>, deadline: Instant) -> Found {
        if let Err(trouble) = self.check_reads() {
            return failed(trouble, names.len());
        }
        if names.len() > MAX_SHARED {
            return self.read_apart(&names, deadline).await;
        }
        let answers = names.len();
        match self.enter(names) {
            Place::Lane(lane, names) => {
                let found = self.read_apart(&names, deadline).await;
                drop(lane);
                found
            }
            Place::Queue(found) => match timeout_at(deadline, found).await {
                Ok(Ok(found)) => found,
                // Without an answer: too late, or the runtime ends.
                Ok(Err(_)) | Err(_) => failed(Trouble::Deadline, answers),
            },
        }
    }

    fn enter(self: &Arc<Self>, names: Vec<Name>) -> Place {
        let mut queue = self.reads.lock();
        if queue.taken < LANES {
            queue.taken += 1;
            return Place::Lane(Lane { node: self.clone() }, names);
        }
        let (reply, found) = oneshot::channel();
        queue.waiting.push(Job { names, reply });
        Place::Queue(found)
    }
}

/// Where a read goes.
enum Place {
    Lane(Lane, Vec<Name>),
    Queue(oneshot::Receiver<Found>),
}

/// The lane of a caller that reads by itself. When the caller is done, or leaves, those who waited
/// meanwhile get it.
struct Lane {
    node: Arc<Node>,
}

impl Drop for Lane {
    fn drop(&mut self) {
        let mut queue = self.node.reads.lock();
        if queue.waiting.is_empty() {
            queue.taken -= 1;
            return;
        }
        drop(queue);
        let rest = Rest { node: self.node.clone(), ended: false };
        // Without a runtime nobody waits any more: the rest is dropped.
        if let Ok(handle) = Handle::try_current() {
            handle.spawn(rest.read());
        }
    }
}

/// The lane of those who waited.
struct Rest {
    node: Arc<Node>,
    ended: bool,
}

impl Rest {
    async fn read(mut self) {
        while let Some(jobs) = self.next_batch() {
            let mut places = HashMap::new();
            let mut names = Vec::new();
            for name in jobs.iter().flat_map(|job| &job.names) {
                places.entry(name).or_insert_with(|| {
                    names.push(name.clone());
                    names.len() - 1
                });
            }
            let found = match self.node.check_reads() {
                Ok(()) => {
                    let deadline = Instant::now() + self.node.timeout;
                    self.node.read_apart(&names, deadline).await
                }
                Err(trouble) => failed(trouble, names.len()),
            };
            let len = |found: &Result<Option<Item>, _>| match found {
                Ok(Some(item)) => item.value.len(),
                _ => 0,
            };
            self.node.reads.lock().pace.learn(found.iter().map(len));
            let of = |name: &Name| {
                let place = places.get(name).and_then(|place| found.get(*place));
                place.cloned().unwrap_or(Err(Trouble::Garbled))
            };
            let answers: Vec<Found> =
                jobs.iter().map(|job| job.names.iter().map(of).collect()).collect();
            for (job, answer) in jobs.into_iter().zip(answers) {
                // A caller that has left needs no answer.
                drop(job.reply.send(answer));
            }
        }
    }

    /// The next jobs whose callers still wait; without any, the lane is free.
    fn next_batch(&mut self) -> Option<Vec<Job>> {
        let mut queue = self.node.reads.lock();
        queue.waiting.retain(|job| !job.reply.is_closed());
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
        Some(std::mem::replace(&mut queue.waiting, rest))
    }
}

impl Drop for Rest {
    /// Where the task was ended with its runtime, the lane is free all the same.
    fn drop(&mut self) {
        if !self.ended {
            let mut queue = self.node.reads.lock();
            queue.taken -= 1;
            queue.waiting.clear();
        }
    }
}
