//! What a server may say before the client's parser hears it.
//!
//! The parser waits for all that a length promises, and keeps what has come: two gigabytes, or a
//! billion elements, or a line without an end. The guard reads the framing only, in one pass without
//! a copy, and ends the connection where a length cannot be meant.

use super::Duplex;

/// Most elements in one answer, nested ones included. The longest of ours is a page of 10,000.
const MAX_ELEMENTS: u64 = 131_072;

/// Longest line: a number, a status, an error.
const MAX_LINE_LEN: usize = 64 * 1024;

/// Longest string, unless longer values are allowed by the settings.
const MAX_STRING_LEN: u64 = 32 << 20;

/// A stream whose answers are checked.
pub(crate) struct Guarded {
    pub(super) stream: Box<dyn Duplex>,
    pub(super) guard: Guard,
}

impl Guarded {
    /// Guards `stream`, on which values of up to `max_value_len` bytes are expected.
    pub(crate) fn new(stream: Box<dyn Duplex>, max_value_len: usize) -> Self {
        Self { stream, guard: Guard::new(max_value_len) }
    }
}

/// Where in the framing the last bytes ended.
pub(super) struct Guard {
    max_string_len: u64,
    /// Elements of the answer under way that are still to come.
    outstanding: u64,
    place: Place,
}

enum Place {
    /// Before the byte that says what comes.
    Start,
    /// In the line after it: its kind, how many bytes so far, and the number that they spell.
    Line { kind: u8, len: usize, number: Number },
    /// In a string of which so many bytes are to come, with its line's end.
    String { left: u64 },
}

/// A number as far as it has been read.
#[derive(Clone, Copy, Default)]
struct Number {
    negative: bool,
    digits: u64,
}

/// The bytes are no answer, or one that nobody should wait for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lie;

impl Guard {
    pub(super) fn new(max_value_len: usize) -> Self {
        let allowed = u64::try_from(max_value_len).unwrap_or(u64::MAX).saturating_add(1024);
        Self { max_string_len: allowed.max(MAX_STRING_LEN), outstanding: 0, place: Place::Start }
    }

    /// Takes in the bytes that follow those of the last call.
    pub(super) fn check(&mut self, mut bytes: &[u8]) -> Result<(), Lie> {
        while let Some((first, rest)) = bytes.split_first() {
            bytes = match &mut self.place {
                Place::Start => {
                    self.begin(*first)?;
                    rest
                }
                Place::String { left } => {
                    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left = left.saturating_sub(u64::try_from(here).unwrap_or(u64::MAX));
                    if *left == 0 {
                        self.place = Place::Start;
                    }
                    bytes.get(here..).unwrap_or_default()
                }
                Place::Line { .. } => self.read_line(bytes)?,
            };
        }
        Ok(())
    }

    fn begin(&mut self, kind: u8) -> Result<(), Lie> {
        if !b"+-:$*%|~>_,#!=(".contains(&kind) {
            return Err(Lie);
        }
        self.outstanding = self.outstanding.max(1) - 1;
        self.place = Place::Line { kind, len: 0, number: Number::default() };
        Ok(())
    }

    /// Reads up to the end of the line; what follows it.
    fn read_line<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Lie> {
        let Place::Line { kind, len, number } = &mut self.place else { return Ok(bytes) };
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        *len += line.len();
        if *len > MAX_LINE_LEN {
            return Err(Lie);
        }
        let counts = b"$!=*%|~>".contains(kind);
        if counts {
            line.iter().try_for_each(|byte| number.read(*byte))?;
        }
        let Some((_, rest)) = rest.split_first() else { return Ok(rest) };
        let (kind, number) = (*kind, *number);
        self.place = Place::Start;
        if counts {
            self.announce(kind, number)?;
        }
        Ok(rest)
    }

    /// What a length announces.
    fn announce(&mut self, kind: u8, number: Number) -> Result<(), Lie> {
        let Number { negative, digits } = number;
        if negative {
            // The null of RESP2.
            return if digits == 1 && b"$*".contains(&kind) { Ok(()) } else { Err(Lie) };
        }
        if b"$!=".contains(&kind) {
            if digits > self.max_string_len {
                return Err(Lie);
            }
            self.place = Place::String { left: digits + 2 };
            return Ok(());
        }
        let elements = match kind {
            b'%' => digits.saturating_mul(2),
            // The value follows its attributes.
            b'|' => digits.saturating_mul(2).saturating_add(1),
            _ => digits,
        };
        self.outstanding = self.outstanding.saturating_add(elements);
        if self.outstanding > MAX_ELEMENTS { Err(Lie) } else { Ok(()) }
    }
}

impl Number {
    fn read(&mut self, byte: u8) -> Result<(), Lie> {
        match byte {
            b'0'..=b'9' => {
                let digit = u64::from(byte - b'0');
                self.digits = self.digits.saturating_mul(10).saturating_add(digit);
            }
            b'-' if self.digits == 0 => self.negative = true,
            b'\r' => {}
            _ => return Err(Lie),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks `bytes` whole, and one by one.
    #[track_caller]
    fn check(bytes: &[u8], expected: Result<(), Lie>) {
        let mut whole = Guard::new(1_000_000);
        assert_eq!(whole.check(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        let mut single = Guard::new(1_000_000);
        let found = bytes.iter().try_for_each(|byte| single.check(std::slice::from_ref(byte)));
        assert_eq!(found, expected, "{:?} byte by byte", String::from_utf8_lossy(bytes));
    }

    #[test]
    fn answers_of_redis_pass() {
        check(b"+OK\r\n:42\r\n-ERR no\r\n$-1\r\n*-1\r\n_\r\n#t\r\n,1.5\r\n(123\r\n", Ok(()));
        check(b"$5\r\nhello\r\n$0\r\n\r\n=7\r\ntxt:abc\r\n!3\r\nERR\r\n", Ok(()));
        check(b"*2\r\n$1\r\na\r\n*0\r\n%1\r\n+a\r\n:1\r\n~1\r\n:1\r\n", Ok(()));
        check(b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n|1\r\n+a\r\n:1\r\n+OK\r\n", Ok(()));
    }

    #[test]
    fn a_string_may_hold_what_looks_like_framing() {
        check(b"$12\r\n*999999999\r\n\r\n+OK\r\n", Ok(()));
    }

    #[test]
    fn lying_lengths_are_found_out() {
        for kind in ["*", "%", "~", ">", "|"] {
            check(format!("{kind}1000000000\r\n").as_bytes(), Err(Lie));
            check(format!("{kind}99999999999999999999999999\r\n").as_bytes(), Err(Lie));
        }
        check(b"$2000000000\r\n", Err(Lie));
        check(b"=-5\r\n", Err(Lie));
        check(b"%-1\r\n", Err(Lie));
        check(b"$-2\r\n", Err(Lie));
    }

    #[test]
    fn nesting_does_not_hide_a_length() {
        check(&b"*60000\r\n".repeat(2), Ok(()));
        check(&b"*60000\r\n".repeat(3), Err(Lie));
    }

    #[test]
    fn answers_in_a_row_do_not_add_up() {
        check(&b"*3\r\n:1\r\n:2\r\n:3\r\n".repeat(60_000), Ok(()));
    }

    #[test]
    fn garbage_and_endless_lines_are_found_out() {
        check(b"HTTP/1.1 400 Bad Request\r\n", Err(Lie));
        check(b"$five\r\n", Err(Lie));
        check(&[b"+".as_slice(), &[b'x'; MAX_LINE_LEN + 1]].concat(), Err(Lie));
    }

    #[test]
    fn the_limit_follows_the_longest_value() {
        let mut guard = Guard::new(100 << 20);
        assert_eq!(guard.check(b"$104857609\r\n"), Ok(()));
    }
}
