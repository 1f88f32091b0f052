//! A Redis Cluster of three primaries with a replica each.

use std::fmt::Write;
use std::time::Duration;

use super::server::Part;
use super::{RedisOptions, RedisServer, Tls};
use crate::deadline::wait_until;
use crate::port::Port;
use crate::process::{StartFailure, start_until_free};

/// How long a cluster may take to agree. Redis alone waits two seconds before a primary takes writes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The first and last slot of each primary.
const SLOTS: [(u16, u16); 3] = [(0, 5460), (5461, 10922), (10923, 16383)];

const NODES: usize = 2 * SLOTS.len();

/// Six nodes: three primaries, and three replicas of them in the same order.
///
/// A shard that is lost does not stop the others (`cluster-require-full-coverage no`), and a replica
/// takes the place of its primary two to three seconds after that is gone (`cluster-node-timeout`
/// 1 s).
///
/// ```no_run
/// use rucache_testkit::{RedisCluster, RedisOptions};
///
/// let cluster = RedisCluster::start(&RedisOptions::default());
/// let owner = cluster.primary_of("migo:ruc_20131312955");
/// assert_eq!(owner.command(&["SET", "migo:ruc_20131312955", "ACTIVO"]), "OK");
/// ```
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts six nodes of one kind and waits until each of them says that the cluster is whole.
    ///
    /// # Panics
    ///
    /// When it does not come about, or when `options` ask for TLS, which this kit has for single
    /// servers only.
    #[must_use]
    pub fn start(options: &RedisOptions) -> Self {
        assert!(options.tls == Tls::Off, "TLS is for a single RedisServer");
        let mut options = options.clone();
        if let Some(password) = &options.password {
            options.config.push(format!("masterauth \"{password}\""));
        }
        let cluster = start_until_free(|| Self::launch(&options));
        cluster.wait_until_ok();
        cluster
    }

    /// Every node comes up knowing all the others, as after a restart of the whole cluster: quicker
    /// than introducing them to each other, and nothing can go wrong between.
    fn launch(options: &RedisOptions) -> Result<Self, StartFailure> {
        let ports: Vec<_> = (0..NODES).map(|_| (Port::reserve(), Port::reserve())).collect();
        let described = |myself: usize| {
            let numbers: Vec<_> =
                ports.iter().map(|(port, bus)| (port.number(), bus.number())).collect();
            describe(&numbers, myself)
        };
        let parts: Vec<_> = (0..NODES).map(described).collect();
        let nodes = ports.into_iter().zip(parts).map(|((port, bus), nodes)| {
            let part = Part::ClusterNode { bus_port: bus.number(), nodes };
            RedisServer::launch(port, options, &part).map(|node| node.holding(bus))
        });
        Ok(Self { nodes: nodes.collect::<Result<_, _>>()? })
    }

    /// The six nodes: the first three started as primaries, the last three as their replicas.
    #[must_use]
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// `redis+cluster://127.0.0.1:port,…` of all nodes, with the password if there is one.
    #[must_use]
    pub fn url(&self) -> String {
        super::joined_url(
            "redis+cluster",
            self.nodes.iter().find_map(RedisServer::password),
            &self.nodes,
        )
    }

    /// The node that serves `key` now.
    ///
    /// # Panics
    ///
    /// When no running node does.
    #[must_use]
    pub fn primary_of(&self, key: &str) -> &RedisServer {
        let slot = self.slot_of(key);
        self.owner(slot).unwrap_or_else(|| panic!("no running node serves slot {slot}"))
    }

    /// The nodes that follow `primary` now.
    ///
    /// # Panics
    ///
    /// When `primary` does not answer.
    #[must_use]
    pub fn replicas_of(&self, primary: &RedisServer) -> Vec<&RedisServer> {
        let id = primary.command(&["CLUSTER", "MYID"]);
        let replicas = primary.command(&["CLUSTER", "REPLICAS", &id]);
        let follows = |node: &&RedisServer| replicas.contains(&format!("{}@", node.address()));
        self.nodes.iter().filter(follows).collect()
    }

    /// The slot of `key`.
    ///
    /// # Panics
    ///
    /// When no node runs.
    #[must_use]
    pub fn slot_of(&self, key: &str) -> u16 {
        let slot = self.any().command(&["CLUSTER", "KEYSLOT", key]);
        slot.parse().unwrap_or_else(|_| panic!("redis-server says that the slot is {slot:?}"))
    }

    /// Begins to move `slot` to the primary `to`: from now on its owner answers ASK for keys that it
    /// does not have.
    ///
    /// # Panics
    ///
    /// When a node refuses.
    pub fn open_slot(&self, slot: u16, to: &RedisServer) {
        let from = self.owner(slot).unwrap_or_else(|| panic!("no running node serves slot {slot}"));
        let (from_id, to_id) =
            (from.command(&["CLUSTER", "MYID"]), to.command(&["CLUSTER", "MYID"]));
        let slot = slot.to_string();
        to.command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
        from.command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    }

    /// Moves `slot` with its keys to the primary `to`: from now on the others answer MOVED, and no
    /// gossip that is under way takes the slot back.
    ///
    /// # Panics
    ///
    /// When a node refuses, or the nodes do not agree within half a minute.
    pub fn move_slot(&self, slot: u16, to: &RedisServer) {
        let from = self.owner(slot).unwrap_or_else(|| panic!("no running node serves slot {slot}"));
        self.open_slot(slot, to);
        let number = slot;
        let (slot, port) = (slot.to_string(), to.port().to_string());
        let login = to.password().map(|password| ["AUTH", password]);
        loop {
            let keys = from.command(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]);
            if keys.is_empty() {
                break;
            }
            let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "REPLACE"];
            migrate.extend(login.into_iter().flatten());
            migrate.push("KEYS");
            migrate.extend(keys.lines());
            from.command(&migrate);
        }
        let id = to.command(&["CLUSTER", "MYID"]);
        // The new owner first, which gives it a newer epoch than anybody's; replicas take no orders.
        let is_primary = |node: &&RedisServer| {
            node.try_command(&["INFO", "replication"]).is_ok_and(|it| it.contains("role:master"))
        };
        let others = self.running().filter(|node| node.port() != to.port()).filter(is_primary);
        for node in [to].into_iter().chain(others) {
            node.command(&["CLUSTER", "SETSLOT", &slot, "NODE", &id]);
        }
        // Where that epoch is not known, an older message of the old owner would be believed.
        let claims = || self.running().map(|node| Claim::seen_by(node, number)).collect::<Vec<_>>();
        let agreed = wait_until(PATIENCE, || {
            let claims = claims();
            let newest = claims.iter().flatten().map(|claim| claim.epoch).max();
            claims.iter().all(|claim| {
                claim.as_ref().is_some_and(|it| it.owner == id && Some(it.epoch) == newest)
            })
        });
        assert!(agreed, "the nodes do not agree on slot {slot}: {:?}", claims());
    }

    /// Waits until every node that runs finds the cluster whole and every replica has its copy.
    ///
    /// # Panics
    ///
    /// When that takes longer than half a minute.
    pub fn wait_until_ok(&self) {
        let is_ok = |node: &RedisServer| {
            let says = |command: &[&str], words: &[&str]| {
                let said = node.try_command(command).unwrap_or_default();
                words.iter().all(|word| said.contains(word))
            };
            says(&["CLUSTER", "INFO"], &["cluster_state:ok", "cluster_slots_ok:16384"])
                && (says(&["INFO", "replication"], &["role:master"])
                    || says(&["INFO", "replication"], &["master_link_status:up"]))
        };
        let whole = wait_until(PATIENCE, || self.running().all(is_ok));
        assert!(whole, "the cluster is not whole: {}", self.any().command(&["CLUSTER", "NODES"]));
    }

    fn owner(&self, slot: u16) -> Option<&RedisServer> {
        self.running().find(|node| {
            let nodes = node.try_command(&["CLUSTER", "NODES"]).unwrap_or_default();
            let myself = nodes.lines().find(|line| line.contains("myself,master"));
            myself.is_some_and(|line| line.split(' ').skip(8).any(|range| covers(range, slot)))
        })
    }

    fn running(&self) -> impl Iterator<Item = &RedisServer> {
        self.nodes.iter().filter(|node| node.process_id().is_some())
    }

    fn any(&self) -> &RedisServer {
        self.running().next().unwrap_or_else(|| panic!("no node of the cluster runs"))
    }
}

/// Who has a slot, in the eyes of a node.
#[derive(Debug)]
struct Claim {
    owner: String,
    /// Of two who claim a slot, the one with the greater epoch has it.
    epoch: u64,
}

impl Claim {
    /// What `node` thinks; `None` where it knows of no owner.
    fn seen_by(node: &RedisServer, slot: u16) -> Option<Self> {
        let nodes = node.try_command(&["CLUSTER", "NODES"]).ok()?;
        // `id address flags primary ping pong epoch link 0-5460 5462 [5463->-id]`
        nodes.lines().find_map(|line| {
            let fields: Vec<_> = line.split(' ').collect();
            let owns = fields.get(8..)?.iter().any(|range| covers(range, slot));
            let epoch = fields.get(6)?.parse().ok()?;
            owns.then(|| Self {
                owner: fields.first().map(ToString::to_string).unwrap_or_default(),
                epoch,
            })
        })
    }
}

/// Whether `12-34`, or `12`, covers `slot`. A slot on the move (`[12->-…]`) covers nothing.
fn covers(range: &str, slot: u16) -> bool {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let parsed = (first.parse::<u16>(), last.parse::<u16>());
    matches!(parsed, (Ok(first), Ok(last)) if (first..=last).contains(&slot))
}

/// The file in which a node keeps what it knows of its cluster, for the node `myself`.
fn describe(ports: &[(u16, u16)], myself: usize) -> String {
    let mut lines = String::new();
    let id = |node: usize| format!("{:040x}", node + 1);
    for (node, (port, bus)) in ports.iter().enumerate() {
        let me = if node == myself { "myself," } else { "" };
        let place = format!("{} 127.0.0.1:{port}@{bus} {me}", id(node));
        let shard = node % SLOTS.len();
        // Writing to a string cannot fail.
        let _ = match SLOTS.get(node) {
            Some((first, last)) => {
                writeln!(lines, "{place}master - 0 0 {} connected {first}-{last}", shard + 1)
            }
            None => writeln!(lines, "{place}slave {} 0 0 {} connected", id(shard), shard + 1),
        };
    }
    let _ = writeln!(lines, "vars currentEpoch {} lastVoteEpoch 0", SLOTS.len());
    lines
}
