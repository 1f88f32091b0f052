//! The tests of the packages behind the rows, and whether each backend was really among them.

use std::path::Path;

use super::rows::{ROWS, Row};
use crate::command::Invocation;
use crate::failure::{Failure, Outcome};
use crate::tally::Tally;

/// The variable that names the backends a run must not leave out.
pub(crate) const REQUIRE: &str = "RUCACHE_REQUIRE_BACKENDS";

/// Its value that leaves out none.
pub(crate) const EVERY_BACKEND: &str = "all";

/// Runs the integration tests of each package once, with the backends of `rows` and no others.
pub(super) fn test(root: &Path, rows: &[&'static Row]) -> Outcome {
    let mut packages: Vec<_> = rows.iter().map(|row| row.package).collect();
    packages.dedup();
    let mut tally = Tally::default();
    let mut failures = Vec::new();
    for package in packages {
        tally.begin(package);
        let command = command(package, rows);
        if let Err(failure) = command.run_watched(root, |line| tally.take(line)) {
            failures.push(failure.to_string());
        }
    }
    println!("\n== test results\n{tally}");
    // After a failure that stopped everything, what is missing says nothing.
    if failures.is_empty() {
        return all_conformed(&tally, rows.iter().copied());
    }
    Err(Failure::new(failures.join("\n")))
}

/// Fails when a backend had no clause that passed: required is only what a package knows of.
pub(crate) fn all_conformed(
    tally: &Tally,
    rows: impl IntoIterator<Item = &'static Row>,
) -> Outcome {
    let mut silent = Vec::new();
    for row in rows {
        let missing = row.harnesses.iter().filter(|name| !tally.conformed(name));
        silent.extend(missing.map(|name| format!("`{name}` of {}", row.package)));
    }
    if silent.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "no clause passed for {}: does tests/conformance.rs there have a harness of that name?",
        silent.join(", ")
    )))
}

fn command(package: &str, rows: &[&Row]) -> Invocation {
    let of_package = |row: &&Row| row.package == package;
    let chosen: Vec<&str> =
        rows.iter().copied().filter(of_package).flat_map(|row| row.harnesses).copied().collect();
    let others = ROWS.iter().filter(of_package).flat_map(|row| row.harnesses);
    let others: Vec<_> = others.filter(|name| !chosen.contains(name)).collect();
    let test = Invocation::cargo("test --all-features --no-fail-fast --package").args([package]);
    let test = test.args(["--test", "*"]).env(REQUIRE, chosen.join(","));
    if others.is_empty() {
        return test;
    }
    let skipped = others.into_iter().flat_map(|name| ["--skip".to_owned(), format!("{name}::")]);
    test.args(["--"]).args(skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(package: &str, names: &[&str]) -> String {
        let rows: Vec<_> = ROWS.iter().filter(|row| names.contains(&row.name)).collect();
        command(package, &rows).to_string()
    }

    #[test]
    fn a_package_is_tested_with_the_chosen_backends_alone() {
        let start = "cargo test --all-features --no-fail-fast --package";
        assert_eq!(
            line("rucache-redis", &["redis", "memory"]),
            format!(
                "RUCACHE_REQUIRE_BACKENDS=redis-resp3,redis-resp2 {start} rucache-redis --test '*' \
                 -- --skip redis-cluster:: --skip redis-sentinel::"
            )
        );
        assert_eq!(
            line("rucache-memcached", &["memcached", "memcached-3"]),
            format!(
                "RUCACHE_REQUIRE_BACKENDS=memcached-1,memcached-3 {start} rucache-memcached \
                 --test '*'"
            )
        );
    }

    #[test]
    fn a_backend_without_a_passed_clause_is_named() {
        let mut tally = Tally::default();
        tally.take("     Running tests/conformance.rs (target/debug/deps/conformance-0a)");
        tally.take("test memory::x ... ok");
        tally.take("test memcached-1::x ... ok");
        let row = |name: &'static str| ROWS.iter().filter(move |row| row.name == name);
        assert!(all_conformed(&tally, row("memcached")).is_ok());
        let message = all_conformed(&tally, row("memory")).unwrap_err().to_string();
        assert!(message.contains("for `memory-small` of rucache-memory:"), "{message}");
    }
}
