//! A primary and two replicas, guarded by three Sentinels.

use std::fmt::Write;
use std::time::Duration;

use super::server::Part;
use super::{RedisOptions, RedisServer, Tls};
use crate::deadline::wait_until;
use crate::port::Port;
use crate::process::{StartFailure, start_until_free};

/// How long the six processes may take to agree.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many Sentinels there are, and how many have to find the primary gone.
const SENTINELS: usize = 3;
const QUORUM: usize = 2;

/// What Sentinel allows to be asked quicker than usual, in milliseconds: it looks every ten seconds
/// otherwise, and a test would wait that long. A machine that stalls must not make it give up
/// (TILT). The period of its pings stays: it trusts no replica of which it knows nothing newer than
/// five of them, and asks but once a second.
const PERIODS: &[&str] = &[
    "SENTINEL",
    "DEBUG",
    "INFO-PERIOD",
    "500",
    "ASK-PERIOD",
    "100",
    "PUBLISH-PERIOD",
    "200",
    "ELECTION-TIMEOUT",
    "1000",
    "TILT-TRIGGER",
    "10000",
    "TILT-PERIOD",
    "1000",
];

/// A primary, two replicas and three Sentinels that replace it a second or two after it is gone.
///
/// ```no_run
/// use std::time::Duration;
/// use rucache_testkit::{RedisOptions, RedisSentinel};
///
/// let redis = RedisSentinel::start(&RedisOptions::default());
/// let old = redis.primary().port();
/// redis.primary().kill_9();
/// redis.wait_for_other_primary(old);
/// assert_ne!(redis.primary().port(), old);
/// ```
#[derive(Debug)]
pub struct RedisSentinel {
    sentinels: Vec<RedisServer>,
    servers: Vec<RedisServer>,
}

impl RedisSentinel {
    /// The name of the primary in every question to a Sentinel.
    pub const PRIMARY_NAME: &'static str = "mymaster";

    /// Starts three servers of one kind and three Sentinels without a password, and waits until each
    /// Sentinel knows them all and each replica has its copy.
    ///
    /// # Panics
    ///
    /// When that does not come about, or when `options` ask for TLS, which this kit has for single
    /// servers only.
    #[must_use]
    pub fn start(options: &RedisOptions) -> Self {
        assert!(options.tls == Tls::Off, "TLS is for a single RedisServer");
        let mut options = options.clone();
        if let Some(password) = &options.password {
            options.config.push(format!("masterauth \"{password}\""));
        }
        let group = start_until_free(|| Self::launch(&options));
        group.wait_until_ok();
        group
    }

    fn launch(options: &RedisOptions) -> Result<Self, StartFailure> {
        let primary = RedisServer::launch(Port::reserve(), options, &Part::Alone)?;
        let replica = Part::Replica { of: primary.port() };
        let replicas = [
            RedisServer::launch(Port::reserve(), options, &replica)?,
            RedisServer::launch(Port::reserve(), options, &replica)?,
        ];
        let servers: Vec<_> = [primary].into_iter().chain(replicas).collect();
        let ports: Vec<_> = (0..SENTINELS).map(|_| Port::reserve()).collect();
        let numbers: Vec<_> = ports.iter().map(Port::number).collect();
        let sentinels = ports.into_iter().enumerate().map(|(myself, port)| {
            let part = Part::Sentinel { lines: describe(&servers, &numbers, myself) };
            RedisServer::launch(port, &RedisOptions::default(), &part)
        });
        let sentinels = sentinels.collect::<Result<Vec<_>, _>>()?;
        for sentinel in &sentinels {
            sentinel.command(PERIODS);
        }
        Ok(Self { sentinels, servers })
    }

    /// The three data servers; the first one started as the primary.
    #[must_use]
    pub fn servers(&self) -> &[RedisServer] {
        &self.servers
    }

    /// The three Sentinels.
    #[must_use]
    pub fn sentinels(&self) -> &[RedisServer] {
        &self.sentinels
    }

    /// `redis+sentinel://127.0.0.1:port,…/mymaster` of all Sentinels, with the servers' password if
    /// there is one.
    #[must_use]
    pub fn url(&self) -> String {
        let password = self.servers.iter().find_map(RedisServer::password);
        let sentinels = super::joined_url("redis+sentinel", password, &self.sentinels);
        format!("{sentinels}/{}", Self::PRIMARY_NAME)
    }

    /// The primary, in the eyes of the first Sentinel that runs.
    ///
    /// # Panics
    ///
    /// When no Sentinel runs.
    #[must_use]
    pub fn primary(&self) -> &RedisServer {
        let port = self.primary_port(self.any());
        let primary = self.servers.iter().find(|server| Some(server.port()) == port);
        primary.unwrap_or_else(|| panic!("the primary is none of these servers: {port:?}"))
    }

    /// A planned change: one of the replicas becomes the primary. Returns when it has.
    ///
    /// # Panics
    ///
    /// When the Sentinels do not get it done in half a minute.
    pub fn fail_over(&self) {
        let old = self.primary().port();
        let asked = self.any();
        let begun = wait_until(PATIENCE, || {
            if self.primary_port(asked) != Some(old) {
                return true;
            }
            // Refused while one is under way. One that found the replicas slow is given up.
            let _ = asked.try_command(&["SENTINEL", "FAILOVER", Self::PRIMARY_NAME]);
            false
        });
        assert!(begun, "the primary at port {old} was not replaced; {}", self.story());
        self.wait_for_other_primary(old);
    }

    /// Waits until every Sentinel that runs names another primary than the one at `old`, and that
    /// one says so itself.
    ///
    /// # Panics
    ///
    /// When that takes longer than half a minute.
    pub fn wait_for_other_primary(&self, old: u16) {
        let is_other = |port: Option<u16>| port.is_some_and(|port| port != old);
        let changed = wait_until(PATIENCE, || {
            let role = self.primary().try_command(&["ROLE"]);
            role.is_ok_and(|role| role.starts_with("master"))
                && self.running().all(|sentinel| is_other(self.primary_port(sentinel)))
        });
        assert!(changed, "the primary at port {old} was not replaced; {}", self.story());
    }

    fn wait_until_ok(&self) {
        let agreed = wait_until(PATIENCE, || {
            let [primary, replicas @ ..] = self.servers.as_slice() else {
                return false;
            };
            self.sentinels.iter().all(|sentinel| knows_all(sentinel, primary.port()))
                && replicas.iter().all(|replica| {
                    let said = replica.try_command(&["INFO", "replication"]);
                    said.is_ok_and(|said| said.contains("master_link_status:up"))
                })
        });
        assert!(agreed, "the Sentinels do not agree; {}", self.story());
    }

    /// What all of them have logged, for whoever has to find out what went wrong.
    fn story(&self) -> String {
        let all = self.sentinels.iter().chain(&self.servers);
        all.map(|server| format!("{}:\n{}", server.address(), server.log())).collect()
    }

    fn primary_port(&self, sentinel: &RedisServer) -> Option<u16> {
        let asked = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self::PRIMARY_NAME];
        sentinel.try_command(&asked).ok()?.lines().nth(1)?.parse().ok()
    }

    fn running(&self) -> impl Iterator<Item = &RedisServer> {
        self.sentinels.iter().filter(|sentinel| sentinel.process_id().is_some())
    }

    fn any(&self) -> &RedisServer {
        self.running().next().unwrap_or_else(|| panic!("no Sentinel runs"))
    }
}

/// Whether `sentinel` is in touch with the primary at `port`, both replicas and the other Sentinels.
fn knows_all(sentinel: &RedisServer, port: u16) -> bool {
    let said = sentinel.try_command(&["SENTINEL", "MASTER", RedisSentinel::PRIMARY_NAME]);
    let said = said.unwrap_or_default();
    let pairs: Vec<_> = said.lines().collect();
    let is = |name: &str, value: &str| pairs.chunks_exact(2).any(|pair| pair == [name, value]);
    let quorum = sentinel.try_command(&["SENTINEL", "CKQUORUM", RedisSentinel::PRIMARY_NAME]);
    let replicas = sentinel.try_command(&["SENTINEL", "REPLICAS", RedisSentinel::PRIMARY_NAME]);
    is("port", &port.to_string())
        && is("flags", "master")
        && is("num-slaves", "2")
        && is("num-other-sentinels", "2")
        && quorum.is_ok_and(|said| said.starts_with("OK 3 "))
        && replicas.is_ok_and(|said| said.matches("master-link-status\nok").count() == 2)
}

/// The lines of the Sentinel `myself`, which knows the servers and the others from the start.
fn describe(servers: &[RedisServer], sentinels: &[u16], myself: usize) -> String {
    let name = RedisSentinel::PRIMARY_NAME;
    let id = |sentinel: usize| format!("{:040x}", sentinel + 1);
    let mut lines = format!("sentinel myid {}\n", id(myself));
    let mut line = |words: std::fmt::Arguments<'_>| {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "sentinel {words}");
    };
    for (place, server) in servers.iter().enumerate() {
        let port = server.port();
        if place > 0 {
            line(format_args!("known-replica {name} 127.0.0.1 {port}"));
            continue;
        }
        line(format_args!("monitor {name} 127.0.0.1 {port} {QUORUM}"));
        line(format_args!("down-after-milliseconds {name} 500"));
        line(format_args!("failover-timeout {name} 3000"));
        line(format_args!("parallel-syncs {name} 2"));
        if let Some(password) = server.password() {
            line(format_args!("auth-pass {name} {password}"));
        }
    }
    for (sentinel, port) in sentinels.iter().enumerate().filter(|(place, _)| *place != myself) {
        line(format_args!("known-sentinel {name} 127.0.0.1 {port} {}", id(sentinel)));
    }
    lines
}
