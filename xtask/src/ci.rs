//! Everything that must hold before a change goes in, step by step. CI runs exactly this.

mod depend;
mod features;
mod monitoring;

use std::path::Path;

use crate::command::{Invocation, Stopwatch};
use crate::failure::{Failure, Outcome};
use crate::tally::Tally;
use crate::tools::{self, Tool};
use crate::workspace::{self, Workspace};
use crate::{api, integration, package, tidy};

/// A step, by the name it can be run alone with.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    run: fn(&Workspace, &mut Tally) -> Outcome,
}

/// All steps: what fails often and fast first, what has to build a tool last.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "format",
        what: "rustfmt changes nothing",
        run: |w, _| cargo(w, "fmt --all --check"),
    },
    Step { name: "tidy", what: "cargo xtask tidy", run: |w, _| tidy::run(w) },
    Step {
        name: "clippy",
        what: "no warning in any target with all features",
        run: |w, _| cargo(w, "clippy --workspace --all-targets --all-features -- -D warnings"),
    },
    Step { name: "tests", what: "all tests, doc tests included", run: tests },
    Step { name: "docs", what: "the documentation builds without a warning", run: docs },
    Step {
        name: "features",
        what: "the facade with each feature alone, with none, with all",
        run: |w, _| features::run(w),
    },
    Step {
        name: "depend",
        what: "each way to depend on a part builds as a package that asks for nothing else",
        run: |w, _| depend::run(w),
    },
    Step {
        name: "api",
        what: "the public items are those listed in docs/api",
        run: |w, _| api::run(w, api::Write::Compare),
    },
    Step {
        name: "metrics",
        what: "rules, alerts, dashboard and exposition hold for Prometheus",
        run: |w, _| monitoring::run(&w.root),
    },
    Step {
        name: "package",
        what: "every library crate packs, and builds from its archive",
        run: |w, _| package::run(w),
    },
    Step { name: "deny", what: "licences, sources and banned crates of the whole tree", run: deny },
];

/// Gets what the tests need, then runs every step.
pub(crate) fn test() -> Outcome {
    tools::prepare(&workspace::root(), "test")?;
    run(&[])
}

/// Runs the named steps, or all. A failing step does not keep the others from running, so that one
/// run tells everything; the summary comes last, the closing lines of the test runners after it.
pub(crate) fn run(names: &[String]) -> Outcome {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        return Err(Failure::new(format!(
            "ci has no step `{unknown}`; `cargo xtask help` lists them"
        )));
    }
    let workspace = Workspace::load()?;
    let mut tally = Tally::default();
    let mut summary = String::new();
    let mut failed = Vec::new();
    for step in
        STEPS.iter().filter(|step| names.is_empty() || names.iter().any(|name| name == step.name))
    {
        println!("\n== {}: {}", step.name, step.what);
        let clock = Stopwatch::start();
        let result = (step.run)(&workspace, &mut tally);
        let time = clock.to_string();
        match result {
            Ok(()) => summary += &format!("ok      {:<9} {time:>8}\n", step.name),
            Err(failure) => {
                println!("{}: {failure}", step.name);
                summary += &format!("FAILED  {:<9} {time:>8}  {failure}\n", step.name);
                failed.push(step.name);
            }
        }
    }
    print!("\n== summary\n{summary}");
    if !tally.is_empty() {
        println!("\n== test results\n{tally}");
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "failed: {}; run one again with `cargo xtask ci {}`",
        failed.join(", "),
        failed[0]
    )))
}

fn cargo(workspace: &Workspace, line: &str) -> Outcome {
    Invocation::cargo(line).run(&workspace.root)
}

/// With the servers of every backend and the programs that watch the service: none can be left out.
fn tests(workspace: &Workspace, tally: &mut Tally) -> Outcome {
    integration::obtain_servers(&workspace.root)?;
    for program in ["prometheus", "chromium"] {
        Tool::named(program)?.obtain(&workspace.root)?;
    }
    let test = Invocation::cargo("test --workspace --all-features --no-fail-fast");
    let test = test.env(integration::REQUIRE, integration::EVERY_BACKEND);
    test.run_watched(&workspace.root, |line| tally.take(line))?;
    integration::all_conformed(tally, integration::ROWS)
}

fn docs(workspace: &Workspace, _: &mut Tally) -> Outcome {
    let doc = Invocation::cargo("doc --workspace --no-deps --all-features");
    doc.env("RUSTDOCFLAGS", "-D warnings").run(&workspace.root)
}

/// Advisories change without us and need a network: they belong to a scheduled run, not here.
fn deny(workspace: &Workspace, _: &mut Tally) -> Outcome {
    let root: &Path = &workspace.root;
    let deny = Tool::named(tools::DENY)?.obtain(root)?;
    deny.words("check bans licenses sources").run(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_step_is_named_before_anything_runs() {
        let message = run(&["fromat".to_owned()]).unwrap_err().to_string();
        assert!(message.contains("`fromat`"), "{message}");
    }

    #[test]
    fn names_of_steps_are_unique() {
        for step in STEPS {
            assert_eq!(
                STEPS.iter().filter(|other| other.name == step.name).count(),
                1,
                "{}",
                step.name
            );
        }
    }
}
