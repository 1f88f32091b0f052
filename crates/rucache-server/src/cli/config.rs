//! `rucache config`: what is set, where, and whether it works.

use std::io::Write;
use std::path::PathBuf;

use anstream::eprintln;
use rucache::padron::RegisterFile;
use rucache::providers::ApiKind;
use rucache::{Config, Layers, OpenError, Origin, Setting, SourceName};
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
    let untouched = untouched_apis(&layers);
    for (setting, value, origin) in settings {
        if untouched.iter().any(|api| is_of(setting, api)) {
            continue;
        }
        table.push([
            setting.key().into(),
            value.as_str().into(),
            origin.as_str().into(),
            setting.variable().as_str().into(),
            setting.about().into(),
        ]);
    }
    table.write(out, terminal_width())?;
    if !untouched.is_empty() {
        let untouched = untouched.join(", ");
        eprintln!("rucache: note: nothing is set of {untouched}; --json shows their settings too");
    }
    Ok(Exit::Done)
}

/// The look-up APIs of which nothing is set: a screenful of defaults.
fn untouched_apis(layers: &Layers<ServerConfig>) -> Vec<&'static str> {
    let is_set = |setting: &&Setting<ServerConfig>| *layers.origin(setting) != Origin::Default;
    let set: Vec<_> = layers.settings().iter().filter(is_set).collect();
    let names = ApiKind::ALL.iter().map(|kind| kind.as_str());
    names.filter(|api| !set.iter().any(|setting| is_of(setting, api))).collect()
}

/// Whether a setting is one of the look-up API `api`.
fn is_of(setting: &Setting<ServerConfig>, api: &str) -> bool {
    setting.key().strip_prefix(api).is_some_and(|rest| rest.starts_with('.'))
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
    for line in source::describe(config) {
        writeln!(out, "  source    {line}")?;
    }
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
    let is_asked = config.source_order().contains(&SourceName::Register);
    let register = match (&config.register, config.coverage) {
        (None, Some(_)) => return Err(Failure::from_error(&OpenError::RegisterUnset)),
        (None, None) if is_asked => return Err(Failure::from_error(&OpenError::RegisterUnnamed)),
        (None, None) => return Ok(()),
        (Some(_), None) => return Err(Failure::from_error(&OpenError::CoverageUnset)),
        (Some(register), Some(_)) => register,
    };
    RegisterFile::open(register)
        .and_then(|mut file| file.rows().map(drop))
        .map_err(|error| Failure::from_error(&OpenError::Register(error)))
}

/// Opens the backend and sets, reads and deletes an entry.
fn try_backend(config: &Config) -> Result<&'static str, Failure> {
    let mut config = config.clone();
    // Its header is checked already, and it takes a while to load.
    config.register = None;
    config.coverage = None;
    let others = config.source_order().into_iter().filter(|name| *name != SourceName::Register);
    config.sources = Some(others.collect());
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
