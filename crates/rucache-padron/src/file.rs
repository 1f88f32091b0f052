//! A register file: a zip with one text member, or the text itself, told apart by content.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::error::Error;
use crate::reader::Reader;

/// How every zip begins: a local file header, or the end record of an empty one.
const ZIP_MAGIC: [[u8; 4]; 2] = [*b"PK\x03\x04", *b"PK\x05\x06"];

/// An open register file, zip or text; which of both is seen from its first bytes.
///
/// ```no_run
/// let mut file = rucache_padron::RegisterFile::open("padron_reducido_ruc.zip")?;
/// let mut rows = file.rows()?;
/// while let Some(row) = rows.next_row()? {
///     println!("{}", row.ruc());
/// }
/// println!("{}", rows.finish()?);
/// # Ok::<(), rucache_padron::Error>(())
/// ```
pub struct RegisterFile<S = BufReader<File>> {
    name: String,
    content: Content<S>,
}

enum Content<S> {
    Text(S),
    Zip { archive: ZipArchive<S>, member: usize },
}

impl RegisterFile {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or is a zip that is damaged, encrypted, or holds another number
    /// of text files than one.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let name = path.as_ref().display().to_string();
        match File::open(path) {
            Ok(file) => Self::new(name, BufReader::new(file)),
            Err(source) => Err(Error::Open { file: name, source }),
        }
    }
}

impl<'a> RegisterFile<Cursor<&'a [u8]>> {
    /// Opens bytes that are in memory; `name` stands for the file in errors.
    ///
    /// # Errors
    ///
    /// As for [`open`](RegisterFile::open).
    pub fn from_bytes(name: impl Into<String>, bytes: &'a [u8]) -> Result<Self, Error> {
        Self::new(name, Cursor::new(bytes))
    }
}

impl<S: Read + Seek> RegisterFile<S> {
    /// Opens any seekable source; `name` stands for the file in errors.
    ///
    /// # Errors
    ///
    /// As for [`open`](RegisterFile::open).
    pub fn new(name: impl Into<String>, mut source: S) -> Result<Self, Error> {
        let name = name.into();
        let mut magic = Vec::with_capacity(4);
        let looked = source
            .by_ref()
            .take(4)
            .read_to_end(&mut magic)
            .and_then(|_| source.seek(SeekFrom::Start(0)));
        if let Err(source) = looked {
            return Err(Error::Read { file: name, bytes: 0, source });
        }
        if !ZIP_MAGIC.iter().any(|zip| magic == zip) {
            return Ok(Self { name, content: Content::Text(source) });
        }
        let archive = ZipArchive::new(source).map_err(|error| unreadable(&name, error))?;
        let member = only_text_member(&name, &archive)?;
        Ok(Self { name, content: Content::Zip { archive, member } })
    }

    /// Reads the rows, from the first; a file can be read again.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is empty, or its header is not the expected one.
    pub fn rows(&mut self) -> Result<Reader<Box<dyn Read + '_>>, Error> {
        let text: Box<dyn Read + '_> = match &mut self.content {
            Content::Text(source) => {
                if let Err(source) = source.seek(SeekFrom::Start(0)) {
                    return Err(Error::Read { file: self.name.clone(), bytes: 0, source });
                }
                Box::new(source)
            }
            Content::Zip { archive, member } => match archive.by_index(*member) {
                Ok(text) => Box::new(text),
                Err(error) => return Err(unreadable(&self.name, error)),
            },
        };
        Reader::new(self.name.clone(), text)
    }
}

impl<S> fmt::Debug for RegisterFile<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterFile").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The index of the one text file in a zip.
fn only_text_member<S: Read + Seek>(name: &str, archive: &ZipArchive<S>) -> Result<usize, Error> {
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let member = archive.by_index_data(index).map_err(|error| unreadable(name, error))?;
        if member.is_file() && member.name_raw().to_ascii_lowercase().ends_with(b".txt") {
            if member.encrypted() {
                return Err(Error::Encrypted { file: name.to_owned() });
            }
            if !matches!(
                member.compression(),
                CompressionMethod::Stored | CompressionMethod::Deflated
            ) {
                return Err(Error::Unsupported { file: name.to_owned() });
            }
            members.push(index);
        }
    }
    match members[..] {
        [member] => Ok(member),
        _ => Err(Error::Members { file: name.to_owned(), found: members.len() }),
    }
}

fn unreadable(file: &str, error: ZipError) -> Error {
    Error::Zip { file: file.to_owned(), source: Box::new(error) }
}
