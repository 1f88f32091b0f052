//! The command line: which task, with what.

use std::fmt::Write as _;

use lexopt::{Arg, Parser, ValueExt as _};

use crate::api;
use crate::bench::SUITES;
use crate::ci::STEPS;
use crate::failure::{Failure, Outcome};
use crate::integration::{self, Action, ROWS};
use crate::mutants::MUTANTS;
use crate::tidy::CHECKS;

/// A task with its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    Test,
    /// All steps when none is named.
    Ci {
        steps: Vec<String>,
    },
    Tidy,
    Doctor,
    /// For one backend, or for all.
    Integration {
        action: Action,
        backend: String,
    },
    Bench {
        suite: String,
    },
    Peers,
    /// The simulator, with what it is told.
    Sim {
        args: Vec<String>,
    },
    /// The fault matrix, with what it is told.
    Faults {
        args: Vec<String>,
    },
    /// Fleets on real servers, with what they are told.
    Fleet {
        args: Vec<String>,
    },
    /// All mutants when none is named.
    Mutants {
        names: Vec<String>,
    },
    Screenshots,
    Package,
    Api {
        write: api::Write,
    },
}

/// An option that is handed on, and the tasks that take it.
const HANDED_ON: &[(&str, &[&str])] = &[
    ("seed", &["sim", "faults", "fleet"]),
    ("seeds", &["sim"]),
    ("config", &["sim"]),
    ("only", &["faults"]),
    ("on", &["faults"]),
    ("seconds", &["faults", "fleet"]),
];

/// Reads the command line; no argument at all means `help`.
pub(crate) fn parse(mut parser: Parser) -> Outcome<Task> {
    let mut words: Vec<String> = Vec::new();
    let mut bless = false;
    let mut options: Vec<(&[&str], Vec<String>)> = Vec::new();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(Task::Help),
            Arg::Long("bless") => bless = true,
            Arg::Long("whole") => options.push((&["sim"], vec!["--whole".to_owned()])),
            Arg::Long(long) => match HANDED_ON.iter().find(|(name, _)| *name == long) {
                Some((name, tasks)) => {
                    options.push((tasks, vec![format!("--{name}"), parser.value()?.string()?]));
                }
                None => return Err(arg.unexpected().into()),
            },
            Arg::Value(word) => words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let mut words = words.into_iter();
    let name = words.next().unwrap_or_else(|| "help".to_owned());
    let rest: Vec<String> = words.collect();
    if bless && name != "api" {
        return Err(Failure::new(format!(
            "`{name}` has nothing to bless; `--bless` belongs to `cargo xtask api`"
        )));
    }
    if let Some((tasks, option)) = options.iter().find(|(tasks, _)| !tasks.contains(&&*name)) {
        let (option, tasks) = (&option[0], tasks.join("` or `cargo xtask "));
        return Err(Failure::new(format!("`{option}` belongs to `cargo xtask {tasks}`")));
    }
    let args = options.into_iter().flat_map(|(_, words)| words).collect();
    match (name.as_str(), rest.as_slice()) {
        ("sim", []) => Ok(Task::Sim { args }),
        ("faults", []) => Ok(Task::Faults { args }),
        ("fleet", []) => Ok(Task::Fleet { args }),
        ("mutants", _) => Ok(Task::Mutants { names: rest }),
        ("ci", _) => Ok(Task::Ci { steps: rest }),
        ("bench", [suite]) => Ok(Task::Bench { suite: suite.clone() }),
        ("bench", _) => {
            Err(Failure::new("`bench` takes the name of one suite; `cargo xtask help` lists them"))
        }
        ("integration", words) => integration_task(words),
        ("help", _) => Ok(Task::Help),
        ("test", []) => Ok(Task::Test),
        ("tidy", []) => Ok(Task::Tidy),
        ("doctor", []) => Ok(Task::Doctor),
        ("peers", []) => Ok(Task::Peers),
        ("screenshots", []) => Ok(Task::Screenshots),
        ("package", []) => Ok(Task::Package),
        ("api", []) => {
            Ok(Task::Api { write: if bless { api::Write::Bless } else { api::Write::Compare } })
        }
        (_, []) => Err(Failure::new(format!("no task `{name}`; `cargo xtask help` lists them"))),
        (_, [word, ..]) => {
            Err(Failure::new(format!("`{name}` takes no argument, `{word}` was given")))
        }
    }
}

/// `show` alone shows all; whatever starts or ends something is told for which backend.
fn integration_task(words: &[String]) -> Outcome<Task> {
    let (action, backend) = match words {
        [action] if action == "show" => (action.as_str(), integration::ALL),
        [action, backend] => (action.as_str(), backend.as_str()),
        _ => ("", ""),
    };
    match Action::named(action) {
        Some(action) => Ok(Task::Integration { action, backend: backend.to_owned() }),
        None => Err(Failure::new(
            "`integration` takes show, up, test or down, and then a backend or `all`; \
             `cargo xtask help` lists the backends",
        )),
    }
}

/// The text of `cargo xtask help`, from the same tables that the tasks run.
pub(crate) fn help() -> String {
    let mut text = "\
Developer tasks of rucache: cargo xtask TASK

  test            check what the tests need, install what is missing, run everything CI runs
  ci [STEP…]      all steps below, or the named ones; a summary at the end
  tidy            the checks below, of layers, documents and house style
  doctor          what is installed, what is missing, which task needs it, how to get it
  integration ACTION BACKEND
                  the tests of one backend below, or of `all`, and servers for trying it out:
                  show (installed? up?), up (start its servers), test, down (end them)
  bench SUITE     measure, and write the result into docs/benchmarks.md
  peers           run the race tests on other caches too, which this downloads, and write what
                  they show into docs/comparison.md
  sim [--seeds N] [--config local|shared|push|pull]
                  simulated fleets, one for each seed, until one breaks a promise
  sim --seed S [--config NAME] [--whole]
                  one of them again, with its trace
  faults [--only F05,…] [--on redis,…] [--seed N] [--seconds S]
                  faults of servers, network and source under whole caches: what was seen, and
                  whether the promises were kept; --seconds says how long a fault lasts
  fleet [--seconds S] [--seed N]
                  processes on real servers in all kinds of trouble, for S seconds (60) on each
                  kind of server: what they read and change is held against the promises
  mutants [NAME…] switch a safeguard off, build, simulate: each below has to be noticed
  screenshots     take the pictures of the page in docs/images anew
  package         `cargo package` of every library crate, verified
  api [--bless]   compare the public items with docs/api, or rewrite docs/api
  help            this text
"
    .to_owned();
    let mut table = |title: &str, rows: &mut dyn Iterator<Item = (&str, &str)>| {
        let _ = writeln!(text, "\n{title}:");
        for (name, what) in rows {
            let _ = writeln!(text, "  {name:<14}  {what}");
        }
    };
    table("steps of ci", &mut STEPS.iter().map(|step| (step.name, step.what)));
    table("checks of tidy", &mut CHECKS.iter().map(|check| (check.name, check.what)));
    table("backends of integration", &mut ROWS.iter().map(|row| (row.name, row.what)));
    table("mutants", &mut MUTANTS.iter().map(|mutant| (mutant.name, mutant.what)));
    table("suites of bench", &mut SUITES.iter().map(|suite| (suite.name, suite.what)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Outcome<Task> {
        parse(Parser::from_args(line.split_whitespace()))
    }

    #[test]
    fn each_task_is_read_with_its_arguments() {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let ci = |steps: &[&str]| Task::Ci { steps: owned(steps) };
        let sim = |args: &[&str]| Task::Sim { args: owned(args) };
        let faults = |args: &[&str]| Task::Faults { args: owned(args) };
        let fleet = |args: &[&str]| Task::Fleet { args: owned(args) };
        let integration =
            |action, backend: &str| Task::Integration { action, backend: backend.to_owned() };
        for (line, task) in [
            ("", Task::Help),
            ("help", Task::Help),
            ("tidy --help", Task::Help),
            ("test", Task::Test),
            ("ci", ci(&[])),
            ("ci format deny", ci(&["format", "deny"])),
            ("tidy", Task::Tidy),
            ("doctor", Task::Doctor),
            ("integration show", integration(Action::Show, "all")),
            ("integration show redis", integration(Action::Show, "redis")),
            ("integration up redis-cluster", integration(Action::Up, "redis-cluster")),
            ("integration test all", integration(Action::Test, "all")),
            ("integration down memcached-3", integration(Action::Down, "memcached-3")),
            ("bench local", Task::Bench { suite: "local".to_owned() }),
            ("peers", Task::Peers),
            ("sim --seeds 9 --config push", sim(&["--seeds", "9", "--config", "push"])),
            ("sim --seed 3 --whole", sim(&["--seed", "3", "--whole"])),
            ("faults", faults(&[])),
            (
                "faults --only F05,F06 --on redis --seed 3 --seconds 9",
                faults(&["--only", "F05,F06", "--on", "redis", "--seed", "3", "--seconds", "9"]),
            ),
            ("fleet --seconds 600", fleet(&["--seconds", "600"])),
            ("mutants", Task::Mutants { names: Vec::new() }),
            ("mutants tag-epoch", Task::Mutants { names: vec!["tag-epoch".to_owned()] }),
            ("package", Task::Package),
            ("screenshots", Task::Screenshots),
            ("api", Task::Api { write: api::Write::Compare }),
            ("api --bless", Task::Api { write: api::Write::Bless }),
        ] {
            assert_eq!(words(line).unwrap(), task, "{line}");
        }
    }

    #[test]
    fn what_no_task_takes_is_refused_by_name() {
        for (line, named) in [
            ("tset", "tset"),
            ("tidy now", "now"),
            ("bench", "suite"),
            ("bench a b", "suite"),
            ("integration", "show, up, test or down"),
            ("integration up", "a backend or `all`"),
            ("integration start redis", "show, up, test or down"),
            ("integration up redis memory", "a backend or `all`"),
            ("ci --fast", "--fast"),
            ("tidy --bless", "bless"),
            ("bench local --seeds 9", "--seeds"),
            ("sim --only F05", "`cargo xtask faults`"),
            ("bench local --seconds 9", "`cargo xtask faults` or `cargo xtask fleet`"),
            ("sim 9", "`sim`"),
        ] {
            let message = words(line).unwrap_err().to_string();
            assert!(message.contains(named), "{line}: {message}");
        }
    }

    #[test]
    fn help_names_every_step_check_backend_and_suite() {
        let text = help();
        let names = STEPS.iter().map(|s| s.name);
        let names = names.chain(CHECKS.iter().map(|c| c.name));
        let names = names.chain(ROWS.iter().map(|r| r.name));
        let names = names.chain(MUTANTS.iter().map(|m| m.name));
        for name in names.chain(SUITES.iter().map(|s| s.name)) {
            assert!(text.contains(&format!("\n  {name} ")), "{name}");
        }
    }
}
