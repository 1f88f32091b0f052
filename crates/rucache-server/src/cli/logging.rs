//! Where the log goes, and how its lines look.

use std::fs::{File, OpenOptions};
use std::sync::Arc;

use anstream::{AutoStream, ColorChoice};
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;

use super::exit::Failure;
use crate::config::{Format, LogConfig};
use crate::http::TARGET;
use crate::mask::Masked;

type AnyLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Logs what `RUST_LOG` asks for to standard error, and cache events where `config` says.
pub(super) fn start(config: &LogConfig) -> Result<(), Failure> {
    let targets = match std::env::var("RUST_LOG") {
        Ok(wanted) if !wanted.is_empty() => wanted.parse::<Targets>().map_err(|error| {
            Failure::new(format!(
                "RUST_LOG = {wanted:?}: {error}; expected a level such as info, or targets with \
                 levels such as warn,rucache_engine=debug"
            ))
        })?,
        _ => Targets::new().with_default(LevelFilter::INFO),
    };
    // Whether there are such events is a setting of its own.
    let targets = targets.with_target(TARGET, LevelFilter::TRACE);
    let colours = AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
    let stderr = lines(config.format, std::io::stderr, colours);
    let file = config.file.as_deref().map(open).transpose()?;
    let apart = file.is_some();
    let mut layers = vec![
        stderr
            .with_filter(targets)
            .with_filter(filter_fn(move |of| !apart || of.target() != TARGET))
            .boxed(),
    ];
    if let Some(file) = file {
        let events = lines(config.format, Arc::new(file), false);
        layers.push(events.with_filter(filter_fn(|of| of.target() == TARGET)).boxed());
    }
    tracing_subscriber::registry().with(layers).init();
    Ok(())
}

fn lines<W>(format: Format, writer: W, colours: bool) -> AnyLayer
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(Masked(writer))
        // At debug level: each look-up and each call to a backend, at its end.
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(colours);
    match format {
        Format::Text => lines.boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    }
}

fn open(path: &std::path::Path) -> Result<File, Failure> {
    OpenOptions::new().create(true).append(true).open(path).map_err(|error| {
        Failure::new(format!(
            "log.file = {:?}: cannot be written: {error}; give the path of a file in a folder \
             that exists",
            path.display().to_string()
        ))
    })
}
