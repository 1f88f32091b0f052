//! Masking on the way out: whatever is logged, and by whom, no line shows a RUC.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

/// Digits of a RUC.
const DIGITS: usize = 11;

/// What a RUC begins with; these two digits stay.
const PREFIXES: [&[u8]; 5] = [b"10", b"15", b"16", b"17", b"20"];

/// In the place of the other digits.
const MASK: &[u8] = b"*********";

/// A writer of log lines, or a maker of such writers, that shows eleven digits in a row which begin
/// like a RUC by their first two, their check digit right or wrong.
///
/// At the writer, because lines come from many places, and what each forgets must not matter.
#[derive(Debug, Clone)]
pub(crate) struct Masked<W>(pub(crate) W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Masked<W> {
    type Writer = Masked<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Masked(self.0.make_writer())
    }
}

impl<W: Write> Write for Masked<W> {
    /// Takes all of `line`: a line is written in one call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match masked(line) {
            Some(masked) => self.0.write_all(&masked)?,
            None => self.0.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// `line` with its numbers masked; none where there is nothing to mask.
fn masked(line: &[u8]) -> Option<Vec<u8>> {
    let mut masked: Option<Vec<u8>> = None;
    let mut at = 0;
    while at < line.len() {
        let run = line[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if run == DIGITS && PREFIXES.iter().any(|prefix| line[at..].starts_with(prefix)) {
            let masked = masked.get_or_insert_with(|| line.to_vec());
            if is_json_number(&line[..at]) {
                // Without quotes stars would break the line.
                masked[at + 2..at + run].fill(b'0');
            } else {
                masked[at + 2..at + run].copy_from_slice(MASK);
            }
        }
        at += run.max(1);
    }
    masked
}

/// Whether what follows `before` is a number by itself in a line of JSON: inside a text the quote
/// would be escaped.
fn is_json_number(before: &[u8]) -> bool {
    before.strip_suffix(b"\":").is_some_and(|name| !name.ends_with(b"\\"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let mut out = Masked(Vec::new());
        out.write_all(line.as_bytes()).expect("memory takes everything");
        assert_eq!(String::from_utf8(out.0).expect("text"), expected);
    }

    #[test]
    fn numbers_are_masked_wherever_they_stand() {
        check("Cache HIT: migo:ruc_20131312955\n", "Cache HIT: migo:ruc_20*********\n");
        check("10000000016 20131312955", "10********* 20*********");
        check("/v1/ruc/15000000012?x=17000000001&", "/v1/ruc/15*********?x=17*********&");
        check("é20131312955ñ", "é20*********ñ");
    }

    #[test]
    fn number_with_a_typing_error_is_masked() {
        check("20131312956", "20*********");
    }

    #[test]
    fn other_digits_stay() {
        for line in ["took=2013131295us", "id=201313129550", "2026-11-20T12:00:00.123456Z", ""] {
            check(line, line);
        }
        check("30131312955", "30131312955");
    }

    #[test]
    fn line_of_json_stays_one() {
        let line = r#"{"ruc":20131312955,"message":"a \"k\":20131312955","n":12}"#;
        let expected = r#"{"ruc":20000000000,"message":"a \"k\":20*********","n":12}"#;
        check(line, expected);
        serde_json::from_str::<serde_json::Value>(expected).expect("JSON");
    }
}
