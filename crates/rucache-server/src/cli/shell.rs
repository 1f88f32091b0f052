//! `rucache completions` and `rucache man`: what packages ship beside the program.

use std::io::Write;

use clap::CommandFactory;

use super::exit::{Exit, Failure};
use super::{Cli, Output};

/// Print the completions of a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache completions bash > /etc/bash_completion.d/rucache
  rucache completions zsh > ~/.zfunc/_rucache")]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

/// Print the manual page, of the program or of one command.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache man | man -l -
  rucache man bulk > rucache-bulk.1")]
pub(super) struct ManArgs {
    /// The command, as in `invalid add`
    command: Vec<String>,
}

pub(super) fn completions(args: &CompletionsArgs, out: &mut Output) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rucache", &mut script);
    out.write_all(&script)?;
    Ok(Exit::Done)
}

pub(super) fn man(args: &ManArgs, out: &mut Output) -> Result<Exit, Failure> {
    let mut command = Cli::command();
    // Names and usage of the commands below.
    command.build();
    let mut name = "rucache".to_owned();
    for part in &args.command {
        let found = command.find_subcommand(part).cloned();
        command = found.ok_or_else(|| Failure::new(format!("{name} has no command {part:?}")))?;
        name = format!("{name}-{part}");
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    // The title line ends in a space where there is no date.
    for line in page.split_inclusive(|byte| *byte == b'\n') {
        out.write_all(line.trim_ascii_end())?;
        out.write_all(b"\n")?;
    }
    Ok(Exit::Done)
}
