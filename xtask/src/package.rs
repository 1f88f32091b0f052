//! `cargo package` of every crate that is published as a library.

use crate::command::Invocation;
use crate::failure::Outcome;
use crate::workspace::Workspace;

/// Packs them in one call, so that cargo resolves those that are on no registry yet among each
/// other, and builds each from its own archive: a file that lies outside a crate's folder is
/// noticed here and nowhere else.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let libraries = workspace.packages.iter().filter(|package| package.library && package.publish);
    // Work not yet committed is packed too: what is checked is the folder, not the history.
    let command = Invocation::cargo("package --allow-dirty");
    command.args(libraries.flat_map(|package| ["--package", &package.name])).run(&workspace.root)
}
