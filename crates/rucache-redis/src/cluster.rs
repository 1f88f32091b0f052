//! A Cluster: which node has which slot, and requests that follow a slot when it moves.
//!
//! The client crate has a Cluster of its own. It is not used: it sends a write again when its answer
//! was lost, hides which node failed, and has neither breakers nor a deadline for the whole call.

mod slots;
mod topology;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use redis::{Pipeline, Value};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use crate::clock::{after, pause};
use crate::config::Address;
use crate::error::{Cause, Failure, Refused};
use crate::fleet::{Recruiter, send_to};
use crate::node::{Call, Node};
use crate::request::Request;
use topology::{Scout, Topology};

pub(crate) use slots::slot_of;

/// How long a request waits before it asks again for a slot that is between two nodes, or for a
/// Cluster that is finding itself.
const UNSETTLED: Duration = Duration::from_millis(10);

/// How many times in a row a request follows its slot without a pause: two nodes may for a moment
/// point at each other.
const HOPS: usize = 3;

/// A Cluster as its callers see it.
pub(crate) struct Cluster {
    topology: watch::Receiver<Arc<Topology>>,
    refresh: Arc<Notify>,
    scout: AbortHandle,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.scout.abort();
    }
}

/// A request under way, and where it belongs among the answers.
struct Pending {
    at: usize,
    request: Request,
    target: Target,
}

/// Whom a request is sent to.
enum Target {
    /// The node that has its slot.
    Owner,
    /// The node that has its slot since lately.
    Moved(Address),
    /// The node that is getting its slot, and answers those only who ask to be answered.
    Importer(Address),
}

impl Cluster {
    /// A Cluster that is found through `seeds`.
    pub(crate) fn new(seeds: Vec<Address>, recruiter: Recruiter) -> Self {
        let refresh = Arc::new(Notify::new());
        let (known, topology) = watch::channel(Arc::new(Topology::default()));
        let scout = Scout::new(seeds, recruiter, known, refresh.clone());
        let scout = tokio::spawn(scout.run()).abort_handle();
        Self { topology, refresh, scout }
    }

    /// The primaries, in the order of their names.
    pub(crate) fn primaries(&self) -> Vec<Arc<Node>> {
        self.topology.borrow().primaries()
    }

    /// Its picture once it has been found; none at the call's deadline.
    pub(crate) async fn found(&self, call: Call) -> Option<Arc<Topology>> {
        let mut topology = self.topology.clone();
        let found = topology.wait_for(|topology| !topology.is_empty());
        match timeout_at(call.deadline, found).await {
            Ok(Ok(topology)) if Instant::now() < call.deadline => Some(topology.clone()),
            _ => None,
        }
    }

    /// Sends each request to the node of its slot, all nodes in parallel, and again where a slot has
    /// moved.
    pub(crate) async fn send(
        &self,
        requests: Vec<Request>,
        call: Call,
    ) -> Vec<Result<Value, Failure>> {
        let count = requests.len();
        let mut answers: Vec<Option<Result<Value, Failure>>> = Vec::new();
        answers.resize_with(count, || None);
        let mut pending: Vec<_> = requests
            .into_iter()
            .enumerate()
            .map(|(at, request)| Pending { at, request, target: Target::Owner })
            .collect();
        for hop in 1.. {
            let Some(topology) = self.found(call).await else { break };
            let (again, unsettled) = self.round(&topology, pending, call, &mut answers).await;
            pending = again;
            if pending.is_empty() {
                break;
            }
            let unsettled =
                if hop % HOPS == 0 { unsettled.max(Unsettled::Moment) } else { unsettled };
            if timeout_at(call.deadline, self.settle(&topology, unsettled)).await.is_err() {
                break;
            }
        }
        let unsettled = || {
            Err(Cause::NoNode("the Cluster was not found, or is moving slots or electing").into())
        };
        answers.into_iter().map(|answer| answer.unwrap_or_else(unsettled)).collect()
    }

    /// One round trip. What has to be asked again, and whether the topology is to blame.
    async fn round(
        &self,
        topology: &Topology,
        pending: Vec<Pending>,
        call: Call,
        answers: &mut [Option<Result<Value, Failure>>],
    ) -> (Vec<Pending>, Unsettled) {
        let mut groups: BTreeMap<Arc<str>, (Arc<Node>, Vec<Pending>)> = BTreeMap::new();
        let (mut asked, mut again) = (Vec::new(), Vec::new());
        let mut unsettled = Unsettled::Nothing;
        for one in pending {
            let node = match &one.target {
                Target::Owner => topology.node_of(one.request.slot()),
                Target::Moved(address) | Target::Importer(address) => topology.node_at(address),
            };
            match node {
                Some(node) if matches!(one.target, Target::Importer(_)) => asked.push((node, one)),
                Some(node) => {
                    let group = groups.entry(node.name().clone());
                    group.or_insert_with(|| (node, Vec::new())).1.push(one);
                }
                // While a slot changes hands, a node may say that nobody has it.
                None => {
                    unsettled = Unsettled::Topology;
                    again.push(Pending { target: Target::Owner, ..one });
                }
            }
        }
        let groups = groups.into_values().map(|(node, group)| async move {
            let requests = group.iter().map(|one| one.request.clone()).collect();
            group.into_iter().zip(send_to(&node, requests, call).await).collect::<Vec<_>>()
        });
        let asked = asked.into_iter().map(|(node, one)| async move {
            let mut pipeline = Pipeline::new();
            pipeline.cmd("ASKING");
            pipeline.add_command(one.request.clone().into_command());
            let answer = node.send(&pipeline, call).await;
            (one, answer.and_then(|mut both| both.pop().ok_or_else(|| Cause::Form.into())))
        });
        let (groups, asked) = tokio::join!(join_all(groups), join_all(asked));
        for (one, answer) in groups.into_iter().flatten().chain(asked) {
            let Some(redirect) = Redirect::of(&answer) else {
                answers[one.at] = Some(answer);
                continue;
            };
            let known = |address: &Address| topology.node_at(address).is_some();
            let (target, lacks) = match redirect {
                Redirect::Moved(address) if known(&address) => {
                    self.refresh.notify_one();
                    (Target::Moved(address), Unsettled::Nothing)
                }
                Redirect::Moved(_) => (Target::Owner, Unsettled::Topology),
                Redirect::Ask(address) if known(&address) => {
                    (Target::Importer(address), Unsettled::Nothing)
                }
                Redirect::Ask(_) | Redirect::Later => (Target::Owner, Unsettled::Moment),
            };
            unsettled = unsettled.max(lacks);
            again.push(Pending { target, ..one });
        }
        again.sort_by_key(|one| one.at);
        (again, unsettled)
    }

    /// Waits for what an unsettled round lacks.
    async fn settle(&self, before: &Arc<Topology>, unsettled: Unsettled) {
        match unsettled {
            Unsettled::Nothing => {}
            Unsettled::Moment => {
                self.refresh.notify_one();
                pause(UNSETTLED).await;
            }
            Unsettled::Topology => {
                self.refresh.notify_one();
                let mut topology = self.topology.clone();
                let newer = topology.wait_for(|now| !Arc::ptr_eq(now, before));
                // A new look may show the old picture: the answer is asked for again all the same.
                let _ = timeout_at(after(UNSETTLED * 2), newer).await;
            }
        }
    }
}

/// What a round that has to be repeated waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unsettled {
    /// Nothing: the node to ask is known.
    Nothing,
    /// A moment.
    Moment,
    /// A newer picture of the Cluster.
    Topology,
}

/// Why an answer is none.
enum Redirect {
    Moved(Address),
    Ask(Address),
    Later,
}

impl Redirect {
    fn of(answer: &Result<Value, Failure>) -> Option<Self> {
        let refused = match answer {
            Ok(Value::ServerError(error)) => Refused::from(error),
            Ok(_) => return None,
            Err(failure) => failure.refused()?.clone(),
        };
        // `MOVED 8485 10.0.0.5:6379`
        let target = || {
            let target = refused.detail().split_ascii_whitespace().nth(1)?;
            let (host, port) = target.rsplit_once(':')?;
            Some(Address::new(host, port.parse().ok()?))
        };
        match refused.code() {
            "MOVED" => target().map(Self::Moved).or(Some(Self::Later)),
            "ASK" => target().map(Self::Ask).or(Some(Self::Later)),
            "TRYAGAIN" | "CLUSTERDOWN" => Some(Self::Later),
            _ => None,
        }
    }
}
