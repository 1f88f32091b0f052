//! Backends with real servers: what is there, starting servers for people, running the tests.

mod conformance;
mod launch;
mod ports;
mod process;
mod rows;
mod state;

use std::fs;
use std::path::Path;

use crate::failure::{Doing as _, Failure, Outcome};
use crate::tools::Tool;
use crate::workspace;

pub(crate) use conformance::{EVERY_BACKEND, REQUIRE, all_conformed};
pub(crate) use rows::{ROWS, Row};

use state::State;

/// What to do with a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Say what is installed and what is up.
    Show,
    /// Start its servers, for a person to use.
    Up,
    /// Run the tests of its package, which start servers of their own.
    Test,
    /// End the servers that were started.
    Down,
}

impl Action {
    const ALL: [(&'static str, Self); 4] =
        [("show", Self::Show), ("up", Self::Up), ("test", Self::Test), ("down", Self::Down)];

    /// The action of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(own, _)| *own == name).map(|(_, action)| *action)
    }
}

/// The word for every row.
pub(crate) const ALL: &str = "all";

/// Does it for one backend, or for all.
pub(crate) fn run(action: Action, backend: &str) -> Outcome {
    let root = workspace::root();
    let rows: Vec<&'static Row> =
        ROWS.iter().filter(|row| backend == ALL || backend == row.name).collect();
    if rows.is_empty() {
        return Err(Failure::new(format!("no backend `{backend}`; `cargo xtask help` lists them")));
    }
    match action {
        Action::Show => show(&root, &rows),
        Action::Up => up(&root, &rows),
        Action::Test => {
            obtain(&root, &rows)?;
            conformance::test(&root, &rows)
        }
        Action::Down => down(&root, &rows),
    }
}

/// Gets every program that the servers of all rows are, for a run that leaves no backend out.
pub(crate) fn obtain_servers(root: &Path) -> Outcome {
    let mut programs: Vec<_> =
        ROWS.iter().flat_map(|row| row.servers).map(|server| server.program).collect();
    programs.dedup();
    programs.into_iter().try_for_each(|name| Tool::named(name)?.obtain(root).map(drop))
}

fn obtain(root: &Path, rows: &[&Row]) -> Outcome {
    let programs = rows.iter().flat_map(|row| row.programs());
    programs.into_iter().try_for_each(|name| Tool::named(name)?.obtain(root).map(drop))
}

fn show(root: &Path, rows: &[&Row]) -> Outcome {
    println!("{:<14}  {:<38}  servers", "backend", "programs");
    for row in rows {
        let mut programs = Vec::new();
        for name in row.programs() {
            let version = Tool::named(name)?.version(root);
            programs.push(match version {
                Some(version) => format!("{name} {version}"),
                None => format!("{name} missing"),
            });
        }
        let programs =
            if programs.is_empty() { "none needed".to_owned() } else { programs.join(", ") };
        let servers = match Found::of(root, row) {
            Found::NoServers => row.url.to_owned(),
            Found::Down => "down".to_owned(),
            Found::Up { url } => format!("up: {url}"),
            Found::Broken { why } => why,
        };
        println!("{:<14}  {programs:<38}  {servers}", row.name);
    }
    Ok(())
}

/// Asked for one row, a row that is up is a mistake; asked for all, it is one less to start.
fn up(root: &Path, rows: &[&Row]) -> Outcome {
    for row in rows {
        match Found::of(root, row) {
            Found::NoServers => println!("{} needs no server: {}", row.name, row.url),
            Found::Broken { why } => return Err(Failure::new(format!("{}: {why}", row.name))),
            Found::Up { url } if rows.len() == 1 => {
                return Err(Failure::new(format!(
                    "{} is up already, at {url}; end it with `cargo xtask integration down {0}`",
                    row.name
                )));
            }
            Found::Up { url } => println!("{} was up already: {url}", row.name),
            Found::Down => {
                obtain(root, &[*row])?;
                let url = launch::up(root, row)?;
                println!("{} is up: {url}", row.name);
                println!("  end it with: cargo xtask integration down {}", row.name);
            }
        }
    }
    Ok(())
}

/// One row that cannot be ended does not keep the others up.
fn down(root: &Path, rows: &[&Row]) -> Outcome {
    let failures = rows.iter().filter_map(|row| down_one(root, row).err());
    let failures: Vec<_> = failures.map(|failure| failure.to_string()).collect();
    if failures.is_empty() {
        return Ok(());
    }
    Err(Failure::new(failures.join("\n")))
}

fn down_one(root: &Path, row: &Row) -> Outcome {
    let folder = state::folder(root, row.name);
    if !folder.exists() {
        println!("{} was not up", row.name);
        return Ok(());
    }
    let servers = State::load(&folder)?.servers;
    for gone in servers.iter().filter(|server| !server.runs(root)) {
        println!("{gone} was gone already");
    }
    process::end(root, &servers, process::PATIENCE)?;
    remove(&folder)?;
    println!("{} is down", row.name);
    Ok(())
}

fn remove(folder: &Path) -> Outcome {
    fs::remove_dir_all(folder).doing(|| format!("remove the folder {}", folder.display()))
}

/// How a row's servers are.
enum Found {
    NoServers,
    Down,
    Up {
        url: String,
    },
    /// Only some of them run, or they never found together, or nobody can tell.
    Broken {
        why: String,
    },
}

impl Found {
    fn of(root: &Path, row: &Row) -> Self {
        if row.servers.is_empty() {
            return Self::NoServers;
        }
        let folder = state::folder(root, row.name);
        if !folder.exists() {
            return Self::Down;
        }
        let State { servers, url } = match State::load(&folder) {
            Ok(state) => state,
            Err(failure) => return Self::Broken { why: failure.to_string() },
        };
        let running = servers.iter().filter(|server| server.runs(root)).count();
        match url {
            // What a restart of the machine leaves: nothing to end, and the next start clears it.
            _ if running == 0 => Self::Down,
            Some(url) if running == servers.len() => Self::Up { url },
            _ => Self::Broken {
                why: format!(
                    "incomplete, {running} of {} servers run; end them with \
                     `cargo xtask integration down {}`",
                    row.server_count(),
                    row.name
                ),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_backend_is_named_before_anything_runs() {
        for (_, action) in Action::ALL {
            let message = run(action, "reddis").unwrap_err().to_string();
            assert_eq!(message, "no backend `reddis`; `cargo xtask help` lists them");
        }
    }
}
