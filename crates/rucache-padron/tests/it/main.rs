//! Integration tests of the register crate.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod dirt;
mod format;
mod generated;
mod memory;
mod property;
mod provider;
mod revision;
mod zipped;

use rucache_padron::{Error, Reader, encode, header};

/// Register text: the header and lines, each with its end.
fn text(lines: &[&str]) -> Vec<u8> {
    let mut text = header();
    for line in lines {
        text.push('\n');
        text.push_str(line);
    }
    text.push('\n');
    encode(&text).expect("tests stay in the register's encoding")
}

/// A line with a number and a name, and dashes for the rest.
fn line(ruc: &str, name: &str) -> String {
    format!("{ruc}|{name}|ACTIVO|HABIDO|-|-|-|-|-|-|-|-|-|-|-|")
}

/// Why a text is refused before its first row.
fn refused(text: &[u8]) -> Error {
    Reader::new("padron.txt", text).expect_err("the text is refused")
}
