//! Memory stays the same whatever the length of the input.

use std::io::{self, Read};

use rucache_padron::{Cause, Reader};

use crate::{line, text};

/// Gives a start, then one byte over and over, then an end; nothing of it is in memory.
///
/// It notes the longest buffer it was offered: a reader that holds a line in memory must grow it.
struct Stream<'a> {
    start: &'a [u8],
    repeated: u64,
    end: &'a [u8],
    longest: &'a mut usize,
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        *self.longest = buffer.len().max(*self.longest);
        if !self.start.is_empty() {
            return self.start.read(buffer);
        }
        if self.repeated == 0 {
            return self.end.read(buffer);
        }
        let count = buffer.len().min(usize::try_from(self.repeated).unwrap());
        buffer[..count].fill(b'X');
        self.repeated -= u64::try_from(count).unwrap();
        Ok(count)
    }
}

#[test]
fn line_of_64_megabytes_is_passed_over_without_being_held() {
    const LONG: u64 = 64 * 1024 * 1024;
    let start = text(&[&line("20000000001", "UNO")]);
    let end = format!("\n{}\n", line("20000000010", "DOS"));
    let mut longest = 0;
    let stream =
        Stream { start: &start, repeated: LONG, end: end.as_bytes(), longest: &mut longest };
    let mut reader = Reader::new("padron.txt", stream).unwrap();
    let mut numbers = Vec::new();
    while let Some(row) = reader.next_row().unwrap() {
        numbers.push(row.ruc().as_u64());
    }
    let report = reader.finish().unwrap();
    assert_eq!(numbers, [20_000_000_001, 20_000_000_010]);
    assert_eq!((report.lines(), report.skipped(Cause::TooLong)), (3, 1));
    assert!(report.bytes() > LONG);
    assert!(longest <= 256 * 1024, "{longest} bytes were held");
}

#[test]
fn failing_source_is_an_error_that_says_where() {
    struct Fails<'a>(&'a [u8]);
    impl Read for Fails<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::ErrorKind::ConnectionReset.into()),
                count => Ok(count),
            }
        }
    }
    let bytes = text(&[&line("20000000001", "UNO")]);
    let mut reader = Reader::new("padron.txt", Fails(&bytes)).unwrap();
    assert!(reader.next_row().unwrap().is_some());
    let error = reader.next_row().unwrap_err();
    let expected = format!("cannot read register padron.txt beyond byte {}", bytes.len());
    assert!(error.to_string().starts_with(&expected), "{error}");
}
