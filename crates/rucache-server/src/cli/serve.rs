//! `rucache serve`: the service, from its start message to its graceful end.

use anstream::eprintln;
use tokio::sync::oneshot;

use super::exit::{Exit, Failure};
use super::settings::Global;
use super::signals::{Signals, Wanted};
use super::{logging, source};
use crate::config::ServerConfig;
use crate::http::{self, App};

/// Start the service.
///
/// It runs until Ctrl-C or SIGTERM, then finishes the requests under way and ends with 0; a second
/// signal ends it at once. SIGHUP has it read its configuration anew. Its log goes to standard
/// error; RUST_LOG says how much: info by default, or warn, debug, rucache_engine=debug.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache serve
  rucache serve --listen 127.0.0.1:9090 --backend memory://?capacity=1GiB
  RUCACHE_TOKEN_FILE=/etc/rucache/token rucache serve --listen 0.0.0.0:8080
  RUCACHE_MIGO_TOKEN=… rucache serve
  RUCACHE_SOURCE_REGISTER=padron.zip RUCACHE_SOURCE_COVERAGE=full rucache serve
  rucache serve --demo-provider

Exit codes: 0 stopped, 1 not started (a setting, a file, the port), 130 ended by a second signal")]
pub(super) struct Args {
    /// Answer HTTP here, beyond this machine with a token only; port 0 takes a free one [default:
    /// 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Answer with invented records, to see a look-up API at work without a token: 200 ms a call,
    /// one number in ten does not exist
    #[arg(long)]
    demo_provider: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Exit, Failure> {
    let mut flags = Vec::new();
    flags.extend(args.listen.clone().map(|listen| ("--listen", "listen", listen)));
    if args.demo_provider {
        flags.push(("--demo-provider", "sources", "[\"demo\"]".to_owned()));
    }
    let config = global.load(flags.clone())?.into_config();
    logging::start(&config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start a runtime: {error}")))?;
    let again = || match global.load(flags.clone()) {
        Ok(layers) => Ok(layers.into_config()),
        Err(failure) => Err(failure.text()),
    };
    let end = runtime.block_on(serve(config, again));
    // A register that is still being read must not keep a stopped service.
    runtime.shutdown_background();
    end
}

async fn serve(
    config: ServerConfig,
    again: impl Fn() -> Result<ServerConfig, String>,
) -> Result<Exit, Failure> {
    let mut signals = Signals::listen()
        .map_err(|error| Failure::new(format!("cannot listen for signals: {error}")))?;
    // Before a register is read, which takes a while: a port in use is told at once.
    let doors = http::bind(&config).await.map_err(|error| Failure::from_error(&error))?;
    let mut addresses = Vec::new();
    for (listener, _) in &doors {
        let address = listener.local_addr();
        addresses
            .push(address.map_err(|error| Failure::new(format!("cannot tell the port: {error}")))?);
    }
    eprintln!("rucache {}", env!("CARGO_PKG_VERSION"));
    eprintln!("  backend       {}", config.cache.backend);
    for line in source::describe(&config.cache) {
        eprintln!("  source        {line}");
    }
    let app = tokio::select! {
        opened = App::open(config) => opened.map_err(|error| Failure::from_error(&error))?,
        () = signals.stop() => return Ok(Exit::Done),
    };
    if let [_, admin] = addresses[..] {
        eprintln!("  administration at http://{admin}");
    }
    if let Some(address) = addresses.first() {
        eprintln!("  listening on  http://{address}");
        eprintln!("  try           curl http://{address}/v1/ruc/20131312955");
    }

    let (stop, stopped) = oneshot::channel::<()>();
    let service = http::run(doors, app.clone(), async {
        // Dropped or sent, it means the same.
        stopped.await.ok();
    });
    let obeying = async {
        while signals.next().await == Wanted::Reload {
            reload(&app, again());
        }
        tracing::info!("stopping: requests under way are finished; a second signal ends at once");
        drop(stop);
        signals.stop().await;
    };
    tokio::select! {
        () = service => {
            tracing::info!("stopped");
            Ok(Exit::Done)
        }
        () = obeying => Ok(Exit::Interrupted),
    }
}

/// Takes over what can be of a configuration read anew, and says what became of it.
fn reload(app: &App, config: Result<ServerConfig, String>) {
    match app.reload(config) {
        Ok(beyond) if beyond.is_empty() => tracing::info!("configuration read anew"),
        Ok(beyond) => {
            let settings = beyond.join(", ");
            tracing::warn!(settings, "configuration read anew; these take a restart");
        }
        Err(fault) => tracing::error!(fault, "the configuration is kept as it was"),
    }
}
