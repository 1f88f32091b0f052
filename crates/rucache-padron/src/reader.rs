//! Reads register text row by row in constant memory, passing over dirty lines and counting them.

use std::fmt;
use std::io::Read;
use std::ops::Range;

use rucache_ruc::Ruc;

use crate::cause::Cause;
use crate::column::Column;
use crate::encoding::{count_cp1252, decode};
use crate::error::Error;
use crate::lines::{Line, Lines};
use crate::report::Report;
use crate::row::{Layout, Row, leading_number};

/// A streaming reader of register text.
///
/// Rows are lent: each lives until the next is asked for. Memory is 256 KiB, whatever the input.
///
/// ```
/// use rucache_padron::{Column, Reader};
///
/// let text = rucache_padron::header() + "\n20131312955|SUNAT|ACTIVO|HABIDO|150101|-|-|-|-|-|-|-|-|-|-|\n";
/// let text = rucache_padron::encode(&text).unwrap();
/// let mut reader = Reader::new("example", &text[..])?;
/// while let Some(row) = reader.next_row()? {
///     assert_eq!(row.text(Column::Ubigeo).as_deref(), Some("150101"));
/// }
/// assert_eq!(reader.finish()?.read(), 1);
/// # Ok::<(), rucache_padron::Error>(())
/// ```
pub struct Reader<R> {
    file: String,
    lines: Lines<R>,
    report: Report,
}

/// One line after the header.
pub(crate) enum Step {
    /// A well-formed row, in the buffer until the next step.
    Row {
        /// Where in the buffer.
        range: Range<usize>,
        /// Where its columns are.
        layout: Layout,
        /// Where in the text it starts.
        offset: u64,
    },
    /// A line that is passed over.
    Dirty {
        /// The number it starts with, where that can be read.
        ruc: Option<Ruc>,
    },
}

impl<R: Read> Reader<R> {
    /// Begins to read register text, not compressed; `file` is its name in errors.
    ///
    /// For a file, zip or text, see [`RegisterFile`](crate::RegisterFile).
    ///
    /// # Errors
    ///
    /// When the input cannot be read, is empty, or its header is not the expected one.
    pub fn new(file: impl Into<String>, input: R) -> Result<Self, Error> {
        let mut reader =
            Self { file: file.into(), lines: Lines::new(input), report: Report::default() };
        match reader.next_line()? {
            None => return Err(Error::Empty { file: reader.file }),
            Some(Line::TooLong { .. }) => {
                let found = "a line without an end".to_owned();
                let expected = Column::Ruc.title();
                return Err(Error::Header { file: reader.file, column: 1, expected, found });
            }
            Some(Line::Held { range, .. }) => {
                check_header(&reader.file, reader.lines.bytes(range))?
            }
        }
        Ok(reader)
    }

    /// The next well-formed row, or nothing at the end.
    ///
    /// # Errors
    ///
    /// When the input cannot be read further; dirty lines are no error.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        while let Some(step) = self.advance()? {
            if let Step::Row { range, layout, offset } = step {
                return Ok(Some(Row::new(self.lines.bytes(range), layout, offset)));
            }
        }
        Ok(None)
    }

    /// The bytes of a row that [`advance`](Self::advance) has just found.
    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.lines.bytes(range)
    }

    /// The file's name in errors.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// What was counted so far. Bytes and hash are known once the reader is finished.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Reads what is left and closes the report.
    ///
    /// # Errors
    ///
    /// When the input cannot be read to its end.
    pub fn finish(mut self) -> Result<Report, Error> {
        while self.advance()?.is_some() {}
        self.report.close(self.lines.read(), self.lines.digest());
        Ok(self.report)
    }

    /// Bytes of text read so far; somewhat ahead of the last row.
    pub fn bytes_read(&self) -> u64 {
        self.lines.read()
    }

    /// Steps to the next line, counts it, and says what it is.
    pub(crate) fn advance(&mut self) -> Result<Option<Step>, Error> {
        let (cause, ruc) = match self.next_line()? {
            None => return Ok(None),
            Some(Line::TooLong { head }) => (Cause::TooLong, leading_number(&head)),
            Some(Line::Held { range, offset }) => {
                let bytes = self.lines.bytes(range.clone());
                match Layout::of(bytes) {
                    Ok(layout) => {
                        let returns = memchr::memchr_iter(b'\r', bytes).count();
                        self.report.count_read(count_cp1252(bytes), returns);
                        return Ok(Some(Step::Row { range, layout, offset }));
                    }
                    Err(cause) => (cause, leading_number(bytes)),
                }
            }
        };
        self.report.count_skipped(cause);
        Ok(Some(Step::Dirty { ruc }))
    }

    fn next_line(&mut self) -> Result<Option<Line>, Error> {
        self.lines.next_line().map_err(|source| Error::Read {
            file: self.file.clone(),
            bytes: self.lines.read(),
            source,
        })
    }
}

impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("file", &self.file).finish_non_exhaustive()
    }
}

/// What the header error shows where the line ends.
const END: &str = "(end of line)";

/// Compares a header line with the register's, title by title.
fn check_header(file: &str, line: &[u8]) -> Result<(), Error> {
    let mut titles = line.split(|&byte| byte == b'|').map(|title| decode(title.trim_ascii()));
    // The trailing pipe closes the last title and is followed by an empty one.
    let expected = Column::ALL.map(Column::title).into_iter().chain([""]);
    for (place, expected) in expected.enumerate() {
        let found = titles.next();
        if found.as_deref() != Some(expected) {
            let found = found.as_deref().unwrap_or(END);
            return Err(changed(file, place + 1, expected, found));
        }
    }
    match titles.next() {
        None => Ok(()),
        Some(found) => Err(changed(file, Column::COUNT + 2, END, &found)),
    }
}

/// The header error. What was found is not shown when it holds digits: titles have none, so it is a
/// data line, perhaps a person's.
fn changed(file: &str, column: usize, expected: &'static str, found: &str) -> Error {
    let found = if found.bytes().any(|byte| byte.is_ascii_digit()) {
        "(a data line)".to_owned()
    } else {
        found.chars().take(40).collect()
    };
    Error::Header { file: file.to_owned(), column, expected, found }
}
