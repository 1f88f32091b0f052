//! All nodes of the backend, and who of them is asked what.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use redis::{Pipeline, Value};
use rucache_core::WireKey;
use tokio::task::AbortHandle;

use crate::cluster::Cluster;
use crate::config::{RedisConfig, Servers};
use crate::connection::Connector;
use crate::error::{Cause, Failure};
use crate::listeners::Listeners;
use crate::node::{Call, Found, Joins, Node, Place, Share, Supervisor};
use crate::push::Push;
use crate::request::{Request, string};
use crate::sentinel::Sentinels;

/// A node with the tasks that work for it, which end with it.
pub(crate) struct Member {
    pub(crate) node: Arc<Node>,
    tasks: [AbortHandle; 2],
}

impl Drop for Member {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// What every node is made with.
#[derive(Clone)]
pub(crate) struct Recruiter {
    pub(crate) connector: Arc<Connector>,
    listeners: Arc<Listeners>,
    codec: rucache_core::KeyCodec,
}

impl Recruiter {
    /// A node called `name` at `place`, which has `share` of the slots, at work from now on.
    pub(crate) fn recruit(&self, name: String, place: Place, share: Share, joins: Joins) -> Member {
        let Self { connector, listeners, codec } = self.clone();
        let node = Arc::new(Node::new(name, share, connector.timeout() * 2));
        let push = Push::new(node.clone(), connector.clone(), listeners.clone(), codec);
        let supervisor = Supervisor::new(node.clone(), place, connector, listeners, joins);
        let tasks = [
            tokio::spawn(supervisor.run()).abort_handle(),
            tokio::spawn(push.run()).abort_handle(),
        ];
        Member { node, tasks }
    }

    /// Tells everybody that a node is needed no more: nobody waits for it to come back.
    pub(crate) fn dismiss(&self, member: &Member) {
        self.listeners.node_up(member.node.name());
    }
}

/// The servers: one, or a Cluster.
pub(crate) enum Fleet {
    /// One server, or the primary that Sentinels name.
    One(Member),
    /// A Cluster.
    Cluster(Cluster),
}

impl Fleet {
    pub(crate) fn new(config: &RedisConfig, listeners: Arc<Listeners>) -> Result<Self, Cause> {
        let connector = Arc::new(Connector::new(config)?);
        let recruiter =
            Recruiter { connector: connector.clone(), listeners, codec: config.codec() };
        Ok(match &config.servers {
            Servers::One(address) => {
                let place = Place::At(address.clone());
                Self::One(recruiter.recruit(address.to_string(), place, Share::All, Joins::AtStart))
            }
            Servers::Sentinel { sentinels, service, .. } => {
                let sentinels = Sentinels::new(service.clone(), sentinels, connector);
                let place = Place::Named(Arc::new(sentinels));
                Self::One(recruiter.recruit(service.clone(), place, Share::All, Joins::AtStart))
            }
            Servers::Cluster(seeds) => Self::Cluster(Cluster::new(seeds.clone(), recruiter)),
        })
    }

    /// An answer for each request, in their order; requests of one slot are carried out in order.
    pub(crate) async fn send(
        &self,
        requests: Vec<Request>,
        call: Call,
    ) -> Vec<Result<Value, Failure>> {
        if requests.is_empty() {
            return Vec::new();
        }
        match self {
            Self::One(member) => send_to(&member.node, requests, call).await,
            Self::Cluster(cluster) => cluster.send(requests, call).await,
        }
    }

    /// What stands under each of `names`, in their order.
    pub(crate) async fn read(&self, names: Vec<WireKey>, call: Call) -> Found {
        match self {
            Self::One(member) => member.node.read(names, call).await,
            Self::Cluster(cluster) => {
                let requests = names.into_iter().map(Request::Read).collect();
                let answers = cluster.send(requests, call).await.into_iter();
                answers.map(|answer| Ok(string(answer?)?.map(Bytes::from))).collect()
            }
        }
    }

    /// The answer to one request.
    pub(crate) async fn ask(&self, request: Request, call: Call) -> Result<Value, Failure> {
        let mut answers = self.send(vec![request], call).await;
        answers.pop().unwrap_or_else(|| Err(Cause::Form.into()))
    }

    /// The primaries that are known, in the order of their names.
    pub(crate) fn primaries(&self) -> Vec<Arc<Node>> {
        match self {
            Self::One(member) => vec![member.node.clone()],
            Self::Cluster(cluster) => cluster.primaries(),
        }
    }

    /// Asks every primary the same.
    pub(crate) async fn ask_all(
        &self,
        questions: &Pipeline,
        call: Call,
    ) -> Result<Vec<Vec<Value>>, Failure> {
        let primaries = self.primaries();
        if primaries.is_empty() {
            return Err(Cause::NoNode("no node of the Cluster could be reached").into());
        }
        let answers = join_all(primaries.iter().map(|node| node.send(questions, call))).await;
        answers.into_iter().collect()
    }
}

/// Sends `requests` to `node` in one round trip; reads, together with those of others.
pub(crate) async fn send_to(
    node: &Arc<Node>,
    requests: Vec<Request>,
    call: Call,
) -> Vec<Result<Value, Failure>> {
    let name = |request: &Request| match request {
        Request::Read(name) => Some(name.clone()),
        Request::Command(..) => None,
    };
    if let Some(names) = requests.iter().map(name).collect() {
        let value = |found: Option<Bytes>| match found {
            Some(value) => Value::BulkString(value.into()),
            None => Value::Nil,
        };
        let found = node.read(names, call).await.into_iter();
        return found.map(|one| one.map(value)).collect();
    }
    let count = requests.len();
    let mut pipeline = Pipeline::with_capacity(count);
    for request in requests {
        pipeline.add_command(request.into_command());
    }
    match node.send(&pipeline, call).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(failure) => vec![Err(failure); count],
    }
}
