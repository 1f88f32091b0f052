//! The facade with each of its features alone, with none and with all.

use crate::command::Invocation;
use crate::failure::{Failure, Outcome};
use crate::workspace::{Package, Workspace};

/// The only crate whose features are more than a switch of its own backend.
const FACADE: &str = "rucache";

pub(super) fn run(workspace: &Workspace) -> Outcome {
    let facade = workspace.package(FACADE);
    let facade =
        facade.ok_or_else(|| Failure::new(format!("the workspace has no crate `{FACADE}`")))?;
    commands(facade).iter().try_for_each(|command| command.run(&workspace.root))
}

/// Clippy and not check: what is unused without a feature is a warning, and warnings are errors.
fn commands(package: &Package) -> Vec<Invocation> {
    let clippy = |features: &[&str]| {
        let clippy =
            Invocation::cargo("clippy --quiet --no-deps --package").args([package.name.as_str()]);
        clippy.args(features.iter().copied()).words("-- -D warnings")
    };
    let mut commands = vec![clippy(&["--no-default-features"])];
    for feature in &package.features {
        commands.push(clippy(&["--no-default-features", "--features", feature]));
    }
    commands.push(clippy(&["--all-features"]));
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feature_stands_alone_between_none_and_all() {
        let features = vec!["default".to_owned(), "redis".to_owned()];
        let package = Package { name: "rucache".to_owned(), features, ..Package::default() };
        let lines: Vec<_> = commands(&package).iter().map(Invocation::to_string).collect();
        let start = "cargo clippy --quiet --no-deps --package rucache";
        assert_eq!(
            lines,
            [
                format!("{start} --no-default-features -- -D warnings"),
                format!("{start} --no-default-features --features default -- -D warnings"),
                format!("{start} --no-default-features --features redis -- -D warnings"),
                format!("{start} --all-features -- -D warnings"),
            ]
        );
    }
}
