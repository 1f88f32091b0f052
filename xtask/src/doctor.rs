//! What is installed, what is missing, which task needs it, how to get it.

use crate::failure::{Failure, Outcome};
use crate::tools::{DENY, TOOLS};
use crate::workspace;

/// Prints one line per tool; fails when a task would fail for want of one.
pub(crate) fn run() -> Outcome {
    let root = workspace::root();
    let mut missing = Vec::new();
    for tool in TOOLS {
        let needed = match tool.tasks {
            [] => "needed by no task so far".to_owned(),
            tasks => format!("needed by {}", tasks.join(", ")),
        };
        match tool.find(&root) {
            Some((_, version)) => println!("ok       {:<13} {version} ({needed})", tool.name),
            None => {
                println!("missing  {:<13} {needed}; get it with: {}", tool.name, tool.how());
                // `ci` builds this one by itself.
                if !tool.tasks.is_empty() && tool.name != DENY {
                    missing.push(tool.name);
                }
            }
        }
    }
    if missing.is_empty() {
        println!("`cargo xtask test` has what it needs, or gets it");
        return Ok(());
    }
    Err(Failure::new(format!(
        "missing: {}; the lines above say how to get them",
        missing.join(", ")
    )))
}
