//! The suite itself: good backends keep every clause, broken ones break theirs.

mod broken;
mod memory_store;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use rucache_conformance::{Clause, Env, Harness, Model, broken_clauses, clauses};
use rucache_core::emulation::Emulated;
use rucache_core::{KeyCodec, TestRuntime};

use broken::Broken;
use memory_store::MemoryStore;

/// Clauses that a backend cannot break without breaking others, and those others.
const INSEPARABLE: &[(&str, &[&str])] = &[
    ("expire_gives_a_new_version", &["version_is_refused_after_an_expire"]),
    ("lease_lapses", &["late_fill_leaves_the_next_load_alone"]),
    ("no_two_leases_are_equal", &["late_fill_leaves_the_next_load_alone"]),
];

fn main() -> ExitCode {
    let mut trials = Harness::new("model", model).trials();
    trials.extend(Harness::new("emulated", emulated).trials());
    trials.extend(Harness::new("emulated-with-prefix", prefixed).trials());
    trials.extend(clauses().map(|clause| {
        let name = format!("broken::{}", clause.name);
        Trial::test(name, move || breaks_exactly(clause))
    }));
    trials.push(Trial::test("names_of_clauses_differ", names_differ));
    trials.push(Trial::test("real_time_passes_by_waiting", real_time_passes));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn model() -> Env {
    let runtime = TestRuntime::new(1);
    Env::in_process(&runtime, Model::new(Arc::new(runtime.clone())))
}

fn emulated() -> Env {
    emulated_with(KeyCodec::default())
}

fn prefixed() -> Env {
    emulated_with(KeyCodec::with_prefix("electro_isla".parse().unwrap_or_else(|e| panic!("{e}"))))
}

fn emulated_with(codec: KeyCodec) -> Env {
    let runtime = TestRuntime::new(1);
    let clock = Arc::new(runtime.clone());
    Env::in_process(&runtime, Emulated::new(MemoryStore::new(clock.clone()), clock, codec))
}

/// The backend that breaks `clause` breaks that one, and none besides what is inseparable from it.
fn breaks_exactly(clause: Clause) -> Result<(), Failed> {
    let found: BTreeSet<_> = broken_clauses(|| {
        let runtime = TestRuntime::new(1);
        Env::in_process(&runtime, Broken::new(clause.name, runtime.clone()))
    })
    .into_iter()
    .collect();
    let others = INSEPARABLE.iter().find(|(name, _)| *name == clause.name);
    let others = others.map_or(&[][..], |(_, others)| others);
    let wanted: BTreeSet<_> = others.iter().copied().chain([clause.name]).collect();
    if found == wanted {
        return Ok(());
    }
    Err(format!("found {found:?}, wanted {wanted:?}").into())
}

fn names_differ() -> Result<(), Failed> {
    let names: BTreeSet<_> = clauses().map(|clause| clause.name).collect();
    if names.len() == clauses().count() { Ok(()) } else { Err("two clauses share a name".into()) }
}

/// Servers are not at hand here: the model stands in for one, without its clock being moved.
fn real_time_passes() -> Result<(), Failed> {
    let runtime = TestRuntime::new(1);
    let backend = Model::new(Arc::new(runtime.clone()));
    let env = Env::in_real_time(backend, move |job| runtime.block_on(job));
    let before = env.wall();
    env.advance(Duration::from_millis(20));
    let passed = env.wall().since(before);
    if passed < Duration::from_millis(20) {
        return Err(format!("{passed:?} passed instead of 20 ms").into());
    }
    for clause in clauses().filter(|clause| clause.name.contains("concurrent")) {
        (clause.check)(&env)?;
    }
    Ok(())
}
