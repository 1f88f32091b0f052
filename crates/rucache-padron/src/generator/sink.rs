//! Where generated text goes: buffered, counted and hashed; plain or into a zip.

use std::io::{self, BufWriter, Seek, Write};

use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::column::header;
use crate::encoding::encode;
use crate::error::Error;

/// The text file inside SUNAT's zip.
const MEMBER: &str = "padron_reducido_ruc.txt";

/// A writer that counts and hashes.
pub(crate) struct Sink<W: Write> {
    out: BufWriter<W>,
    bytes: u64,
    hash: Sha256,
}

impl<W: Write> Sink<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out: BufWriter::with_capacity(64 * 1024, out), bytes: 0, hash: Sha256::new() }
    }

    /// Writes the header line.
    pub(crate) fn header(&mut self) -> io::Result<()> {
        self.write(&encode(&header()).unwrap_or_default())?;
        self.write(b"\n")
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.hash.update(bytes);
        self.out.write_all(bytes)
    }

    /// Flushes; how many bytes were written, and their SHA-256.
    pub(crate) fn finish(&mut self) -> io::Result<(u64, [u8; 32])> {
        self.out.flush()?;
        Ok((self.bytes, self.hash.clone().finalize().into()))
    }
}

/// Writes a zip with one text file, whose content `write` gives.
pub(crate) fn zipped<W: Write + Seek, T>(
    out: W,
    write: impl FnOnce(&mut ZipWriter<W>) -> Result<T, Error>,
) -> Result<T, Error> {
    let failed = |error: zip::result::ZipError| Error::Write { source: error.into() };
    let mut zip = ZipWriter::new(out);
    // A fixed date keeps the file the same from run to run; `large_file` leaves room for more than
    // 4 GiB at the cost of twenty bytes.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .large_file(true);
    zip.start_file(MEMBER, options).map_err(failed)?;
    let written = write(&mut zip)?;
    zip.finish().map_err(failed)?;
    Ok(written)
}
