//! The `rucache` binary: HTTP service and command line.

mod cli;
mod config;
mod http;
mod mask;
mod plain;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
