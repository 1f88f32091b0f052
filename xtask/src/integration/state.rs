//! What is remembered of the servers of a row, in a file in the row's folder.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::process::Started;
use crate::failure::{Doing as _, Failure, Outcome};

/// Rows' folders: away with `cargo clean`, in nobody's way.
const FOLDERS: &str = "target/integration";

const FILE: &str = "state";

/// Where the servers of a row keep everything.
pub(super) fn folder(root: &Path, row: &str) -> PathBuf {
    root.join(FOLDERS).join(row)
}

/// One line per server, and the URL once they can be used.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) servers: Vec<Started>,
    pub(super) url: Option<String>,
}

impl State {
    /// What the file says; nothing started when a folder has none.
    pub(super) fn load(folder: &Path) -> Outcome<Self> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&path).doing(|| format!("read {}", path.display()))?;
        Self::parse(&text).map_err(|line| {
            Failure::new(format!(
                "{} has a line that is not understood, `{line}`; end what it lists by hand and \
                 delete the folder",
                path.display()
            ))
        })
    }

    pub(super) fn store(&self, folder: &Path) -> Outcome {
        let path = folder.join(FILE);
        fs::write(&path, self.to_string()).doing(|| format!("write {}", path.display()))
    }

    /// Fails with the first line that is none of ours.
    fn parse(text: &str) -> Result<Self, &str> {
        let mut state = Self::default();
        for line in text.lines() {
            match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["server", program, port, pid] => state.servers.push(Started {
                    program: (*program).to_owned(),
                    port: port.parse().map_err(|_| line)?,
                    pid: pid.parse().map_err(|_| line)?,
                }),
                ["url", url] => state.url = Some((*url).to_owned()),
                _ => return Err(line),
            }
        }
        Ok(state)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Started { program, port, pid } in &self.servers {
            writeln!(f, "server {program} {port} {pid}")?;
        }
        self.url.iter().try_for_each(|url| writeln!(f, "url {url}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "server memcached 10001 77\nserver memcached 10002 78\nurl memcached://127.0.0.1:10001\n";

    #[test]
    fn what_was_stored_is_loaded() {
        let state = State::parse(TEXT).unwrap();
        let server = |port, pid| Started { program: "memcached".to_owned(), port, pid };
        assert_eq!(state.servers, [server(10_001, 77), server(10_002, 78)]);
        assert_eq!(state.url.as_deref(), Some("memcached://127.0.0.1:10001"));
        assert_eq!(state.to_string(), TEXT);
    }

    #[test]
    fn servers_without_a_url_are_remembered_while_they_start() {
        let state = State::parse("server redis-server 10001 77\n").unwrap();
        assert_eq!((state.servers.len(), state.url), (1, None));
        assert_eq!(State::parse(""), Ok(State::default()));
    }

    #[test]
    fn a_line_that_is_not_understood_is_named() {
        for line in [
            "server redis-server 10001",
            "server redis-server 65536 77",
            "server redis-server 10001 -1",
            "url",
            "",
        ] {
            assert_eq!(State::parse(&format!("{TEXT}{line}\n")), Err(line));
        }
    }
}
