//! Numbers as people give them: arguments, or lines of standard input.

use std::io::{self, BufRead, IsTerminal};

use anstream::eprintln;
use rucache::ruc::{InvalidRuc, Ruc};

use super::exit::Failure;

/// A text that should be a RUC, and what it is.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The text as it was given.
    pub(super) input: String,
    /// The number, read as people write numbers.
    pub(super) ruc: Result<Ruc, InvalidRuc>,
}

impl Candidate {
    fn new(input: String) -> Self {
        let ruc = Ruc::parse_lenient(&input);
        Self { input, ruc }
    }

    /// Whether the number was written with something between or around its digits.
    pub(super) fn is_tidied(&self) -> bool {
        self.ruc.is_ok_and(|ruc| ruc.to_ascii() != self.input.as_bytes())
    }
}

/// The candidates in `arguments`, or on standard input when there is no argument.
pub(super) fn candidates(arguments: Vec<String>) -> Result<Vec<Candidate>, Failure> {
    let candidates: Vec<_> = if arguments.is_empty() {
        let stdin = io::stdin().lock();
        if stdin.is_terminal() {
            eprintln!("rucache: reading numbers, one per line; end with Ctrl-D");
        }
        lines(stdin).map_err(|error| {
            Failure::new(format!("cannot read the numbers from standard input: {error}"))
        })?
    } else {
        arguments.into_iter().map(Candidate::new).collect()
    };
    if candidates.is_empty() {
        eprintln!("rucache: no number was given");
    }
    Ok(candidates)
}

/// One candidate a line; blank lines and comments are passed over.
fn lines(mut input: impl BufRead) -> io::Result<Vec<Candidate>> {
    let mut candidates = Vec::new();
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        // A list saved in an old encoding is still a list: what is not UTF-8 is no digit either.
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']);
        if !text.trim().is_empty() && !text.trim_start().starts_with('#') {
            candidates.push(Candidate::new(text.to_owned()));
        }
        line.clear();
    }
    Ok(candidates)
}

/// Says on standard error which numbers were not read as they were written.
pub(super) fn tell_tidied(candidates: &[Candidate]) {
    let mut tidied = candidates.iter().filter(|candidate| candidate.is_tidied());
    let Some((first, ruc)) = tidied.next().and_then(|first| Some((first, first.ruc.ok()?))) else {
        return;
    };
    let example = format!("{:?} as {ruc}", first.input);
    match tidied.count() {
        0 => eprintln!("rucache: note: read {example}"),
        others => eprintln!("rucache: note: read {example}, and {others} more like it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(text: &[u8]) -> Vec<String> {
        let candidates = lines(text).expect("memory can be read");
        candidates.into_iter().map(|candidate| candidate.input).collect()
    }

    #[test]
    fn blank_lines_and_comments_are_passed_over() {
        assert_eq!(
            inputs(b"\xef\xbb\xbf# clientes\r\n20131312955\r\n\n  \n  # more\nabc"),
            ["20131312955", "abc"]
        );
        assert_eq!(inputs(b""), Vec::<String>::new());
    }

    #[test]
    fn bytes_that_are_no_text_are_no_number() {
        let candidates = lines(&b"2013131295\xff\n"[..]).expect("memory can be read");
        assert_eq!(candidates[0].input, "2013131295\u{fffd}");
        assert!(candidates[0].ruc.is_err());
    }

    #[test]
    fn only_a_number_written_otherwise_is_tidied() {
        for (input, tidied) in
            [("20131312955", false), (" 20131312955", true), ("20-13131295-5", true), ("x", false)]
        {
            assert_eq!(Candidate::new(input.to_owned()).is_tidied(), tidied, "{input}");
        }
    }
}
