//! One line of the register: where its columns lie, and their text when asked for.

use std::borrow::Cow;
use std::fmt;

use rucache_ruc::{Ruc, Taxpayer};

use crate::cause::Cause;
use crate::column::Column;
use crate::encoding::decode;

/// One well-formed line of the register, borrowed from the reader's buffer.
///
/// Columns are found once; text is decoded, and a record made, only when asked for.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    line: &'a [u8],
    layout: Layout,
    offset: u64,
}

impl<'a> Row<'a> {
    pub(crate) fn new(line: &'a [u8], layout: Layout, offset: u64) -> Self {
        Self { line, layout, offset }
    }

    /// The taxpayer's number.
    pub fn ruc(&self) -> Ruc {
        self.layout.ruc
    }

    /// The line as it stands in the file, without its end.
    pub fn line(&self) -> &'a [u8] {
        self.line
    }

    /// Where the line starts in the text, in bytes from the header's first.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The bytes of a column as they stand in the file, padding and dashes included.
    pub fn raw(&self, column: Column) -> &'a [u8] {
        let place = column.index();
        let start = match place.checked_sub(1) {
            Some(before) => usize::from(self.layout.ends[before]) + 1,
            None => 0,
        };
        &self.line[start..usize::from(self.layout.ends[place])]
    }

    /// The record: every column that is present, under its field.
    ///
    /// District, province and region are not in the register, only their code, and an address in
    /// one text is not either; those fields stay absent.
    pub fn taxpayer(&self) -> Taxpayer {
        let mut record = Taxpayer::builder(self.ruc());
        for column in Column::ALL {
            if let Some(field) = column.field()
                && let Some(text) = self.text(column)
            {
                record.set(field, &text);
            }
        }
        record.build()
    }

    /// The text of a column; nothing when it is blank, `-` or a run of dashes.
    pub fn text(&self, column: Column) -> Option<Cow<'a, str>> {
        present(self.raw(column)).map(decode)
    }
}

impl fmt::Debug for Row<'_> {
    /// The masked number and the place; the values may be a person's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("ruc", &self.layout.ruc)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

/// Where the columns of a line end, and the number it starts with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    ruc: Ruc,
    /// The place of each column's closing pipe. A held line is shorter than 2¹⁶ bytes.
    ends: [u16; Column::COUNT],
}

impl Layout {
    pub(crate) fn ruc(&self) -> Ruc {
        self.ruc
    }

    /// Finds the columns of a line, or the first cause to pass it over.
    pub(crate) fn of(line: &[u8]) -> Result<Self, Cause> {
        if line.trim_ascii().is_empty() {
            return Err(Cause::Empty);
        }
        if memchr::memchr(0, line).is_some() {
            return Err(Cause::Nul);
        }
        let mut ends = [0; Column::COUNT];
        let mut pipes = memchr::memchr_iter(b'|', line);
        for end in &mut ends {
            let place = pipes.next().ok_or(Cause::MissingColumns)?;
            *end = u16::try_from(place).map_err(|_| Cause::TooLong)?;
        }
        if !line[usize::from(ends[Column::COUNT - 1]) + 1..].trim_ascii().is_empty() {
            return Err(Cause::StrayPipe);
        }
        let ruc = number(line[..usize::from(ends[0])].trim_ascii())?;
        if present(&line[usize::from(ends[0]) + 1..usize::from(ends[1])]).is_none() {
            return Err(Cause::Nameless);
        }
        Ok(Self { ruc, ends })
    }
}

/// The number a dirty line starts with, if that much of it is right.
pub(crate) fn leading_number(line: &[u8]) -> Option<Ruc> {
    let field = line.split(|&byte| byte == b'|').next()?;
    number(field.trim_ascii()).ok()
}

/// A column's bytes without padding; nothing when blank or only dashes.
fn present(raw: &[u8]) -> Option<&[u8]> {
    let trimmed = raw.trim_ascii();
    if trimmed.iter().all(|&byte| byte == b'-') { None } else { Some(trimmed) }
}

/// Reads the number; the common case, eleven digits, without touching text.
fn number(field: &[u8]) -> Result<Ruc, Cause> {
    let digits = (field.len() == 11).then(|| {
        field.iter().try_fold(0_u64, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0'))
        })
    });
    match digits.flatten() {
        Some(number) if number >= 10_000_000_000 => Ruc::try_from(number),
        _ => decode(field).parse(),
    }
    .map_err(|invalid| invalid.rule().into())
}

#[cfg(test)]
mod tests {
    use super::{Layout, Row};
    use crate::cause::Cause;
    use crate::column::Column;

    const LINE: &[u8] =
        b"20000000001| COMPA\xD1IA UNO |ACTIVO|HABIDO|150101|AV.|LIMA|----|-|10|-||5|B| 3.5|";

    fn cause(line: &[u8]) -> Option<Cause> {
        Layout::of(line).err()
    }

    #[test]
    fn columns_are_found_trimmed_and_decoded() {
        let row = Row::new(LINE, Layout::of(LINE).unwrap(), 0);
        let found: Vec<_> = Column::ALL.map(|column| row.text(column)).into_iter().collect();
        let expected = [
            Some("20000000001"),
            Some("COMPAÑIA UNO"),
            Some("ACTIVO"),
            Some("HABIDO"),
            Some("150101"),
            Some("AV."),
            Some("LIMA"),
            None,
            None,
            Some("10"),
            None,
            None,
            Some("5"),
            Some("B"),
            Some("3.5"),
        ];
        assert_eq!(found.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
        assert_eq!(row.raw(Column::CodigoDeZona), b"----");
        assert_eq!(row.ruc().as_u64(), 20_000_000_001);
    }

    #[test]
    fn each_kind_of_dirt_has_its_cause() {
        let rest = "|UNO|ACTIVO|HABIDO|-|-|-|-|-|-|-|-|-|-|-|";
        let with = |start: &str| cause(format!("{start}{rest}").as_bytes());
        assert_eq!(with("20000000001"), None);
        assert_eq!(with(" 20000000001 "), None);
        assert_eq!(with("2000000000"), Some(Cause::RucLength));
        assert_eq!(with(""), Some(Cause::RucLength));
        assert_eq!(with("2000000000A"), Some(Cause::RucDigits));
        assert_eq!(with("00100038145"), Some(Cause::RucPrefix));
        assert_eq!(with("00000000000"), Some(Cause::RucPrefix));
        assert_eq!(with("20000000002"), Some(Cause::RucCheckDigit));
        assert_eq!(with("99|20000000001"), Some(Cause::StrayPipe));
        assert_eq!(cause(b" \t\r"), Some(Cause::Empty));
        assert_eq!(cause(b"20000000001|UNO|ACTIVO|"), Some(Cause::MissingColumns));
        assert_eq!(cause(b"2000\x000001|UNO|"), Some(Cause::Nul));
        assert_eq!(cause(b"20000000001|--|A|H|-|-|-|-|-|-|-|-|-|-|-|"), Some(Cause::Nameless));
        assert_eq!(cause(b"20000000001| |A|H|-|-|-|-|-|-|-|-|-|-|-|"), Some(Cause::Nameless));
    }

    #[test]
    fn line_without_its_trailing_pipe_is_missing_columns() {
        assert_eq!(
            cause(b"20000000001|UNO|A|H|-|-|-|-|-|-|-|-|-|-|-"),
            Some(Cause::MissingColumns)
        );
    }

    #[test]
    fn text_after_the_trailing_pipe_is_a_stray_pipe() {
        let clean = b"20000000001|UNO|A|H|-|-|-|-|-|-|-|-|-|-|-| \r".as_slice();
        assert_eq!(cause(clean), None);
        let dirty = b"20000000001|UNO|A|H|-|-|-|-|-|-|-|-|-|-|-|x".as_slice();
        assert_eq!(cause(dirty), Some(Cause::StrayPipe));
    }
}
