//! `rucache key`: under which name an entry is stored.

use std::io::Write;

use rucache::core::KeyCodec;
use rucache::{Key, ServiceName};
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::table::printable;
use super::{Output, write_json};

const EXAMPLES: &str = "\
Examples:
  rucache key migo ruc_20131312955
  rucache key default 'informe de enero'";

/// Show the key of an entry, and its name in a store.
///
/// The key is SERVICE:NAME. In a store, bytes outside A-Z a-z 0-9 . _ ~ - are percent-encoded, and
/// what is then longer than 240 bytes ends in # and a hash of the key.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The service: 1 to 32 of a-z 0-9 . _ -, the first a letter or digit
    service: String,
    /// The name inside the service: any text of 1 byte to 64 KiB
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The output for programs.
#[derive(Serialize)]
struct Names<'a> {
    key: &'a str,
    wire: &'a str,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<Exit, Failure> {
    let key = ServiceName::new(&args.service)
        .and_then(|service| Key::new(&service, &args.name))
        .map_err(|error| Failure::from_error(&error))?;
    let wire = KeyCodec::default().entry(&key);
    if args.json {
        write_json(out, &Names { key: key.as_str(), wire: wire.as_str() })?;
        return Ok(Exit::Done);
    }
    let remark = if wire.as_str() == key.as_str() {
        ""
    } else if wire.as_str().contains('#') {
        "  (shortened; what follows # is the SHA-256 of the key)"
    } else {
        "  (percent-encoded)"
    };
    writeln!(out, "key   {}", printable(key.as_str()))?;
    writeln!(out, "wire  {}{remark}", wire.as_str())?;
    Ok(Exit::Done)
}
