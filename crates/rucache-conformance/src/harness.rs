//! From clauses to tests of their own name.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::{Clause, Env, clauses};

/// The variable that names the backends a run must not leave out: `all`, or names with commas.
pub const REQUIRE: &str = "RUCACHE_REQUIRE_BACKENDS";

/// Clauses at a time, unless the arguments say otherwise: most of their time on a server outside is
/// waiting for something to expire.
const THREADS: usize = 16;

/// A backend to be tested, or the reason why it is not there.
#[derive(Clone)]
pub struct Harness {
    name: String,
    state: State,
}

#[derive(Clone)]
enum State {
    Ready(Arc<dyn Fn() -> Env + Send + Sync>),
    Missing(String),
}

impl Harness {
    /// A backend that `open` opens for each clause: a fresh one, or another handle to a server.
    #[must_use]
    pub fn new(name: impl Into<String>, open: impl Fn() -> Env + Send + Sync + 'static) -> Self {
        Self { name: name.into(), state: State::Ready(Arc::new(open)) }
    }

    /// A backend that is not configured here. Its tests show as ignored with `reason`, which says
    /// how to configure it; they fail where the run requires the backend by [`REQUIRE`].
    #[must_use]
    pub fn missing(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Missing(reason.into()) }
    }

    /// A test for each clause, called `{name}::{clause}`.
    #[must_use]
    pub fn trials(&self) -> Vec<Trial> {
        let required = std::env::var(REQUIRE).unwrap_or_default();
        let required = is_named(&self.name, &required);
        let trial = |clause: Clause| {
            let (name, state) = (format!("{}::{}", self.name, clause.name), self.state.clone());
            Trial::ignorable_test(name, move || state.try_out(clause, required))
        };
        clauses().map(trial).collect()
    }
}

impl State {
    fn try_out(&self, clause: Clause, required: bool) -> Result<Completion, Failed> {
        match self {
            Self::Ready(open) => match (clause.check)(&open()) {
                Ok(()) => Ok(Completion::Completed),
                Err(failure) => Err(format!("{}\n{failure}", clause.states.trim()).into()),
            },
            Self::Missing(reason) if required => {
                Err(format!("{REQUIRE} asks for this backend, which is missing: {reason}").into())
            }
            Self::Missing(reason) => Ok(Completion::ignored_with(reason)),
        }
    }
}

impl fmt::Debug for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harness").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The `main` of an adapter's `tests/conformance.rs` (`harness = false`): every clause for every
/// backend, under the arguments of `cargo test`.
pub fn main(harnesses: impl IntoIterator<Item = Harness>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let trials = harnesses.into_iter().flat_map(|harness| harness.trials()).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The names of the clauses that a backend breaks; a panic breaks a clause too.
#[must_use]
pub fn broken_clauses(open: impl Fn() -> Env) -> Vec<&'static str> {
    let holds = |clause: &Clause| {
        matches!(catch_unwind(AssertUnwindSafe(|| (clause.check)(&open()))), Ok(Ok(())))
    };
    clauses().filter(|clause| !holds(clause)).map(|clause| clause.name).collect()
}

fn is_named(name: &str, list: &str) -> bool {
    list.split(',').map(str::trim).any(|one| one == "all" || one == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_backend_is_ignored_unless_required() {
        let missing = State::Missing("set RUCACHE_TEST_REDIS to a URL".to_owned());
        for clause in clauses() {
            let ignored = missing.try_out(clause, false);
            assert!(matches!(ignored, Ok(Completion::Ignored { reason: Some(_) })));
            let failed = missing
                .try_out(clause, true)
                .err()
                .and_then(|failed| failed.message().map(ToOwned::to_owned));
            assert!(failed.is_some_and(|failed| failed.contains("set RUCACHE_TEST_REDIS")));
        }
    }

    #[test]
    fn required_are_all_or_those_named() {
        for list in ["all", "redis", "memcached, redis"] {
            assert!(is_named("redis", list), "{list:?}");
        }
        for list in ["", "memcached", "redis-cluster"] {
            assert!(!is_named("redis", list), "{list:?}");
        }
    }
}
