//! Fleets on real servers, for longer than the tests of every day.

use crate::command::Invocation;
use crate::failure::Outcome;
use crate::tools::Tool;
use crate::workspace;

/// The servers that it starts.
const SERVERS: [&str; 2] = ["redis-server", "memcached"];

/// What tells the tests of their seed and length.
const VARIABLES: [(&str, &str); 2] =
    [("--seed", "RUCACHE_FLEET_SEED"), ("--seconds", "RUCACHE_FLEET_SECONDS")];

/// How long each fleet is in trouble, unless told.
const SECONDS: &str = "60";

/// Gets the servers, then runs the fleets.
pub(crate) fn run(args: &[String]) -> Outcome {
    let root = workspace::root();
    for server in SERVERS {
        Tool::named(server)?.obtain(&root)?;
    }
    fleets(args).run(&root)
}

/// The command; `args` are options with their values.
fn fleets(args: &[String]) -> Invocation {
    let fleets =
        Invocation::cargo("test --package rucache --features redis,memcached --test fleet")
            .words("-- invariants:: --nocapture");
    let given = |option: &str| args.chunks(2).rev().find(|pair| pair[0] == option);
    VARIABLES.iter().fold(fleets, |fleets, (option, variable)| match given(option) {
        Some([_, value]) => fleets.env(variable, value),
        _ if *option == "--seconds" => fleets.env(variable, SECONDS),
        _ => fleets,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_variables_and_the_last_one_counts() {
        let args = ["--seed", "3", "--seconds", "9", "--seed", "4"].map(str::to_owned);
        let command = fleets(&args).to_string();
        assert!(command.starts_with("RUCACHE_FLEET_SEED=4 RUCACHE_FLEET_SECONDS=9 cargo test"));
        let command = fleets(&[]).to_string();
        assert!(command.starts_with("RUCACHE_FLEET_SECONDS=60 cargo test"));
    }
}
