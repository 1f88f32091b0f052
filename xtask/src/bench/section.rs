//! Sections of a text between two HTML comments that carry their name.

fn begin(name: &str) -> String {
    format!("<!-- begin {name} -->")
}

fn end(name: &str) -> String {
    format!("<!-- end {name} -->")
}

/// Both comments, for messages.
pub(crate) fn markers(name: &str) -> String {
    format!("put it between `{}` and `{}`", begin(name), end(name))
}

/// What stands between the comments.
pub(crate) fn extract<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&begin(name))?;
    rest.split_once(&end(name)).map(|(body, _)| body)
}

/// The text with the section's content replaced, or with a new section at its end.
pub(crate) fn replace(text: &str, name: &str, body: &str) -> Result<String, String> {
    let section = format!("{}\n\n{body}\n\n{}", begin(name), end(name));
    match (text.find(&begin(name)), text.find(&end(name))) {
        (Some(from), Some(to)) if from < to => {
            let after = &text[to + end(name).len()..];
            Ok(format!("{}{section}{after}", &text[..from]))
        }
        (None, None) => {
            let text = if text.trim().is_empty() { "# Benchmarks" } else { text.trim_end() };
            Ok(format!("{text}\n\n## {name}\n\n{section}\n"))
        }
        _ => Err(format!("has half a section `{name}`: {}", markers(name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str =
        "# Benchmarks\n\n## local\n\n<!-- begin local -->\n\nold\n\n<!-- end local -->\n\nafter\n";

    #[test]
    fn the_section_of_a_name_is_found_in_a_runners_output() {
        let output = "Running…\n<!-- begin local -->\n| a |\n<!-- end local -->\nbye\n";
        assert_eq!(extract(output, "local"), Some("\n| a |\n"));
        assert_eq!(extract(output, "load"), None);
        assert_eq!(extract("<!-- begin local -->\n", "local"), None);
    }

    #[test]
    fn a_section_is_replaced_in_its_place() {
        assert_eq!(replace(PAGE, "local", "new").unwrap(), PAGE.replace("old", "new"));
    }

    #[test]
    fn replacing_twice_is_replacing_once() {
        let once = replace(PAGE, "local", "new").unwrap();
        assert_eq!(replace(&once, "local", "new").unwrap(), once);
    }

    #[test]
    fn a_new_section_goes_to_the_end_and_an_empty_page_gets_a_title() {
        let page = replace("", "local", "new").unwrap();
        assert_eq!(
            page,
            "# Benchmarks\n\n## local\n\n<!-- begin local -->\n\nnew\n\n<!-- end local -->\n"
        );
        let page = replace(&page, "load", "more").unwrap();
        assert!(
            page.ends_with("## load\n\n<!-- begin load -->\n\nmore\n\n<!-- end load -->\n"),
            "{page}"
        );
        assert_eq!(extract(&page, "local").map(str::trim), Some("new"));
    }

    #[test]
    fn half_a_section_is_refused() {
        let message = replace("<!-- begin local -->\n", "local", "new").unwrap_err();
        assert!(message.contains("half a section `local`"), "{message}");
        assert!(replace("<!-- end local --> <!-- begin local -->", "local", "new").is_err());
    }
}
