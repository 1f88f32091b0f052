//! Developer tasks: `cargo xtask help` lists them.

mod api;
mod args;
mod bench;
mod ci;
mod doctor;
mod faults;
mod fleet;
mod integration;
mod mutants;
mod package;
mod sim;
mod peers;
mod screenshots;
mod tidy;

mod command;
mod failure;
mod files;
mod tally;
mod tools;
mod workspace;

use std::process::ExitCode;

use crate::args::Task;
use crate::failure::Outcome;
use crate::workspace::Workspace;

fn main() -> ExitCode {
    match args::parse(lexopt::Parser::from_env()).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Outcome {
    match task {
        Task::Help => {
            print!("{}", args::help());
            Ok(())
        }
        Task::Test => ci::test(),
        Task::Ci { steps } => ci::run(&steps),
        Task::Tidy => tidy::run(&Workspace::load()?),
        Task::Doctor => doctor::run(),
        Task::Integration { action, backend } => integration::run(action, &backend),
        Task::Bench { suite } => bench::run(&suite),
        Task::Peers => peers::run(),
        Task::Sim { args } => sim::run(&args),
        Task::Faults { args } => faults::run(&args),
        Task::Fleet { args } => fleet::run(&args),
        Task::Mutants { names } => mutants::run(&names),
        Task::Screenshots => screenshots::run(),
        Task::Package => package::run(&Workspace::load()?),
        Task::Api { write } => api::run(&Workspace::load()?, write),
    }
}
