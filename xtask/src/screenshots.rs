//! The pictures of the page in the README, taken anew.

use crate::command::Invocation;
use crate::failure::Outcome;
use crate::tools::Tool;
use crate::workspace;

/// The test that takes them: it has the service and the browser at hand.
const TEST: &str = "test --package rucache-server --test watched -- --ignored --exact \
                    screenshots::pictures_of_the_page_are_taken";

/// Gets the programs, then takes the pictures.
pub(crate) fn run() -> Outcome {
    let root = workspace::root();
    for program in ["chromium", "redis-server"] {
        Tool::named(program)?.obtain(&root)?;
    }
    Invocation::cargo(TEST).run(&root)
}
