//! The simulator: many seeds, or one again.

use crate::command::Invocation;
use crate::failure::Outcome;
use crate::workspace;

/// Runs it with `args`, as optimised as its own profile says.
pub(crate) fn run(args: &[String]) -> Outcome {
    Invocation::cargo("run --package rucache-sim --profile sim --")
        .args(args)
        .run(&workspace::root())
}
