//! The second snapshot: a register as it may look a day later, and what changed.

use std::io::{self, Seek, Write};

use rucache_ruc::Prefix;

use super::manifest::{Changed, Changes};
use super::numbers::{self, generated};
use super::random::Random;
use super::record::{CONDICIONES, ESTADOS, Record, name};
use super::sink::{self, Sink};
use super::words;
use crate::column::Column;
use crate::encoding::encode;
use crate::error::Error;
use crate::register::Register;
use crate::report::hex;
use crate::row::Row;

/// Writes the second snapshot of a generated register. The same settings and the same first
/// snapshot give the same text.
///
/// Only invented taxpayers change; public institutions stay as they are. Dirty lines of the first
/// snapshot are not in the second.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revision {
    /// What all chance comes from.
    pub seed: u64,
    /// New legal entities, in thousandths of the first snapshot's taxpayers, rounded up.
    pub added: u64,
    /// Taxpayers that go, in thousandths.
    pub removed: u64,
    /// Taxpayers of which one to three columns change, in thousandths.
    pub changed: u64,
}

impl Revision {
    /// A revision as a day makes it: 2 ‰ added, 1 ‰ removed, 5 ‰ changed.
    pub fn new(seed: u64) -> Self {
        Self { seed, added: 2, removed: 1, changed: 5 }
    }

    /// The same with other shares, each in thousandths of the first snapshot's taxpayers.
    #[must_use]
    pub fn with_shares(mut self, added: u64, removed: u64, changed: u64) -> Self {
        (self.added, self.removed, self.changed) = (added, removed, changed);
        self
    }

    /// Writes the second snapshot as text; what is returned states exactly what changed.
    ///
    /// # Errors
    ///
    /// When the target cannot be written.
    pub fn write_text<W: Write>(&self, first: &Register, out: W) -> Result<Changes, Error> {
        self.write(first, out).map_err(|source| Error::Write { source })
    }

    /// Writes the second snapshot as a zip with one text file.
    ///
    /// # Errors
    ///
    /// When the target cannot be written.
    pub fn write_zip<W: Write + Seek>(&self, first: &Register, out: W) -> Result<Changes, Error> {
        sink::zipped(out, |member| self.write_text(first, member))
    }

    fn write<W: Write>(&self, first: &Register, out: W) -> io::Result<Changes> {
        let mut random = Random::new(self.seed);
        let mut sink = Sink::new(out);
        let mut changes = Changes {
            seed: self.seed,
            lines: 0,
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
            bytes: 0,
            sha256: String::new(),
        };
        let mut newcomers = self.newcomers(first, &mut random).into_iter().peekable();
        sink.header()?;
        for row in first.rows() {
            while let Some(new) = newcomers.next_if(|new| new.ruc() < row.ruc()) {
                add(&mut sink, &mut changes, &new)?;
            }
            let fate = if generated(row.ruc()).is_some() { random.below(1_000) } else { u64::MAX };
            if fate < self.removed {
                changes.removed.push(row.ruc());
                continue;
            }
            changes.lines += 1;
            if fate < self.removed.saturating_add(self.changed) {
                let (line, columns) = alter(&mut random, &row);
                changes.changed.push(Changed { ruc: row.ruc(), columns });
                sink.write(&line)?;
            } else {
                sink.write(row.line())?;
            }
            sink.write(b"\n")?;
        }
        for new in newcomers {
            add(&mut sink, &mut changes, &new)?;
        }
        let (bytes, sha256) = sink.finish()?;
        (changes.bytes, changes.sha256) = (bytes, hex(&sha256));
        Ok(changes)
    }

    /// New legal entities, numbered on from the last generated one.
    fn newcomers(&self, first: &Register, random: &mut Random) -> Vec<Record> {
        let taxpayers = u64::try_from(first.len()).unwrap_or(u64::MAX);
        let count = taxpayers.saturating_mul(self.added).div_ceil(1_000);
        let entities = first.rows().map(|row| row.ruc());
        let last =
            entities.filter(|ruc| ruc.prefix() == Prefix::LegalEntity).filter_map(generated).last();
        let start = last.map_or(0, |last| last + 1);
        (start..start.saturating_add(count))
            .filter_map(|middle| Some((middle, numbers::number(20, middle)?)))
            .filter(|&(_, ruc)| generated(ruc).is_some())
            .map(|(middle, ruc)| Record::invent(random, ruc, middle))
            .collect()
    }
}

fn add<W: Write>(sink: &mut Sink<W>, changes: &mut Changes, new: &Record) -> io::Result<()> {
    changes.lines += 1;
    changes.added.push(new.ruc());
    sink.write(&new.line())?;
    sink.write(b"\n")
}

/// The row with one to three columns changed, and which.
fn alter(random: &mut Random, row: &Row<'_>) -> (Vec<u8>, Vec<Column>) {
    const ANYBODY: [Column; 3] =
        [Column::NombreORazonSocial, Column::EstadoDelContribuyente, Column::CondicionDeDomicilio];
    const ENTITIES: [Column; 3] = [Column::Ubigeo, Column::NombreDeVia, Column::Numero];
    let mut pool = ANYBODY.to_vec();
    if row.ruc().prefix() == Prefix::LegalEntity {
        pool.extend(ENTITIES);
    }
    let mut columns: Vec<Column> = (0..1 + random.below(3)).map(|_| *random.pick(&pool)).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut line = Vec::with_capacity(row.line().len() + 32);
    for column in Column::ALL {
        if columns.contains(&column) {
            let old = row.text(column).unwrap_or_default();
            let mut new = value(random, row, column);
            while new == old {
                new = value(random, row, column);
            }
            line.extend(encode(&new).unwrap_or_default());
        } else {
            line.extend_from_slice(row.raw(column));
        }
        line.push(b'|');
    }
    (line, columns)
}

/// A value that a column may change to; it differs from the old one sooner or later.
fn value(random: &mut Random, row: &Row<'_>, column: Column) -> String {
    match column {
        Column::EstadoDelContribuyente => random.pick(&ESTADOS).0.register_form().to_owned(),
        Column::CondicionDeDomicilio => random.pick(&CONDICIONES).0.register_form().to_owned(),
        Column::Ubigeo => random.pick(&words::UBIGEOS).0.to_owned(),
        Column::NombreDeVia => (*random.pick(&words::STREETS)).to_owned(),
        Column::Numero => (5_000 + random.below(900)).to_string(),
        _ => {
            let serial = 900_000 + random.below(100_000);
            name(random, row.ruc(), serial)
        }
    }
}
