//! What reading a register found, in numbers.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use crate::cause::Cause;

/// What reading a register found.
///
/// `lines() == read() + skipped_total()` always holds. That there is a report says that the header
/// was the expected one.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Report {
    read: u64,
    skipped: [u64; Cause::COUNT],
    bytes: u64,
    cp1252_bytes: u64,
    bare_returns: u64,
    sha256: [u8; 32],
}

impl Report {
    /// Lines seen, the header not counted.
    pub fn lines(&self) -> u64 {
        self.read + self.skipped_total()
    }

    /// Lines that are a taxpayer.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// Lines passed over for a cause.
    pub fn skipped(&self, cause: Cause) -> u64 {
        self.skipped[cause.index()]
    }

    /// Lines passed over, whatever the cause.
    pub fn skipped_total(&self) -> u64 {
        self.skipped.iter().sum()
    }

    /// The causes that occurred, with how often.
    pub fn causes(&self) -> impl Iterator<Item = (Cause, u64)> {
        Cause::ALL.into_iter().zip(self.skipped).filter(|&(_, count)| count > 0)
    }

    /// Bytes of the text, header included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes 0x80–0x9F in lines that were read: cp1252's, not ISO-8859-1's.
    pub fn cp1252_bytes(&self) -> u64 {
        self.cp1252_bytes
    }

    /// Carriage returns inside lines that were read; each became a space.
    pub fn bare_returns(&self) -> u64 {
        self.bare_returns
    }

    /// SHA-256 of the text, header included.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    pub(crate) fn count_read(&mut self, cp1252_bytes: usize, bare_returns: usize) {
        self.read += 1;
        self.cp1252_bytes += u64::try_from(cp1252_bytes).unwrap_or(u64::MAX);
        self.bare_returns += u64::try_from(bare_returns).unwrap_or(u64::MAX);
    }

    pub(crate) fn count_skipped(&mut self, cause: Cause) {
        self.skipped[cause.index()] += 1;
    }

    /// Takes back lines that were read and turned out to be superseded.
    pub(crate) fn count_duplicates(&mut self, count: u64) {
        self.read = self.read.saturating_sub(count);
        self.skipped[Cause::Duplicate.index()] += count;
    }

    pub(crate) fn close(&mut self, bytes: u64, sha256: [u8; 32]) {
        self.bytes = bytes;
        self.sha256 = sha256;
    }
}

/// One line for people: `3000 lines, 2990 read, 10 skipped (7 nameless, 3 nul)`.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped = self.skipped_total();
        write!(f, "{} lines, {} read, {skipped} skipped", self.lines(), self.read)?;
        for (place, (cause, count)) in self.causes().enumerate() {
            write!(f, "{}{count} {cause}", if place == 0 { " (" } else { ", " })?;
        }
        if skipped > 0 { f.write_str(")") } else { Ok(()) }
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Report", 7)?;
        report.serialize_field("lines", &self.lines())?;
        report.serialize_field("read", &self.read)?;
        report.serialize_field("skipped", &Causes(self))?;
        report.serialize_field("bytes", &self.bytes)?;
        report.serialize_field("cp1252_bytes", &self.cp1252_bytes)?;
        report.serialize_field("bare_returns", &self.bare_returns)?;
        report.serialize_field("sha256", &hex(&self.sha256))?;
        report.end()
    }
}

/// The causes that occurred as a map from name to count.
struct Causes<'a>(&'a Report);

impl Serialize for Causes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (cause, count) in self.0.causes() {
            map.serialize_entry(&cause, &count)?;
        }
        map.end()
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::Report;
    use crate::cause::Cause;

    fn report() -> Report {
        let mut report = Report::default();
        report.count_read(2, 0);
        report.count_read(0, 1);
        report.count_skipped(Cause::Nul);
        report.count_duplicates(1);
        report.close(77, [0xAB; 32]);
        report
    }

    #[test]
    fn lines_are_read_or_skipped() {
        let report = report();
        assert_eq!((report.lines(), report.read(), report.skipped_total()), (3, 1, 2));
        assert_eq!(report.skipped(Cause::Duplicate), 1);
    }

    #[test]
    fn report_is_one_line_for_people_and_an_object_for_programs() {
        let report = report();
        assert_eq!(report.to_string(), "3 lines, 1 read, 2 skipped (1 nul, 1 duplicate)");
        assert_eq!(
            serde_json::to_value(&report).unwrap(),
            serde_json::json!({
                "lines": 3, "read": 1, "skipped": {"nul": 1, "duplicate": 1}, "bytes": 77,
                "cp1252_bytes": 2, "bare_returns": 1, "sha256": "ab".repeat(32),
            })
        );
    }
}
