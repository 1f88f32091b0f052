//! SUNAT's reduced taxpayer register (padrón reducido): reader, sample, generator and provider.
//!
//! - [`RegisterFile`] opens the file as SUNAT publishes it, zip or text, and lends its rows one by
//!   one in constant memory; dirty lines are passed over and counted by [`Cause`].
//! - [`Register`] is a register in memory; [`RegisterProvider`] answers look-ups from it.
//! - [`sample`] is a small invented register that comes with the crate.
//! - [`Generator`] and [`Revision`] invent files of any size, and state exactly what is in them.
//!
//! ```
//! use rucache_padron::{Column, RegisterFile, SAMPLE_ZIP};
//!
//! let mut file = RegisterFile::from_bytes("sample", SAMPLE_ZIP)?;
//! let mut rows = file.rows()?;
//! let mut active = 0;
//! while let Some(row) = rows.next_row()? {
//!     if row.text(Column::EstadoDelContribuyente).as_deref() == Some("ACTIVO") {
//!         active += 1;
//!     }
//! }
//! let report = rows.finish()?;
//! assert_eq!((report.read(), report.skipped_total()), (3_000, 0));
//! assert!(active > 1_400);
//! # Ok::<(), rucache_padron::Error>(())
//! ```

mod column;
mod encoding;

mod cause;
mod report;

mod error;

mod lines;
mod row;

mod reader;

mod file;
mod register;
mod shrink;

mod provider;
mod sample;

mod generator;

pub use cause::Cause;
pub use column::{Column, header};
pub use encoding::{decode, encode};
pub use error::Error;
pub use file::RegisterFile;
pub use generator::{Changed, Changes, Generator, Manifest, Population, Profile, Revision};
pub use lines::LINE_LIMIT;
pub use provider::RegisterProvider;
pub use reader::Reader;
pub use register::Register;
pub use report::Report;
pub use row::Row;
pub use sample::{SAMPLE_ZIP, sample};
pub use shrink::{MOST_SHRINKAGE, Shrunk, refuse_shrunk};

/// Holds the README's example to the truth.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
