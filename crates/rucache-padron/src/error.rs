//! What can go wrong with a register file, and what to do about it.

use std::io;

use thiserror::Error;

/// Why a register cannot be read or written.
///
/// The texts name the file and say what to do; none holds a RUC.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be opened.
    #[error("cannot open register {file}; check the path and its permissions")]
    Open {
        /// The file.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// Reading stopped midway: the disk failed, or the compressed data is damaged.
    #[error(
        "cannot read register {file} beyond byte {bytes} of its text; \
         if it was downloaded, download it again"
    )]
    Read {
        /// The file.
        file: String,
        /// Bytes of text read until then.
        bytes: u64,
        /// What the system or the decompressor says.
        source: io::Error,
    },
    /// The zip's text file is packed by another method than deflate.
    #[error(
        "register {file} is packed by another method than deflate; \
         unpack it and give the text, or pack it again with deflate"
    )]
    Unsupported {
        /// The zip.
        file: String,
    },
    /// The file begins like a zip and is none, or only a part of one.
    #[error("register {file} is no readable zip: it is damaged or incomplete; download it again")]
    Zip {
        /// The file.
        file: String,
        /// What the zip library says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The zip does not hold exactly one text file.
    #[error(
        "register {file} must hold exactly one .txt file, but holds {found}; \
         give the zip as SUNAT publishes it, or the text itself"
    )]
    Members {
        /// The zip.
        file: String,
        /// How many text files it holds.
        found: usize,
    },
    /// The zip asks for a password.
    #[error("register {file} is encrypted; give it without a password")]
    Encrypted {
        /// The zip.
        file: String,
    },
    /// There is no header line: the file is empty.
    #[error("register {file} is empty; download it again")]
    Empty {
        /// The file.
        file: String,
    },
    /// The first line is not the register's header.
    #[error(
        "register {file} has an unknown header: column {column} must be {expected:?}, \
         but is {found:?}; the header must be {}",
        crate::column::header()
    )]
    Header {
        /// The file.
        file: String,
        /// The first column that differs, from 1; 16 stands for what follows the trailing pipe.
        column: usize,
        /// The title that column must have.
        expected: &'static str,
        /// What stands there, cut to 40 characters.
        found: String,
    },
    /// A register of this many lines does not fit this machine's memory.
    #[error("register {file} does not fit in memory at byte {bytes} of its text")]
    Memory {
        /// The file.
        file: String,
        /// Bytes of text read until then.
        bytes: u64,
    },
    /// The generator has not enough numbers.
    #[error(
        "cannot generate {lines} lines: there are {most} numbers for one of the prefixes; \
         ask for fewer lines"
    )]
    TooManyLines {
        /// Lines asked for.
        lines: u64,
        /// Numbers there are for the prefix that runs out.
        most: u64,
    },
    /// A generated register cannot be written.
    #[error("cannot write the generated register; check the target and its free space")]
    Write {
        /// What the system or the compressor says.
        source: io::Error,
    },
}
