//! Splits a byte stream into lines in constant memory, hashing what passes by.

use std::io::{self, Read};
use std::ops::Range;

use sha2::{Digest, Sha256};

/// The longest line that is held, in bytes without its end; a longer one is passed over.
pub const LINE_LIMIT: usize = 64 * 1024 - 1;

/// Bytes held at a time. A partial line is moved to the front before each refill, so this leaves
/// at least three quarters of it for fresh bytes.
const BUFFER: usize = 256 * 1024;

/// One line of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The line's bytes are in the buffer until the next line is asked for.
    Held {
        /// Where in the buffer, without the line end.
        range: Range<usize>,
        /// Where in the stream the line starts.
        offset: u64,
    },
    /// The line exceeds [`LINE_LIMIT`]; its bytes are gone but for the first.
    TooLong {
        /// The first eleven, where the number stands.
        head: [u8; 11],
    },
}

/// The line splitter. A line ends with LF or CR LF; the last may end with the stream.
pub(crate) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes read so far; `buffer[end]` would be the byte at this offset of the stream.
    read: u64,
    ended: bool,
    hash: Sha256,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            read: 0,
            ended: false,
            hash: Sha256::new(),
        }
    }

    /// The next line, or nothing at the end of the stream.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<Line>> {
        let mut scanned = 0;
        loop {
            let window = &self.buffer[self.start..self.end];
            if let Some(found) = memchr::memchr(b'\n', &window[scanned..]) {
                return Ok(Some(self.take(scanned + found, 1)));
            }
            scanned = window.len();
            if self.ended {
                return Ok(if scanned == 0 { None } else { Some(self.take(scanned, 0)) });
            }
            // One byte over the limit may be the CR of a line that fits.
            if scanned > LINE_LIMIT + 1 {
                let head = head(window);
                self.pass_over()?;
                return Ok(Some(Line::TooLong { head }));
            }
            self.fill()?;
        }
    }

    /// The bytes of a held line.
    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// Bytes read from the stream so far.
    pub(crate) fn read(&self) -> u64 {
        self.read
    }

    /// SHA-256 of the bytes read so far.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// Hands out `length` bytes at the front and steps over them and the `end` bytes after them.
    fn take(&mut self, length: usize, end: usize) -> Line {
        let from = self.start;
        let ahead = u64::try_from(self.end - from).unwrap_or(u64::MAX);
        self.start += length + end;
        let mut range = from..from + length;
        if self.buffer[range.clone()].last() == Some(&b'\r') {
            range.end -= 1;
        }
        if range.len() > LINE_LIMIT {
            return Line::TooLong { head: head(&self.buffer[range]) };
        }
        Line::Held { range, offset: self.read.saturating_sub(ahead) }
    }

    /// Drops bytes up to and with the next line end.
    fn pass_over(&mut self) -> io::Result<()> {
        loop {
            if let Some(found) = memchr::memchr(b'\n', &self.buffer[self.start..self.end]) {
                self.start += found + 1;
                return Ok(());
            }
            self.start = self.end;
            if self.ended {
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Moves what is left to the front and reads once.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.hash.update(&self.buffer[self.end..self.end + count]);
                    self.end += count;
                    self.read += u64::try_from(count).unwrap_or(u64::MAX);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            return Ok(());
        }
    }
}

/// The first bytes of a line that has them.
fn head(line: &[u8]) -> [u8; 11] {
    line.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::{LINE_LIMIT, Line, Lines};

    /// Gives one byte at a time, each after an interruption.
    struct Drip<'a>(&'a [u8], bool);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let count = self.0.len().min(1);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn lines(input: impl Read) -> Vec<(Option<Vec<u8>>, u64)> {
        let mut lines = Lines::new(input);
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push(match line {
                Line::Held { range, offset } => (Some(lines.bytes(range).to_vec()), offset),
                Line::TooLong { .. } => (None, 0),
            });
        }
        found
    }

    #[test]
    fn lines_end_with_lf_crlf_or_the_stream() {
        let text = b"one\ntwo\r\n\nfo\rur";
        let expected = vec![
            (Some(b"one".to_vec()), 0),
            (Some(b"two".to_vec()), 4),
            (Some(Vec::new()), 9),
            (Some(b"fo\rur".to_vec()), 10),
        ];
        assert_eq!(lines(&text[..]), expected);
        assert_eq!(lines(Drip(text, false)), expected);
    }

    #[test]
    fn final_newline_begins_no_line() {
        assert_eq!(lines(&b"one\n"[..]).len(), 1);
        assert_eq!(lines(&b""[..]).len(), 0);
    }

    #[test]
    fn longest_allowed_line_is_held_and_one_byte_more_is_not() {
        for end in ["\n", "\r\n", ""] {
            let fits = format!("{}{end}", "x".repeat(LINE_LIMIT));
            let held = lines(fits.as_bytes());
            assert_eq!(held.len(), 1);
            assert_eq!(held[0].0.as_ref().map(Vec::len), Some(LINE_LIMIT), "{end:?}");
            let over = format!("{}{end}", "x".repeat(LINE_LIMIT + 1));
            assert_eq!(lines(over.as_bytes()), [(None, 0)], "{end:?}");
        }
    }

    #[test]
    fn line_after_a_very_long_one_is_read() {
        let text = format!("a\n{}\nb\n", "x".repeat(1_000_000));
        assert_eq!(
            lines(text.as_bytes()),
            [(Some(b"a".to_vec()), 0), (None, 0), (Some(b"b".to_vec()), 1_000_003)]
        );
    }
}
