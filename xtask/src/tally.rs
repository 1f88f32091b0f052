//! The closing lines of the test runners, kept for the end of a long output.

use std::collections::BTreeSet;
use std::fmt;

/// What `cargo test` printed that matters afterwards.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// The crate of the last line that named one: lines of integration tests do not.
    crate_name: String,
    /// What is running, in cargo's words.
    running: String,
    runs: Vec<Run>,
    failed: Vec<String>,
    /// Backends of which a clause passed.
    conformed: BTreeSet<String>,
}

/// The test target whose tests are called `BACKEND::CLAUSE`.
const CONFORMANCE: &str = "tests/conformance.rs";

#[derive(Debug)]
struct Run {
    of: String,
    closing: String,
    counts: [u64; 3],
}

impl Tally {
    /// What follows belongs to `package`, whether or not cargo says so.
    pub(crate) fn begin(&mut self, package: &str) {
        self.crate_name = package.replace('-', "_");
    }

    /// Takes one line of the runner's output.
    pub(crate) fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["Running", "unittests", source, binary] => {
                self.crate_name = crate_name(binary);
                (*source).clone_into(&mut self.running);
            }
            ["Running", source, _] => (*source).clone_into(&mut self.running),
            ["Doc-tests", name] => {
                (*name).clone_into(&mut self.crate_name);
                "doc tests".clone_into(&mut self.running);
            }
            ["test", "result:", ..] => {
                let of = format!("{} {}", self.crate_name, self.running);
                let counts = ["passed", "failed", "ignored"].map(|word| count(&words, word));
                self.runs.push(Run { of, closing: line.trim().to_owned(), counts });
            }
            ["test", name @ .., "...", "FAILED"] => {
                self.failed.push(format!(
                    "{} {}: {}",
                    self.crate_name,
                    self.running,
                    name.join(" ")
                ));
            }
            ["test", name, "...", "ok"] if self.running == CONFORMANCE => {
                self.conformed.extend(name.split_once("::").map(|(backend, _)| backend.to_owned()));
            }
            _ => {}
        }
    }

    /// Whether a clause of the contract passed for `backend`.
    pub(crate) fn conformed(&self, backend: &str) -> bool {
        self.conformed.contains(backend)
    }

    /// Whether any runner has closed.
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

/// `rucache_core` of `(target/debug/deps/rucache_core-0123456789abcdef)`.
fn crate_name(binary: &str) -> String {
    let file = binary.trim_matches(['(', ')']).rsplit(['/', '\\']).next().unwrap_or_default();
    file.rsplit_once('-').map_or(file, |(name, _)| name).to_owned()
}

/// The number before `word`.
fn count(words: &[&str], word: &str) -> u64 {
    let at = words.iter().position(|w| w.trim_end_matches(';') == word);
    at.and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok()).unwrap_or(0)
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for run in self.runs.iter().filter(|run| run.counts != [0; 3]) {
            writeln!(f, "{:<40}  {}", run.of, run.closing)?;
        }
        for failed in &self.failed {
            writeln!(f, "FAILED {failed}")?;
        }
        let [passed, failed, ignored] = self.runs.iter().fold([0; 3], |sum, run| {
            [sum[0] + run.counts[0], sum[1] + run.counts[1], sum[2] + run.counts[2]]
        });
        write!(f, "all tests: {passed} passed, {failed} failed, {ignored} ignored")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "
   Compiling rucache-core v0.1.0
     Running unittests src/lib.rs (target/debug/deps/rucache_core-0123456789abcdef)

running 2 tests
test key::tests::a ... ok
test key::tests::b ... FAILED

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s

     Running tests/it/main.rs (target/debug/deps/it-0123456789abcdef)
test result: ok. 30 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 1.20s
     Running unittests src/main.rs (target/debug/deps/rucache-0123456789abcdef)
test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
   Doc-tests rucache_core
test crates/rucache-core/src/lib.rs - (line 3) ... ok
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.30s
";

    #[test]
    fn closing_lines_are_kept_with_what_they_close() {
        let mut tally = Tally::default();
        assert!(tally.is_empty());
        OUTPUT.lines().for_each(|line| tally.take(line));
        assert!(!tally.is_empty());
        let text = tally.to_string();
        assert!(!tally.conformed("key"), "a module of another test target is no backend");
        let lines: Vec<_> =
            text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "rucache_core src/lib.rs test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
                "rucache_core tests/it/main.rs test result: ok. 30 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 1.20s",
                "rucache_core doc tests test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.30s",
                "FAILED rucache_core src/lib.rs: key::tests::b",
                "all tests: 32 passed, 1 failed, 2 ignored",
            ]
        );
    }

    #[test]
    fn a_backend_conforms_when_one_of_its_clauses_passed() {
        let mut tally = Tally::default();
        tally.begin("rucache-redis");
        for line in [
            "     Running tests/conformance.rs (target/debug/deps/conformance-0123456789abcdef)",
            "test redis-resp3::set_then_get    ... ok",
            "test redis-resp2::set_then_get    ... FAILED",
            "test redis-cluster::set_then_get  ... ignored",
        ] {
            tally.take(line);
        }
        let backends = ["redis-resp3", "redis-resp2", "redis-cluster"];
        assert_eq!(backends.map(|backend| tally.conformed(backend)), [true, false, false]);
        assert!(
            tally.to_string().starts_with(
                "FAILED rucache_redis tests/conformance.rs: redis-resp2::set_then_get\n"
            )
        );
    }
}
