//! Safeguards of the engine, each switched off for once: the simulator has to notice.

use std::fmt::Write as _;
use std::path::Path;

use crate::command::{Invocation, Stopwatch};
use crate::failure::{Failure, Outcome};
use crate::workspace;

/// A safeguard that `--cfg mutant="NAME"` switches off.
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    /// What is missing then.
    pub(crate) what: &'static str,
}

/// All of them.
pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant { name: "local-fence", what: "a change takes the key's flight off the table" },
    Mutant { name: "lease-fence", what: "a fill at the shared tier holds its lease" },
    Mutant {
        name: "copy-ticket",
        what: "a copy is made only if its key has not changed meanwhile",
    },
    Mutant { name: "flight-guard", what: "nobody joins a flight from before a clear" },
    Mutant { name: "markers-before-load", what: "markers are captured before the load" },
    Mutant { name: "tag-epoch", what: "a load during which a tag changed is not stored" },
    Mutant { name: "marker-reseed", what: "a lost marker never takes a value it has had" },
    Mutant { name: "suspect-mode", what: "copies are doubted while push is lost" },
    Mutant { name: "load-deadline", what: "a load is dropped at its deadline" },
    Mutant { name: "outbox-barrier", what: "what waits in the outbox is not read" },
    Mutant { name: "rewind", what: "markers are raised after a server went back in time" },
];

/// Seeds within which each has to be noticed.
const SEEDS: u64 = 2_000;

/// Builds and runs the named mutants, or all, and fails if one is not noticed.
pub(crate) fn run(names: &[String]) -> Outcome {
    let unknown = names.iter().find(|name| MUTANTS.iter().all(|mutant| mutant.name != **name));
    if let Some(unknown) = unknown {
        return Err(Failure::new(format!("no mutant `{unknown}`; `cargo xtask help` lists them")));
    }
    let root = workspace::root();
    let host = host(&root)?;
    let chosen =
        |mutant: &&Mutant| names.is_empty() || names.iter().any(|name| name == mutant.name);
    let (mut table, mut survivors) = (String::new(), Vec::new());
    for mutant in MUTANTS.iter().filter(chosen) {
        let clock = Stopwatch::start();
        let caught = hunt(&root, &host, mutant.name)?;
        println!("  {clock}");
        let line = caught.clone().unwrap_or_else(|| "SURVIVED".to_owned());
        let _ = writeln!(table, "{:<20}  {line}", mutant.name);
        if caught.is_none() {
            survivors.push(mutant.name);
        }
    }
    print!("\n== mutants\n{table}");
    if survivors.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("not noticed within {SEEDS} seeds: {}", survivors.join(", "))))
}

/// What the simulator says of a mutant: the seed, the promise, how; none when it notices nothing.
fn hunt(root: &Path, host: &str, name: &str) -> Outcome<Option<String>> {
    // With the target named, the flags hold for what is tested alone, not for its build tools.
    let line = format!(
        "run --quiet --package rucache-sim --profile sim --target {host} \
         --target-dir target/mutants -- --seeds {SEEDS} --expect-violation"
    );
    let command = Invocation::cargo(&line).env("RUSTFLAGS", format!("--cfg mutant=\"{name}\""));
    println!("$ {command}");
    let said = command.output(root)?;
    println!("{}", said.trim_end());
    Ok(said.lines().find_map(|line| line.strip_prefix("caught: ")).map(str::to_owned))
}

/// What this machine is called as a target.
fn host(root: &Path) -> Outcome<String> {
    let version = Invocation::new("rustc").words("--version --verbose").output(root)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::new("`rustc -vV` names no host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_mutant_is_named_before_anything_is_built() {
        let message = run(&["local-fense".to_owned()]).unwrap_err().to_string();
        assert!(message.contains("`local-fense`"), "{message}");
    }

    #[test]
    fn every_mutant_is_a_switch_of_the_code() {
        let files = crate::files::read(&workspace::root()).unwrap();
        let sources = || files.iter().filter(|(path, _)| path.starts_with("crates/"));
        for Mutant { name, .. } in MUTANTS {
            let switch = format!("cfg!(mutant = \"{name}\")");
            assert!(sources().any(|(_, text)| text.contains(&switch)), "nothing has {switch}");
        }
    }
}
