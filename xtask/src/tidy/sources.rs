//! House style that a machine can judge, line by line.

use super::Finding;
use crate::workspace::Workspace;

/// A file is a concept: beyond this it is two.
const MAX_LINES: usize = 400;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 7] = ["common", "helper", "helpers", "manager", "misc", "util", "utils"];

/// Texts that do not belong in a source file, and what to do instead.
const FORBIDDEN: [(&str, &str); 5] = [
    (
        concat!("#[", "allow("),
        "use `#[expect(…, reason = \"…\")]`: it disappears when it no longer applies",
    ),
    (concat!("#![", "allow("), "use `#[expect(…, reason = \"…\")]` on the item that needs it"),
    (concat!("todo", "!("), "finish it or leave it out"),
    (concat!("unimplemented", "!("), "finish it or leave it out"),
    (concat!("FIX", "ME"), "fix it, or record the decision in docs/decisions"),
];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Use", "rs/"), concat!("/wo", "rk/")];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in workspace.files.iter().filter(|(path, _)| path.ends_with(".rs")) {
        let stem = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        if stem == "mod" {
            findings.push(Finding::at(
                path,
                "name the file after its module, beside the folder; no mod.rs",
            ));
        }
        if EMPTY_NAMES.contains(&stem) {
            findings.push(Finding::at(path, "name the file after the concept it holds"));
        }
        if !text.starts_with("//! ") {
            findings.push(Finding::at(
                path,
                "begin with a `//! ` line that says what the file is responsible for",
            ));
        }
        let lines = text.lines().count();
        if lines > MAX_LINES {
            findings.push(Finding::at(
                path,
                format!("has {lines} lines, at most {MAX_LINES}: split it by concept"),
            ));
        }
        for (number, line) in text.lines().enumerate() {
            let hits = FORBIDDEN.iter().filter(|(word, _)| line.contains(word));
            findings.extend(hits.map(|(word, advice)| {
                Finding::at_line(path, number + 1, format!("`{word}`: {advice}"))
            }));
        }
    }
    findings
}

/// Paths of somebody's machine, in whatever text of the repository.
pub(super) fn check_paths(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &workspace.files {
        for (number, line) in text.lines().enumerate() {
            if let Some(found) = MACHINE_PATHS.iter().find(|start| begins_a_path(line, start)) {
                let message = format!(
                    "`{found}…` exists on one machine: write a path from the root of the repository"
                );
                findings.push(Finding::at_line(path, number + 1, message));
            }
        }
    }
    findings
}

/// Whether `start` stands in `line` where a path begins, not inside a longer path or an address.
fn begins_a_path(line: &str, start: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || "._-~}/".contains(c);
    line.match_indices(start)
        .any(|(at, _)| !line[..at].ends_with(inside) || line[..at].ends_with("file://"))
}

#[cfg(test)]
mod tests {
    use super::super::texts;
    use super::*;

    fn workspace(path: &str, text: &str) -> Workspace {
        let mut workspace = Workspace::default();
        workspace.files.insert(path.to_owned(), text.to_owned());
        workspace
    }

    #[track_caller]
    fn one(found: Vec<Finding>, expected: &str) {
        let found = texts(found);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(expected), "{}", found[0]);
    }

    #[test]
    fn a_tidy_source_passes() {
        let good = "//! A key.\n\n#[expect(dead_code, reason = \"sample\")]\nfn key() {}\n";
        assert_eq!(check(&workspace("crates/a/src/key.rs", good)), []);
        let longest = format!("//! Long.\n{}", "\n".repeat(MAX_LINES - 1));
        assert_eq!(check(&workspace("crates/a/src/long.rs", &longest)), []);
    }

    #[test]
    fn names_and_first_lines_are_judged() {
        one(check(&workspace("crates/a/src/key/mod.rs", "//! Keys.\n")), "no mod.rs");
        one(check(&workspace("crates/a/src/utils.rs", "//! Things.\n")), "concept");
        one(
            check(&workspace("crates/a/src/key.rs", "use std::fmt;\n")),
            "begin with a `//! ` line",
        );
    }

    #[test]
    fn a_file_over_the_limit_is_found_with_its_length() {
        let long = format!("//! Long.\n{}", "\n".repeat(MAX_LINES));
        one(check(&workspace("crates/a/src/long.rs", &long)), "has 401 lines");
    }

    #[test]
    fn each_forbidden_text_is_found_with_its_line() {
        for (word, advice) in FORBIDDEN {
            let text = format!("//! Bad.\n\n{word}\n");
            one(
                check(&workspace("crates/a/src/bad.rs", &text)),
                &format!("bad.rs:3: `{word}`: {advice}"),
            );
        }
    }

    #[test]
    fn paths_of_a_machine_are_found_in_every_text() {
        for start in MACHINE_PATHS {
            for line in
                [format!("see {start}me/x"), format!("`{start}x`"), format!("file://{start}x")]
            {
                one(check_paths(&workspace("docs/a.md", &line)), "docs/a.md:1: ");
            }
            for line in [
                format!("https://example.org{start}x"),
                format!("crates{start}x"),
                format!("~{start}x"),
            ] {
                assert_eq!(check_paths(&workspace("docs/a.md", &line)), [], "{line}");
            }
        }
    }
}
