//! `docs/architecture.md` names exactly the crates that exist.

use std::collections::BTreeSet;

use super::Finding;
use crate::workspace::Workspace;

const PAGE: &str = "docs/architecture.md";
const PREFIX: &str = "rucache-";

/// Every member stands in the page between backticks; every word of the page that begins with
/// `rucache-` is a crate: a member, or one with a workspace of its own.
pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let Some(page) = workspace.files.get(PAGE) else {
        return vec![Finding::at(PAGE, "is missing: it says which crates there are and why")];
    };
    let mut findings = Vec::new();
    for package in &workspace.packages {
        if !page.contains(&format!("`{}`", package.name)) {
            findings.push(Finding::at(PAGE, format!("does not name the crate `{}`", package.name)));
        }
    }
    let mut seen = BTreeSet::new();
    for (number, line) in page.lines().enumerate() {
        for name in crate_names(line) {
            let exists = workspace.package(name).is_some()
                || workspace.files.contains_key(&format!("crates/{name}/Cargo.toml"));
            if !exists && seen.insert(name) {
                let message = format!("names `{name}`, and there is no such crate");
                findings.push(Finding::at_line(PAGE, number + 1, message));
            }
        }
    }
    findings
}

/// The words of a line that look like a crate of this workspace.
fn crate_names(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices(PREFIX).filter_map(|(start, _)| {
        let inside_a_word =
            line[..start].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
        let rest = &line[start..];
        let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
        let name = rest[..end.unwrap_or(rest.len())].trim_end_matches('-');
        (!inside_a_word && name.len() > PREFIX.len()).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::super::texts;
    use super::*;
    use crate::workspace::Package;

    fn findings(page: Option<&str>) -> Vec<String> {
        let mut workspace = Workspace::default();
        workspace.files.insert("crates/rucache-apart/Cargo.toml".to_owned(), String::new());
        for name in ["rucache", "rucache-core", "xtask"] {
            workspace.packages.push(Package { name: name.to_owned(), ..Package::default() });
        }
        workspace.files.extend(page.map(|text| (PAGE.to_owned(), text.to_owned())));
        texts(check(&workspace))
    }

    #[test]
    fn a_page_with_exactly_the_crates_passes() {
        let good = "| `rucache` | facade |\n| `rucache-core` | keys, in `crates/rucache-core/src` |\n`xtask`\n";
        assert_eq!(findings(Some(good)), [""; 0]);
    }

    #[test]
    fn a_crate_with_a_workspace_of_its_own_may_be_named() {
        let page = "`rucache` `rucache-core` `xtask` and rucache-apart\n";
        assert_eq!(findings(Some(page)), [""; 0]);
    }

    #[test]
    fn a_crate_left_out_is_found() {
        let found = findings(Some("`rucache` and `xtask`, rucache-core without backticks\n"));
        assert_eq!(found, ["docs/architecture.md: does not name the crate `rucache-core`"]);
    }

    #[test]
    fn a_crate_that_does_not_exist_is_found_once_with_its_line() {
        let found =
            findings(Some("`rucache` `rucache-core` `xtask`\nrucache-redis, `rucache-redis`\n"));
        assert_eq!(
            found,
            ["docs/architecture.md:2: names `rucache-redis`, and there is no such crate"]
        );
    }

    #[test]
    fn a_missing_page_is_found() {
        assert_eq!(findings(None).len(), 1);
    }
}
