//! `rucache serve`: the service, from its start message to its graceful end.

use anstream::{AutoStream, ColorChoice, eprintln};
use tokio::sync::oneshot;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::exit::{Exit, Failure};
use super::settings::Global;
use super::signals::Signals;
use super::source;
use crate::config::ServerConfig;
use crate::http::{self, App};

/// Start the service.
///
/// It runs until Ctrl-C or SIGTERM, then finishes the requests under way and ends with 0; a second
/// signal ends it at once. Its log goes to standard error; RUST_LOG says how much: info by default,
/// or warn, debug, rucache_engine=debug.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache serve
  rucache serve --listen 127.0.0.1:9090 --backend memory://?capacity=1GiB
  RUCACHE_SOURCE_REGISTER=padron.zip RUCACHE_SOURCE_COVERAGE=full rucache serve

Exit codes: 0 stopped, 1 not started (a setting, a file, the port), 130 ended by a second signal")]
pub(super) struct Args {
    /// Answer HTTP here, on a loopback address; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Exit, Failure> {
    let config = global.load(args.listen.as_deref())?.into_config();
    log()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start a runtime: {error}")))?;
    let end = runtime.block_on(serve(config));
    // A register that is still being read must not keep a stopped service.
    runtime.shutdown_background();
    end
}

async fn serve(config: ServerConfig) -> Result<Exit, Failure> {
    let mut signals = Signals::listen()
        .map_err(|error| Failure::new(format!("cannot listen for signals: {error}")))?;
    // Before a register is read, which takes a while: a port in use is told at once.
    let listener = http::bind(&config).await.map_err(|error| Failure::from_error(&error))?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::new(format!("cannot tell the port: {error}")))?;
    eprintln!("rucache {}", env!("CARGO_PKG_VERSION"));
    eprintln!("  backend       {}", config.cache.backend);
    eprintln!("  source        {}", source::describe(&config.cache));
    let cache = tokio::select! {
        opened = rucache::open_with(config.cache.clone()) => {
            opened.map_err(|error| Failure::from_error(&error))?
        }
        () = signals.next() => return Ok(Exit::Done),
    };
    eprintln!("  listening on  http://{address}");
    eprintln!("  try           curl http://{address}/v1/ruc/20131312955");

    let (stop, stopped) = oneshot::channel::<()>();
    let service = http::run(listener, App::new(&config, cache), async {
        // Dropped or sent, it means the same.
        stopped.await.ok();
    });
    let twice = async {
        signals.next().await;
        tracing::info!("stopping: requests under way are finished; a second signal ends at once");
        drop(stop);
        signals.next().await;
    };
    tokio::select! {
        () = service => {
            tracing::info!("stopped");
            Ok(Exit::Done)
        }
        () = twice => Ok(Exit::Interrupted),
    }
}

/// Logs to standard error what `RUST_LOG` asks for.
fn log() -> Result<(), Failure> {
    let targets = match std::env::var("RUST_LOG") {
        Ok(wanted) if !wanted.is_empty() => wanted.parse::<Targets>().map_err(|error| {
            Failure::new(format!(
                "RUST_LOG = {wanted:?}: {error}; expected a level such as info, or targets with \
                 levels such as warn,rucache_engine=debug"
            ))
        })?,
        _ => Targets::new().with_default(LevelFilter::INFO),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(AutoStream::choice(&std::io::stderr()) != ColorChoice::Never);
    tracing_subscriber::registry().with(targets).with(lines).init();
    Ok(())
}
