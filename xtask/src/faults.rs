//! The fault matrix: a program of the facade's that provokes faults and judges what it sees.

use crate::command::Invocation;
use crate::failure::Outcome;
use crate::tools::Tool;
use crate::workspace;

/// The servers that it starts.
const SERVERS: [&str; 2] = ["redis-server", "memcached"];

/// Gets the servers, then runs it with `args`, optimised: it is held against time limits.
pub(crate) fn run(args: &[String]) -> Outcome {
    let root = workspace::root();
    for server in SERVERS {
        Tool::named(server)?.obtain(&root)?;
    }
    Invocation::cargo("bench --profile sim --package rucache --features redis,memcached")
        .words("--bench faults --")
        .args(args)
        .run(&root)
}
