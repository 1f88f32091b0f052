//! The picture of a Cluster, and the task that keeps it up to date.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use redis::{Pipeline, Value};
use tokio::sync::{Notify, watch};
use tokio::time::timeout_at;

use super::slots::SLOTS;
use crate::clock::{after, pause};
use crate::config::Address;
use crate::connection::Purpose;
use crate::error::Cause;
use crate::fleet::{Member, Recruiter};
use crate::node::{Access, Call, Joins, Lane, Node, Place, Share};
use crate::request::list;

/// Time between two looks that nobody asked for.
const POLL: Duration = Duration::from_secs(1);

/// Shortest time between two looks.
const REST: Duration = Duration::from_millis(50);

/// Which node has which slot.
#[derive(Default)]
pub(crate) struct Topology {
    members: BTreeMap<Address, Arc<Member>>,
    /// The first slot of each range, its last, and its node.
    ranges: BTreeMap<u16, (u16, Arc<Node>)>,
}

impl Topology {
    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The node that has `slot`.
    pub(super) fn node_of(&self, slot: u16) -> Option<Arc<Node>> {
        let (_, (last, node)) = self.ranges.range(..=slot).next_back()?;
        (slot <= *last).then(|| node.clone())
    }

    /// The node at `address`.
    pub(super) fn node_at(&self, address: &Address) -> Option<Arc<Node>> {
        self.members.get(address).map(|member| member.node.clone())
    }

    /// All primaries, in the order of their addresses.
    pub(super) fn primaries(&self) -> Vec<Arc<Node>> {
        self.members.values().map(|member| member.node.clone()).collect()
    }
}

/// What a node says of the Cluster.
struct View {
    ranges: Vec<(u16, u16, Address)>,
    primaries: Vec<Address>,
    /// Whether the node that says it counts itself among a working majority.
    is_ok: bool,
}

/// Looks at the Cluster once a second, and when a request met a node that was not the one.
pub(super) struct Scout {
    seeds: Vec<Address>,
    recruiter: Recruiter,
    known: watch::Sender<Arc<Topology>>,
    refresh: Arc<Notify>,
    /// Where the next look begins, so that no single node's view is always the one taken.
    turn: usize,
}

impl Scout {
    pub(super) fn new(
        seeds: Vec<Address>,
        recruiter: Recruiter,
        known: watch::Sender<Arc<Topology>>,
        refresh: Arc<Notify>,
    ) -> Self {
        Self { seeds, recruiter, known, refresh, turn: 0 }
    }

    pub(super) async fn run(mut self) {
        let mut warned = false;
        loop {
            match self.look().await {
                Some(view) => {
                    warned = false;
                    self.take_in(&view);
                }
                None if !warned => {
                    warned = true;
                    tracing::warn!("no node of the redis cluster could be asked for its slots");
                }
                None => {}
            }
            let _ = timeout_at(after(POLL), self.refresh.notified()).await;
            pause(REST).await;
        }
    }

    /// The view of the first node that works, else of any.
    async fn look(&mut self) -> Option<View> {
        let nodes = self.known.borrow().primaries();
        let mut second_best = None;
        self.turn = self.turn.wrapping_add(1);
        for at in 0..nodes.len() {
            let node = &nodes[(at + self.turn) % nodes.len()];
            if node.is_up() {
                match self.ask_node(node).await {
                    Some(view) if view.is_ok => return Some(view),
                    view => second_best = second_best.or(view),
                }
            }
        }
        if second_best.is_some() {
            return second_best;
        }
        let mut addresses = self.seeds.clone();
        addresses.extend(self.known.borrow().members.keys().cloned());
        for address in addresses {
            match self.ask_seed(&address).await {
                Ok(view) if view.is_ok => return Some(view),
                Ok(view) => second_best = second_best.or(Some(view)),
                Err(_) => {}
            }
        }
        second_best
    }

    async fn ask_node(&self, node: &Node) -> Option<View> {
        let deadline = after(self.recruiter.connector.timeout());
        let call = Call { lane: Lane::Bulk, access: Access::Facts, deadline };
        let answers = node.send(&questions(), call).await.ok()?;
        view(answers, &node.address()?)
    }

    async fn ask_seed(&self, address: &Address) -> Result<View, Cause> {
        let connector = &self.recruiter.connector;
        let connection = connector.open(address, Purpose::Data).await?;
        let answers = connection.exchange(&questions(), after(connector.timeout())).await?;
        view(answers, address).ok_or(Cause::Form)
    }

    /// Makes the view the picture: nodes that stay keep their connections.
    fn take_in(&self, view: &View) {
        let before = self.known.borrow().clone();
        let joins = if before.members.is_empty() { Joins::AtStart } else { Joins::Later };
        let mut members = BTreeMap::new();
        for address in &view.primaries {
            let member = before.members.get(address).cloned().unwrap_or_else(|| {
                let place = Place::At(address.clone());
                Arc::new(self.recruiter.recruit(address.to_string(), place, Share::Slots, joins))
            });
            members.insert(address.clone(), member);
        }
        let mut ranges = BTreeMap::new();
        for (first, last, address) in &view.ranges {
            if let Some(member) = members.get(address) {
                ranges.insert(*first, (*last, member.node.clone()));
            }
        }
        let gone = before.members.iter().filter(|(address, _)| !members.contains_key(*address));
        gone.for_each(|(_, member)| self.recruiter.dismiss(member));
        self.known.send_replace(Arc::new(Topology { members, ranges }));
    }
}

fn questions() -> Pipeline {
    let mut questions = Pipeline::new();
    questions.cmd("CLUSTER").arg("SLOTS").cmd("CLUSTER").arg("INFO").cmd("CLUSTER").arg("NODES");
    questions
}

/// The answers to [`questions`] from the node at `asked`.
fn view(answers: Vec<Value>, asked: &Address) -> Option<View> {
    let [slots, info, nodes] = <[Value; 3]>::try_from(answers).ok()?;
    let mut ranges = Vec::new();
    for range in list(slots).ok()? {
        ranges.push(range_of(range, asked)?);
    }
    let state = crate::node::field(&info, "cluster_state");
    let mut primaries: Vec<_> = ranges.iter().map(|(_, _, address)| address.clone()).collect();
    primaries.extend(primaries_of(&nodes));
    primaries.sort();
    primaries.dedup();
    let is_ok = state.as_deref() == Some("ok");
    (!ranges.is_empty()).then_some(View { ranges, primaries, is_ok })
}

/// `first, last, [host, port, …], replicas …`: the host is null where it is the one asked.
fn range_of(range: Value, asked: &Address) -> Option<(u16, u16, Address)> {
    let mut parts = list(range).ok()?.into_iter();
    let mut slot = || match parts.next()? {
        Value::Int(slot) => u16::try_from(slot).ok().filter(|slot| *slot < SLOTS),
        _ => None,
    };
    let (first, last) = (slot()?, slot()?);
    let mut node = list(parts.next()?).ok()?.into_iter();
    let host = match node.next()? {
        Value::BulkString(host) => String::from_utf8(host).ok()?,
        Value::Nil => String::new(),
        _ => return None,
    };
    let host = if host.is_empty() { asked.host.clone() } else { host };
    match node.next()? {
        Value::Int(port) => Some((first, last, Address::new(host, u16::try_from(port).ok()?))),
        _ => None,
    }
}

/// The working primaries of `CLUSTER NODES` without slots, which `CLUSTER SLOTS` leaves out: they are
/// asked as soon as their first slot is on its way.
fn primaries_of(nodes: &Value) -> Vec<Address> {
    let text = match nodes {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
        Value::VerbatimString { text, .. } => text,
        _ => "",
    };
    let primary = |line: &str| {
        let fields: Vec<_> = line.split(' ').collect();
        let [_, place, flags, _, _, _, _, _] = fields.as_slice() else { return None };
        let mut flags = flags.split(',');
        let works = flags.clone().all(|flag| !matches!(flag, "fail" | "handshake" | "noaddr"));
        if !works || !flags.any(|flag| flag == "master") {
            return None;
        }
        let place = place.split(['@', ',']).next()?;
        let (host, port) = place.rsplit_once(':')?;
        let port = port.parse().ok()?;
        (!host.is_empty()).then(|| Address::new(host, port))
    };
    text.lines().filter_map(primary).collect()
}
