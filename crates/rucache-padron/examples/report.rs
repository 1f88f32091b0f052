//! Reads register files to their end and prints what was found, one JSON object each.

use std::env;
use std::error::Error;

use rucache_padron::RegisterFile;

fn main() -> Result<(), Box<dyn Error>> {
    for path in env::args_os().skip(1) {
        let report = RegisterFile::open(path)?.rows()?.finish()?;
        println!("{}", serde_json::to_string(&report)?);
    }
    Ok(())
}
