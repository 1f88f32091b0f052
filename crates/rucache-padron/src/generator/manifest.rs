//! What the generator states about its files, for tests to hold a reader to.

use std::collections::BTreeMap;

use rucache_ruc::Ruc;
use serde::{Deserialize, Serialize};

use super::record::Record;
use super::{Generator, Population, Profile, prefix_name};
use crate::cause::Cause;
use crate::column::Column;
use crate::report::hex;

/// What a generated register holds, exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// The generator's seed.
    pub seed: u64,
    /// The generator's profile.
    pub profile: Profile,
    /// The generator's population.
    pub population: Population,
    /// Lines after the header: `read` and all of `skipped`.
    pub lines: u64,
    /// Taxpayers, each number once.
    pub read: u64,
    /// Dirty lines by cause; lines that a later one supersedes count as duplicates.
    pub skipped: BTreeMap<Cause, u64>,
    /// Bytes 0x80–0x9F in lines that are not dirty.
    pub cp1252_bytes: u64,
    /// Carriage returns inside lines that are not dirty.
    pub bare_returns: u64,
    /// Taxpayers by prefix.
    pub prefixes: BTreeMap<String, u64>,
    /// Taxpayers by estado, in the register's form.
    pub estados: BTreeMap<String, u64>,
    /// Bytes of the text, header included.
    pub bytes: u64,
    /// SHA-256 of the text as hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    pub(crate) fn new(generator: &Generator) -> Self {
        Self {
            seed: generator.seed,
            profile: generator.profile,
            population: generator.population,
            lines: 0,
            read: 0,
            skipped: BTreeMap::new(),
            cp1252_bytes: 0,
            bare_returns: 0,
            prefixes: BTreeMap::new(),
            estados: BTreeMap::new(),
            bytes: 0,
            sha256: String::new(),
        }
    }

    pub(crate) fn count_read(&mut self, record: &Record) {
        self.lines += 1;
        self.read += 1;
        count(&mut self.prefixes, prefix_name(record.ruc()));
        count(&mut self.estados, record.get(Column::EstadoDelContribuyente));
    }

    pub(crate) fn count_skipped(&mut self, cause: Cause) {
        self.lines += 1;
        *self.skipped.entry(cause).or_default() += 1;
    }

    pub(crate) fn close(&mut self, bytes: u64, sha256: [u8; 32]) {
        self.bytes = bytes;
        self.sha256 = hex(&sha256);
    }
}

/// How a second snapshot differs from the first, exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Changes {
    /// The revision's seed.
    pub seed: u64,
    /// Lines of the second snapshot after the header.
    pub lines: u64,
    /// Numbers that only the second snapshot has, ascending.
    pub added: Vec<Ruc>,
    /// Numbers that only the first snapshot has, ascending.
    pub removed: Vec<Ruc>,
    /// Numbers whose values differ, ascending.
    pub changed: Vec<Changed>,
    /// Bytes of the second snapshot's text, header included.
    pub bytes: u64,
    /// SHA-256 of that text as hexadecimal digits.
    pub sha256: String,
}

/// A taxpayer whose values differ between two snapshots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Changed {
    /// The number.
    pub ruc: Ruc,
    /// The columns that differ, in the order of the file.
    pub columns: Vec<Column>,
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}
