//! Invents register files: deterministic, of any size, clean or hostile, without anybody's data.

mod dirt;
mod institutions;
mod manifest;
mod numbers;
mod random;
mod record;
mod revision;
mod sink;
mod words;

use std::io::{Seek, Write};

use rucache_ruc::Ruc;
use serde::{Deserialize, Serialize};

pub use manifest::{Changed, Changes, Manifest};
pub use revision::Revision;

use crate::error::Error;
use dirt::Dirt;
use numbers::Stretch;
use random::Random;
use record::Record;
use sink::Sink;

/// How clean a generated register is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Profile {
    /// Clean lines with the register's shares of prefixes and estados.
    #[default]
    Realistic,
    /// One line in eight is dirty, by every [`Cause`](crate::Cause) in turn; of the others some
    /// end with CR LF, hold bare carriage returns or cp1252 bytes; no final newline.
    Hostile,
}

/// Who is in a generated register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Population {
    /// Every prefix in the register's shares: 84.2 % 10, 12.75 % 20, 2.5 % 15, 0.5 % 17.
    #[default]
    Register,
    /// Legal entities only, prefix 20.
    LegalEntities,
    /// Legal entities and a few public institutions under their real number and name: the
    /// population of the bundled sample.
    Sample,
}

/// Writes invented register files. The same settings give the same text on every platform.
///
/// Companies, persons without DNI and the non-domiciled get numbers of blocks that lie below the
/// first number SUNAT issued. Natural persons are numbered from DNI 00000000 upwards; a large file
/// may reach numbers that exist, so every such name says that it is a sample, and nothing but an
/// invented estado and condición is stated.
///
/// ```
/// use rucache_padron::{Generator, Profile, Reader};
///
/// let mut text = Vec::new();
/// let manifest = Generator::new(1_000).with_profile(Profile::Hostile).write_text(&mut text)?;
/// let report = Reader::new("generated", &text[..])?.finish()?;
/// assert_eq!(report.lines(), manifest.lines);
/// # Ok::<(), rucache_padron::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Generator {
    /// Lines after the header, dirty ones included.
    pub lines: u64,
    /// What all chance comes from.
    pub seed: u64,
    /// How clean the lines are.
    pub profile: Profile,
    /// Who is in it.
    pub population: Population,
}

impl Generator {
    /// A generator of so many lines, with seed 0, realistic, of every prefix.
    pub fn new(lines: u64) -> Self {
        Self { lines, seed: 0, profile: Profile::default(), population: Population::default() }
    }

    /// The generator of the sample that comes with this crate.
    pub fn sample() -> Self {
        Self::new(3_000).with_seed(2013).with_population(Population::Sample)
    }

    /// The same with another seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same with another profile.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// The same with another population.
    #[must_use]
    pub fn with_population(mut self, population: Population) -> Self {
        self.population = population;
        self
    }

    /// Writes the register as text; the manifest states exactly what is in it.
    ///
    /// # Errors
    ///
    /// When the target cannot be written, or there are not enough numbers for so many lines.
    pub fn write_text<W: Write>(&self, out: W) -> Result<Manifest, Error> {
        let stretches = numbers::stretches(self.population, self.lines);
        if let Some(most) = stretches.iter().find_map(Stretch::excess) {
            return Err(Error::TooManyLines { lines: self.lines, most });
        }
        let mut draft = Draft {
            sink: Sink::new(out),
            random: Random::new(self.seed),
            dirt: (self.profile == Profile::Hostile).then(|| Dirt::new(self.lines)),
            manifest: Manifest::new(self),
            lines: self.lines,
        };
        draft.write(&stretches, self.population).map_err(|source| Error::Write { source })?;
        let (bytes, sha256) = draft.sink.finish().map_err(|source| Error::Write { source })?;
        draft.manifest.close(bytes, sha256);
        Ok(draft.manifest)
    }

    /// Writes the register as SUNAT publishes it: a zip with one text file.
    ///
    /// The text is the same on every platform; how it is compressed may change with the library.
    ///
    /// # Errors
    ///
    /// As for [`write_text`](Self::write_text).
    pub fn write_zip<W: Write + Seek>(&self, out: W) -> Result<Manifest, Error> {
        sink::zipped(out, |member| self.write_text(member))
    }
}

/// A register being written.
struct Draft<W: Write> {
    sink: Sink<W>,
    random: Random,
    dirt: Option<Dirt>,
    manifest: Manifest,
    lines: u64,
}

impl<W: Write> Draft<W> {
    fn write(&mut self, stretches: &[Stretch], population: Population) -> std::io::Result<()> {
        self.sink.header()?;
        for stretch in stretches {
            for middle in 0..stretch.count {
                let Some(ruc) = numbers::number(stretch.prefix, middle) else {
                    break;
                };
                let record = Record::invent(&mut self.random, ruc, middle);
                self.line(record)?;
            }
        }
        if population == Population::Sample {
            for place in 0..institutions::COUNT.min(self.lines) {
                if let Some(record) = institutions::institution(place) {
                    self.clean_line(&record)?;
                }
            }
        }
        Ok(())
    }

    /// Writes one line, dirty in the hostile profile when its turn comes.
    fn line(&mut self, record: Record) -> std::io::Result<()> {
        // The last line is clean and without an end, which a blank one would not be.
        let last = self.manifest.lines + 1 == self.lines;
        let Some(dirt) = &mut self.dirt else {
            return self.clean_line(&record);
        };
        let written = dirt.line(&mut self.random, record, last, &mut self.manifest);
        self.sink.write(&written)
    }

    fn clean_line(&mut self, record: &Record) -> std::io::Result<()> {
        self.manifest.count_read(record);
        self.sink.write(&record.line())?;
        self.sink.write(b"\n")
    }
}

/// The prefix of a number as the manifest names it.
fn prefix_name(ruc: Ruc) -> &'static str {
    ruc.prefix().as_str()
}
