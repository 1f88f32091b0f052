//! `rucache doctor`: tries a backend out, step by step, and explains what fails.

mod patient;
mod records;

use std::io::Write;
use std::pin::Pin;

use anstyle::AnsiColor;
use rucache::OpenError;

use super::Output;
use super::exit::{Exit, Failure};
use super::settings::Global;
use patient::Patient;
use records::Records;

/// Try the configured backend out, step by step, and explain what fails.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Its steps are what a cache needs of a backend, then what you need of the cache: a value is set, read
and deleted, a taxpayer's record too, a number is marked as invalid, listed and taken off, and a hit
and a miss are counted. All is done in a service of its own, `rucache.doctor`, and removed.
The exit code is 0 when every step works, 1 when one fails, 3 when the backend does not answer.

Examples:
  rucache doctor
  rucache --backend redis://127.0.0.1:6379/1 doctor
  rucache --backend memcached://10.0.0.1,10.0.0.2 doctor")]
pub(super) struct Args {}

/// What a step found: something to say, or what is wrong and what to do.
type Found = Result<String, String>;

/// A step, on its way.
type Step<'a> = Pin<Box<dyn Future<Output = Found> + 'a>>;

pub(super) fn run(_: &Args, global: &Global, out: &mut Output) -> Result<Exit, Failure> {
    let config = global.load(None)?.into_config().cache;
    super::runtime()?.block_on(async {
        writeln!(out, "{}", config.backend)?;
        let cache = open(config).await.map_err(|error| Failure::from_error(&error))?;
        let backend = match cache.backend() {
            Some(backend) => backend.clone(),
            None => {
                let memory = rucache::open_backend("memory://").await;
                memory.map_err(|error| Failure::from_error(&error))?
            }
        };
        let pushes = backend.capabilities().push;
        let patient = Patient::new(backend, cache.runtime().clone());
        if !examine(&patient, "connect", Box::pin(patient.connect()), out).await? {
            return Ok(Exit::Unreachable);
        }
        let records = Records::new(&patient, cache).map_err(Failure::new)?;
        let mut steps: Vec<(&str, Step<'_>)> = vec![
            ("write, read, delete", Box::pin(patient.write_read_delete())),
            ("fill under a lease", Box::pin(patient.fill_under_a_lease())),
            ("refuse a late fill", Box::pin(patient.refuse_a_late_fill())),
            ("markers", Box::pin(patient.markers())),
            ("maps", Box::pin(patient.maps())),
        ];
        if pushes {
            steps.push(("push", Box::pin(patient.push())));
        }
        steps.push(("cached values", Box::pin(records.set_get_delete())));
        steps.push(("taxpayer records", Box::pin(records.set_get_delete_ruc())));
        steps.push(("invalid numbers", Box::pin(records.marks())));
        steps.push(("statistics", Box::pin(records.statistics())));
        steps.push(("state of the server", Box::pin(patient.info())));
        let mut exit = Exit::Done;
        for (name, step) in steps {
            if !examine(&patient, name, step, out).await? {
                exit = Exit::Failed;
            }
        }
        records.clean_up().await;
        Ok(exit)
    })
}

/// A cache on the backend of `config`; its source is asked for nothing.
async fn open(config: rucache::Config) -> Result<rucache::Cache, OpenError> {
    let mut only = rucache::Config::default();
    only.backend = config.backend;
    only.key_prefix = config.key_prefix;
    only.local = config.local;
    only.timing = config.timing;
    rucache::open_with(only).await
}

/// Takes a step and tells what it found; whether that is well.
async fn examine(
    patient: &Patient,
    name: &str,
    step: Step<'_>,
    out: &mut Output,
) -> Result<bool, Failure> {
    let began = patient.runtime.now();
    let found = step.await;
    let millis = patient.runtime.now().since(began).as_secs_f64() * 1e3;
    let well = found.is_ok();
    let (colour, sign) = if well { (AnsiColor::Green, "ok") } else { (AnsiColor::Red, "FAIL") };
    let style = colour.on_default();
    let text = found.unwrap_or_else(|wrong| wrong);
    let line = format!("  {style}{sign:<4}{style:#}  {name:<20} {millis:>8.2} ms  {text}");
    writeln!(out, "{}", line.trim_end())?;
    Ok(well)
}
