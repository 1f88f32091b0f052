//! The backends, each a row: which tests it has, which servers it needs, how they are made one.
//!
//! Places to fill in: `{port}` is the server's own port, `{NAME.port}` the port of the server NAME,
//! `{NAME}` the addresses of all servers NAME, parted by commas in a URL and by spaces in a command.

/// A backend.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// Whose tests it is tested by.
    pub(super) package: &'static str,
    /// Its names in the package's `tests/conformance.rs`.
    pub(super) harnesses: &'static [&'static str],
    /// Started in this order, each group when the one before it answers.
    pub(super) servers: &'static [Server],
    /// Run, cut at white space, when all servers answer.
    pub(super) commands: &'static [&'static str],
    /// What a person gives to rucache.
    pub(super) url: &'static str,
}

/// Servers of one kind. Each runs in a private folder of its own.
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) count: usize,
    pub(super) program: &'static str,
    /// What stands in [`FILE`], in its folder.
    pub(super) file: &'static str,
    /// Cut at white space. Names the port, by which the process is known again.
    pub(super) args: &'static str,
    /// Answered when it has started.
    pub(super) started: Question,
    /// Answered when all have found together.
    pub(super) settled: Question,
}

/// A line to send to a server, and what its reply must contain.
#[derive(Clone, Copy)]
pub(super) struct Question {
    pub(super) ask: &'static str,
    pub(super) answer: &'static str,
}

/// The configuration of a server, in its folder.
pub(super) const FILE: &str = "server.conf";

const REDIS: &str = "redis-server";
const MEMCACHED: &str = "memcached";

const REDIS_PACKAGE: &str = "rucache-redis";
const MEMCACHED_PACKAGE: &str = "rucache-memcached";

/// Nothing is kept, and a replica has its copy at once instead of five seconds later.
const REDIS_FILE: &str = "bind 127.0.0.1\nsave \"\"\nappendonly no\nrepl-diskless-sync-delay 0\n";

const SENTINEL_FILE: &str = "\
bind 127.0.0.1
sentinel monitor mymaster 127.0.0.1 {primary.port} 2
sentinel down-after-milliseconds mymaster 1000
sentinel failover-timeout mymaster 5000
";

const PING: Question = Question { ask: "PING", answer: "+PONG" };
const FOLLOWS: Question = Question { ask: "ROLE", answer: "connected" };
const CLUSTER_OK: Question = Question { ask: "CLUSTER INFO", answer: "cluster_state:ok" };
const QUORUM: Question =
    Question { ask: "SENTINEL CKQUORUM mymaster", answer: "+OK 3 usable Sentinels" };
const VERSION: Question = Question { ask: "version", answer: "VERSION " };

const REDIS_SERVER: Server = Server {
    name: "server",
    count: 1,
    program: REDIS,
    file: REDIS_FILE,
    args: "server.conf --port {port}",
    started: PING,
    settled: PING,
};

/// As root it asks for a user to become; otherwise it ignores the one named.
const MEMCACHED_SERVER: Server = Server {
    name: "server",
    count: 1,
    program: MEMCACHED,
    file: "",
    args: "-l 127.0.0.1 -p {port} -U 0 -m 64 -u nobody",
    started: VERSION,
    settled: VERSION,
};

pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "memory",
        what: "inside the process, no server",
        package: "rucache-memory",
        harnesses: &["memory", "memory-small"],
        servers: &[],
        commands: &[],
        url: "memory://",
    },
    Row {
        name: "redis",
        what: "one redis-server, over RESP3 and RESP2",
        package: REDIS_PACKAGE,
        harnesses: &["redis-resp3", "redis-resp2"],
        servers: &[REDIS_SERVER],
        commands: &[],
        url: "redis://{server}",
    },
    Row {
        name: "redis-cluster",
        what: "three primaries with a replica each",
        package: REDIS_PACKAGE,
        harnesses: &["redis-cluster"],
        servers: &[Server {
            name: "node",
            count: 6,
            args: "server.conf --port {port} --cluster-enabled yes --cluster-node-timeout 2000",
            settled: CLUSTER_OK,
            ..REDIS_SERVER
        }],
        commands: &["redis-cli --cluster create {node} --cluster-replicas 1 --cluster-yes"],
        url: "redis+cluster://{node}",
    },
    Row {
        name: "redis-sentinel",
        what: "a primary and two replicas, guarded by three Sentinels",
        package: REDIS_PACKAGE,
        harnesses: &["redis-sentinel"],
        servers: &[
            Server { name: "primary", ..REDIS_SERVER },
            // A Sentinel looks for replicas at once and then every ten seconds: they come first.
            Server {
                name: "replica",
                count: 2,
                args: "server.conf --port {port} --replicaof 127.0.0.1 {primary.port}",
                started: FOLLOWS,
                settled: FOLLOWS,
                ..REDIS_SERVER
            },
            Server {
                name: "sentinel",
                count: 3,
                file: SENTINEL_FILE,
                args: "server.conf --sentinel --port {port}",
                settled: QUORUM,
                ..REDIS_SERVER
            },
        ],
        commands: &[],
        url: "redis+sentinel://{sentinel}/mymaster",
    },
    Row {
        name: "memcached",
        what: "one memcached",
        package: MEMCACHED_PACKAGE,
        harnesses: &["memcached-1"],
        servers: &[MEMCACHED_SERVER],
        commands: &[],
        url: "memcached://{server}",
    },
    Row {
        name: "memcached-3",
        what: "a pool of three memcached",
        package: MEMCACHED_PACKAGE,
        harnesses: &["memcached-3"],
        servers: &[Server { count: 3, ..MEMCACHED_SERVER }],
        commands: &[],
        url: "memcached://{server}",
    },
];

impl Row {
    /// Every program it needs, once.
    pub(super) fn programs(&self) -> Vec<&'static str> {
        let servers = self.servers.iter().map(|server| server.program);
        let commands = self.commands.iter().filter_map(|line| line.split_whitespace().next());
        let mut programs = Vec::new();
        for program in servers.chain(commands) {
            if !programs.contains(&program) {
                programs.push(program);
            }
        }
        programs
    }

    pub(super) fn server_count(&self) -> usize {
        self.servers.iter().map(|server| server.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::Tool;

    #[test]
    fn names_are_unique() {
        for row in ROWS {
            assert_eq!(ROWS.iter().filter(|other| other.name == row.name).count(), 1);
            assert_ne!(row.name, super::super::ALL);
            for server in row.servers {
                let same = row.servers.iter().filter(|other| other.name == server.name);
                assert_eq!(same.count(), 1, "{} {}", row.name, server.name);
            }
        }
    }

    /// Tests are chosen by parts of their names, so that none may end in another.
    #[test]
    fn no_harness_is_the_end_of_another() {
        let names: Vec<_> = ROWS.iter().flat_map(|row| row.harnesses).collect();
        for name in &names {
            assert_eq!(names.iter().filter(|n| n.ends_with(**name)).count(), 1, "{name}");
        }
    }

    #[test]
    fn every_program_has_a_row_among_the_tools() {
        for program in ROWS.iter().flat_map(Row::programs) {
            let tool = Tool::named(program).unwrap();
            assert!(tool.tasks.contains(&"integration"), "{program}");
        }
    }

    #[test]
    fn every_server_can_be_known_by_its_port() {
        for server in ROWS.iter().flat_map(|row| row.servers) {
            assert!(server.args.contains(" {port}"), "{}", server.args);
            assert_eq!(server.args.contains(FILE), !server.file.is_empty(), "{}", server.args);
        }
    }

    #[test]
    fn what_a_row_needs_is_named_once() {
        let programs = |name: &str| ROWS.iter().find(|row| row.name == name).unwrap().programs();
        assert_eq!(programs("memory"), [""; 0]);
        assert_eq!(programs("redis-sentinel"), ["redis-server"]);
        assert_eq!(programs("redis-cluster"), ["redis-server", "redis-cli"]);
    }
}
