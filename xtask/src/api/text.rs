//! Source text of an item, on one line.

use proc_macro2::Span;
use syn::spanned::Spanned;

/// The source of one file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a>(pub(super) &'a str);

impl Source<'_> {
    /// What `node` reads like.
    pub(super) fn of(self, node: &impl Spanned) -> String {
        self.between(node.span(), node.span())
    }

    /// From the start of one node to the end of another.
    pub(super) fn across(self, first: &impl Spanned, last: &impl Spanned) -> String {
        self.between(first.span(), last.span())
    }

    fn between(self, first: Span, last: Span) -> String {
        let range = first.byte_range().start..last.byte_range().end;
        one_line(self.0.get(range).unwrap_or_default())
    }

    /// From the start of a node up to a token that opens its body.
    pub(super) fn up_to(self, first: &impl Spanned, body: Span) -> String {
        let range = first.span().byte_range().start..body.byte_range().start;
        one_line(self.0.get(range).unwrap_or_default())
    }
}

/// Line breaks, comments and the `mut` of parameters taken out: a signature reads the same however
/// it is broken and whatever its body does.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    let mut line = words.join(" ");
    for (broken, whole) in [
        ("( ", "("),
        (", )", ")"),
        (" )", ")"),
        ("< ", "<"),
        (", >", ">"),
        ("[ ", "["),
        (", ]", "]"),
        ("(mut ", "("),
        (", mut ", ", "),
    ] {
        line = line.replace(broken, whole);
    }
    line.trim_end_matches([',', ';', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_signature_reads_like_a_whole_one() {
        let broken = "fn a<\n    T: Clone,\n>(\n    mut b: T, // why\n    c: &mut [u8],\n) -> Vec<T>\nwhere\n    T: Send,";
        assert_eq!(one_line(broken), "fn a<T: Clone>(b: T, c: &mut [u8]) -> Vec<T> where T: Send");
    }
}
