//! The crate that compares rucache with other caches. It has a workspace and a lock file of its
//! own, so that who builds rucache never downloads them.

use std::fs;

use crate::bench::{machine, section};
use crate::command::Invocation;
use crate::failure::{Doing as _, Failure, Outcome};
use crate::workspace;

/// Its folder.
pub(crate) const FOLDER: &str = "crates/rucache-peers";

/// Where it is built, apart from everything else.
const TARGET: &str = "target/peers";

/// The caches it compares with, as their versions are stated.
pub(crate) const PACKAGES: &[&str] = &[
    "amalgam-cache",
    "hitbox",
    "hitbox-fn",
    "hitbox-moka",
    "multi-tier-cache",
    "cached",
    "quick_cache",
    "moka",
];

const PAGE: &str = "docs/comparison.md";
const SECTION: &str = "races";

/// A command of cargo on the crate.
pub(crate) fn cargo(line: &str) -> Invocation {
    let manifest = format!("{FOLDER}/Cargo.toml");
    Invocation::cargo(line).args(["--manifest-path", &manifest, "--target-dir", TARGET])
}

/// Runs the races and replaces their section of the page; fails when rucache does not pass, after
/// the page says so.
pub(crate) fn run() -> Outcome {
    let root = workspace::root();
    let races = cargo("run --release --bin races");
    let mut output = String::new();
    let passed = races.run_watched(&root, |line| {
        output.push_str(line);
        output.push('\n');
    });
    let Some(result) = section::extract(&output, SECTION) else {
        passed?;
        let markers = section::markers(SECTION);
        return Err(Failure::new(format!("`{races}` printed no section: {markers}")));
    };
    let lock = format!("{FOLDER}/Cargo.lock");
    let body = format!(
        "{}\n\n{}\nRun by `cargo xtask peers`.",
        result.trim(),
        machine::describe(&root, &lock, PACKAGES, &[])?
    );
    let path = root.join(PAGE);
    let page = fs::read_to_string(&path).doing(|| format!("read {PAGE}"))?;
    let page = section::replace(&page, SECTION, &body)
        .map_err(|problem| Failure::new(format!("{PAGE} {problem}")))?;
    fs::write(&path, page).doing(|| format!("write {PAGE}"))?;
    println!("{PAGE}: section `{SECTION}` written");
    passed
}
