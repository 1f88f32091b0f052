//! From clauses to tests of their own name.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::{Clause, Env, clauses};

/// The variable that names the backends a run must not leave out: `all`, or names with commas.
pub const REQUIRE: &str = "RUCACHE_REQUIRE_BACKENDS";

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
        self.trials_under(std::env::var(REQUIRE).ok().as_deref())
    }

    fn trials_under(&self, required: Option<&str>) -> Vec<Trial> {
        let required = required.is_some_and(|required| is_required(&self.name, required));
        let trial = |clause: Clause| {
            let state = self.state.clone();
            Trial::ignorable_test(format!("{}::{}", self.name, clause.name), move || match state {
                State::Ready(open) => {
                    (clause.check)(&open()).map_err(|failure| {
                        Failed::from(format!("{}\n{failure}", clause.states.trim()))
                    })?;
                    Ok(Completion::Completed)
                }
                State::Missing(reason) if required => {
                    Err(format!("required by {REQUIRE}, but not there: {reason}").into())
                }
                State::Missing(reason) => Ok(Completion::ignored_with(reason)),
            })
        };
        clauses().map(trial).collect()
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
    let arguments = Arguments::from_args();
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

fn is_required(name: &str, required: &str) -> bool {
    required.split(',').map(str::trim).any(|one| one == "all" || one == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conclude(required: Option<&str>) -> libtest_mimic::Conclusion {
        let missing = Harness::missing("redis", "set RUCACHE_TEST_REDIS to a URL");
        let mut arguments = Arguments::default();
        arguments.quiet = true;
        libtest_mimic::run(&arguments, missing.trials_under(required))
    }

    #[test]
    fn missing_backend_is_ignored() {
        for required in [None, Some(""), Some("memcached"), Some("redis-cluster")] {
            let conclusion = conclude(required);
            assert_eq!(conclusion.num_ignored, u64::try_from(clauses().count()).unwrap());
            assert_eq!((conclusion.num_passed, conclusion.num_failed), (0, 0));
        }
    }

    #[test]
    fn missing_backend_fails_where_it_is_required() {
        for required in ["all", "redis", "memcached, redis"] {
            let conclusion = conclude(Some(required));
            assert_eq!(conclusion.num_failed, u64::try_from(clauses().count()).unwrap());
        }
    }
}
