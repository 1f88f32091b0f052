//! A register loaded into memory: its lines as they are, and a sorted index of their numbers.

use std::fmt;
use std::io::{Read, Seek};
use std::path::Path;

use rucache_ruc::{Ruc, Taxpayer};

use crate::error::Error;
use crate::file::RegisterFile;
use crate::reader::{Reader, Step};
use crate::report::Report;
use crate::row::{Layout, Row};

/// A register in memory.
///
/// It keeps the text of every well-formed line, as it is, and 16 bytes beside it; a record is made
/// when it is asked for. Of several lines with one number the last wins.
///
/// ```
/// let register = rucache_padron::sample()?;
/// let sunat = register.get("20131312955".parse()?).ok_or("not in the sample")?;
/// assert_eq!(sunat.numero(), Some("1472"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Register {
    /// The kept lines, each closed by LF.
    text: Vec<u8>,
    /// Ascending by number, each number once.
    index: Vec<Slot>,
    /// Numbers that only dirty lines have, ascending.
    damaged: Vec<Ruc>,
    report: Report,
}

/// Where a number's line starts in the kept text.
#[derive(Clone, Copy)]
struct Slot {
    ruc: Ruc,
    start: usize,
}

impl Register {
    /// Loads a file, zip or text.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is no register, or does not fit in memory.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::from_file(RegisterFile::open(path)?)
    }

    /// Loads an open file.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn from_file<S: Read + Seek>(mut file: RegisterFile<S>) -> Result<Self, Error> {
        Self::load(file.rows()?)
    }

    /// Loads what a reader has not yet read.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn load<R: Read>(mut reader: Reader<R>) -> Result<Self, Error> {
        let mut text: Vec<u8> = Vec::new();
        let mut index: Vec<Slot> = Vec::new();
        let mut damaged = Vec::new();
        while let Some(step) = reader.advance()? {
            match step {
                Step::Row { range, layout, .. } => {
                    let line = reader.bytes(range);
                    if text.try_reserve(line.len() + 1).is_err() || index.try_reserve(1).is_err() {
                        let (file, bytes) = (reader.file().to_owned(), reader.bytes_read());
                        return Err(Error::Memory { file, bytes });
                    }
                    index.push(Slot { ruc: layout.ruc(), start: text.len() });
                    text.extend_from_slice(line);
                    text.push(b'\n');
                }
                Step::Dirty { ruc } => damaged.extend(ruc),
            }
        }
        let mut report = reader.finish()?;
        let superseded = keep_last(&mut index);
        report.count_duplicates(u64::try_from(superseded).unwrap_or(u64::MAX));
        damaged.sort_unstable();
        damaged.dedup();
        damaged.retain(|ruc| index.binary_search_by_key(ruc, |slot| slot.ruc).is_err());
        text.shrink_to_fit();
        index.shrink_to_fit();
        Ok(Self { text, index, damaged, report })
    }

    /// The record of a number.
    pub fn get(&self, ruc: Ruc) -> Option<Taxpayer> {
        self.row(ruc).map(|row| row.taxpayer())
    }

    /// The line of a number.
    pub fn row(&self, ruc: Ruc) -> Option<Row<'_>> {
        let place = self.index.binary_search_by_key(&ruc, |slot| slot.ruc).ok()?;
        self.at(self.index[place])
    }

    /// Every line, ascending by number. Offsets are those in memory, not in the file.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.index.iter().filter_map(|&slot| self.at(slot))
    }

    /// Whether the file has the number on a dirty line only: it exists, but its record is lost.
    pub fn is_damaged(&self, ruc: Ruc) -> bool {
        self.damaged.binary_search(&ruc).is_ok()
    }

    /// How many taxpayers there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// What loading found.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        self.text.capacity()
            + self.index.capacity() * size_of::<Slot>()
            + self.damaged.capacity() * size_of::<Ruc>()
    }

    fn at(&self, slot: Slot) -> Option<Row<'_>> {
        let rest = &self.text[slot.start..];
        let line = &rest[..memchr::memchr(b'\n', rest)?];
        // Only lines that were laid out are kept, so this finds the same again.
        let layout = Layout::of(line).ok()?;
        Some(Row::new(line, layout, u64::try_from(slot.start).ok()?))
    }
}

impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Register").field("report", &self.report).finish_non_exhaustive()
    }
}

/// Sorts by number and keeps of equal ones the last; how many went.
fn keep_last(index: &mut Vec<Slot>) -> usize {
    let before = index.len();
    // Stable, and linear for the register, which is sorted already. `start` grows with the file.
    index.sort_by_key(|slot| slot.ruc);
    index.dedup_by(|later, kept| {
        let same = later.ruc == kept.ruc;
        if same {
            *kept = *later;
        }
        same
    });
    before - index.len()
}
