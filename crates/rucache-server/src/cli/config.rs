//! `rucache config`: what is set, where, and whether it works.

use std::io::Write;
use std::path::PathBuf;

use rucache::padron::RegisterFile;
use rucache::{Config, Layers, OpenError, Origin};
use serde::Serialize;

use super::Output;
use super::exit::{Exit, Failure};
use super::settings::Global;
use super::source;
use super::table::{Table, terminal_width};
use crate::config::ServerConfig;

/// Show or check the configuration.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Show(ShowArgs),
    Check(CheckArgs),
}

/// Show every setting: its value, where that comes from, and its environment variable.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache config show
  rucache --config rucache.toml config show --json")]
pub(super) struct ShowArgs {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Check the configuration without starting the service, and say what it would do.
///
/// The first fault is told with its file and line, setting, value and expected form, and the exit
/// code is 1. The backend is opened and tried; of a register file the header is read.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache config check rucache.toml
  RUCACHE_BACKEND=memory://?capacity=1GiB rucache config check")]
pub(super) struct CheckArgs {
    /// The TOML file; goes before --config FILE
    file: Option<PathBuf>,
}

pub(super) fn show(args: &ShowArgs, global: &Global, out: &mut Output) -> Result<Exit, Failure> {
    let layers = global.load(None)?;
    let settings = layers.settings().iter().map(|setting| {
        (setting, setting.show(layers.config()), layers.origin(setting).to_string())
    });
    if args.json {
        let settings: Vec<_> = settings
            .map(|(setting, value, origin)| Shown {
                key: setting.key(),
                value,
                origin,
                variable: setting.variable(),
                form: setting.form(),
                about: setting.about(),
            })
            .collect();
        super::write_json(out, &Document { settings })?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["SETTING", "VALUE", "FROM", "VARIABLE", "ABOUT"]);
    for (setting, value, origin) in settings {
        table.push([
            setting.key().into(),
            value.as_str().into(),
            origin.as_str().into(),
            setting.variable().as_str().into(),
            setting.about().into(),
        ]);
    }
    table.write(out, terminal_width())?;
    Ok(Exit::Done)
}

/// What `--json` prints.
#[derive(Serialize)]
struct Document {
    settings: Vec<Shown>,
}

/// One setting as it stands.
#[derive(Serialize)]
struct Shown {
    key: &'static str,
    value: String,
    /// `default`, a file and line, an environment variable, or a flag.
    origin: String,
    variable: String,
    form: &'static str,
    about: &'static str,
}

pub(super) fn check(
    args: CheckArgs,
    mut global: Global,
    out: &mut Output,
) -> Result<Exit, Failure> {
    global.config = args.file.or(global.config);
    let layers = global.load(None)?;
    let config = &layers.config().cache;
    check_register(config)?;
    let tried = try_backend(config)?;
    let file = global.config.as_deref();
    let file = file.map_or_else(|| "no file".to_owned(), |file| file.display().to_string());
    writeln!(out, "configuration ok: {file}, {}", changed(&layers))?;
    writeln!(out, "  backend   {} ({tried})", config.backend)?;
    writeln!(out, "  source    {}", source::describe(config))?;
    writeln!(out, "  service   http://{}", layers.config().listen)?;
    Ok(Exit::Done)
}

/// How many settings are not the default.
fn changed(layers: &Layers<ServerConfig>) -> String {
    let settings = layers.settings();
    let set = settings.iter().filter(|setting| *layers.origin(setting) != Origin::Default).count();
    format!("{set} of {} settings set", settings.len())
}

/// Whether the register is one: its header, not its millions of lines.
fn check_register(config: &Config) -> Result<(), Failure> {
    let Some(register) = &config.register else { return Ok(()) };
    if config.coverage.is_none() {
        return Err(Failure::from_error(&OpenError::CoverageUnset));
    }
    RegisterFile::open(register)
        .and_then(|mut file| file.rows().map(drop))
        .map_err(|error| Failure::from_error(&OpenError::Register(error)))
}

/// Opens the backend and sets, reads and deletes an entry.
fn try_backend(config: &Config) -> Result<&'static str, Failure> {
    let mut config = config.clone();
    // Its header is checked already, and the sample is loaded at once.
    config.register = None;
    config.coverage = None;
    let runtime = super::runtime()?;
    let probe = runtime.block_on(async {
        let cache =
            rucache::open_with(config).await.map_err(|error| Failure::from_error(&error))?;
        cache.probe().await.map_err(|error| Failure::from_error(&error))
    })?;
    if probe.works {
        Ok("an entry was set, read and deleted")
    } else {
        Err(Failure::new("the backend lost an entry that was just set; give it more capacity"))
    }
}
