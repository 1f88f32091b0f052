//! The command line: what can be asked, and which command answers.

mod answer;
mod bulk;
mod cache;
mod config;
mod doctor;
mod entry;
mod exit;
mod health;
mod input;
mod invalid;
mod invalidate;
mod key;
mod logging;
mod lookup;
mod progress;
mod quote;
mod remote;
mod ruc;
mod rules;
mod serve;
mod settings;
mod shell;
mod signals;
mod source;
mod stats;
mod table;
mod warm;

use std::io::Write;
use std::process::ExitCode;

use anstream::{AutoStream, eprintln};
use clap::{Parser, Subcommand};

use exit::{Exit, Failure};
use settings::Global;

/// Where a command writes what it was asked for: colours are dropped unless a terminal reads them
/// and NO_COLOR is unset.
type Output = AutoStream<std::io::StdoutLock<'static>>;

/// Who is RUC 20131312955? A cache for look-ups of Peruvian taxpayers.
#[derive(Debug, Parser)]
#[command(name = "rucache", version, max_term_width = 100, after_long_help = exit::CODES)]
#[command(after_help = "Exit codes and details: rucache --help")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Lookup(lookup::Args),
    Get(entry::GetArgs),
    Set(entry::SetArgs),
    Delete(entry::DeleteArgs),
    Clear(invalidate::ClearArgs),
    Invalidate(invalidate::InvalidateArgs),
    Event(invalidate::EventArgs),
    #[command(subcommand)]
    Rules(rules::Command),
    Stats(stats::StatsArgs),
    Maintain(stats::MaintainArgs),
    Warm(warm::Args),
    Bulk(bulk::Args),
    #[command(subcommand)]
    Invalid(invalid::Command),
    Key(key::Args),
    #[command(subcommand)]
    Ruc(ruc::Command),
    #[command(subcommand)]
    Config(config::Command),
    Health(health::Args),
    Doctor(doctor::Args),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
}

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    let mut out = anstream::stdout().lock();
    let done = match command {
        Command::Serve(args) => serve::run(&args, &global),
        Command::Lookup(args) => lookup::run(args, &global, &mut out),
        Command::Get(args) => entry::get(&args, &global, &mut out),
        Command::Set(args) => entry::set(&args, &global, &mut out),
        Command::Delete(args) => entry::delete(&args, &global, &mut out),
        Command::Clear(args) => invalidate::clear(&args, &global, &mut out),
        Command::Invalidate(args) => invalidate::invalidate(&args, &global, &mut out),
        Command::Event(args) => invalidate::event(&args, &global, &mut out),
        Command::Rules(rules::Command::Check(args)) => rules::check(args, global, &mut out),
        Command::Stats(args) => stats::stats(&args, &global, &mut out),
        Command::Maintain(args) => stats::maintain(&args, &global, &mut out),
        Command::Warm(args) => warm::run(&args, &global, &mut out),
        Command::Bulk(args) => bulk::run(&args, &global, &mut out),
        Command::Invalid(command) => invalid::run(command, &global, &mut out),
        Command::Completions(args) => shell::completions(&args, &mut out),
        Command::Man(args) => shell::man(&args, &mut out),
        Command::Key(args) => key::run(&args, &mut out),
        Command::Ruc(ruc::Command::Check(args)) => ruc::check(args, &mut out),
        Command::Config(config::Command::Show(args)) => config::show(&args, &global, &mut out),
        Command::Config(config::Command::Check(args)) => config::check(args, global, &mut out),
        Command::Doctor(args) => doctor::run(&args, &global, &mut out),
        Command::Health(args) => health::run(&args, &global, &mut out),
    };
    match done {
        Ok(exit) => exit,
        // Whoever read has enough: `rucache lookup … | head -1`.
        Err(Failure::OutputClosed) => Exit::Done,
        Err(Failure::Told { exit, text }) => {
            eprintln!("rucache: {text}");
            exit
        }
    }
    .into()
}

/// Writes `document` as the one JSON document of a command.
fn write_json(out: &mut Output, document: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(document)
        .map_err(|error| Failure::new(format!("cannot write the output as JSON: {error}")))?;
    Ok(writeln!(out, "{text}")?)
}

/// A runtime for a command that asks once and ends.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start a runtime: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definition_of_the_command_line_is_consistent() {
        use clap::CommandFactory;

        Cli::command().debug_assert();
    }
}
