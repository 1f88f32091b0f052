//! `rucache serve`: the service, from its start message to its graceful end.

use super::exit::{Exit, Failure};
use super::settings::Global;

/// Start the service.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Answer HTTP here; only loopback addresses [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Exit, Failure> {
    let _layers = global.load(args.listen.as_deref())?;
    Ok(Exit::Interrupted)
}
