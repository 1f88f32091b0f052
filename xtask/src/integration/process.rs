//! Processes that an earlier run started: whether they still are the same, and ending them.

use std::fmt;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::command::{Invocation, Stopwatch};
use crate::failure::{Failure, Outcome};

/// How long a server may take to end when it is asked to, and again when it is made to.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How often one looks.
const PERIOD: Duration = Duration::from_millis(50);

/// A server that was started.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Started {
    pub(super) program: String,
    pub(super) port: u16,
    pub(super) pid: u32,
}

impl Started {
    /// Whether it still runs. Another program that was given its number meanwhile is not it.
    pub(super) fn runs(&self, root: &Path) -> bool {
        command_line(root, self.pid).is_some_and(|line| self.is_meant_by(&line))
    }

    /// Whether a command line has the program and, as a number of its own, the port: Redis writes
    /// `redis-server 127.0.0.1:PORT [cluster]` over its arguments.
    fn is_meant_by(&self, line: &str) -> bool {
        let mut numbers = line.split(|c: char| !c.is_ascii_digit());
        line.contains(&self.program) && numbers.any(|number| number == self.port.to_string())
    }
}

impl fmt::Display for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on port {} (process {})", self.program, self.port, self.pid)
    }
}

/// The command line of a process, words parted by spaces; empty when it has ended and is waited
/// for. Linux tells it in a file; other systems need a program for it.
fn command_line(root: &Path, pid: u32) -> Option<String> {
    if Path::new("/proc/self/cmdline").exists() {
        let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        return Some(String::from_utf8_lossy(&bytes).replace('\0', " "));
    }
    Invocation::new("ps").words(&format!("-o command= -p {pid}")).first_line(root)
}

/// Ends those that still run: first they are asked to, then, after `patience`, made to.
pub(super) fn end(root: &Path, servers: &[Started], patience: Duration) -> Outcome {
    let running = || servers.iter().filter(|server| server.runs(root)).collect::<Vec<_>>();
    for name in ["TERM", "KILL"] {
        for server in running() {
            signal(root, server.pid, name);
        }
        if wait_until(patience, || running().is_empty()) {
            return Ok(());
        }
    }
    let left = running().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Err(Failure::new(format!("cannot end {left}: does it belong to another user?")))
}

/// Through the shell, where it is built in: the program of the same name is not on every system.
fn signal(root: &Path, pid: u32, name: &str) {
    // Whether it went there is seen by who is left.
    let _ = Invocation::new("sh").args(["-c", &format!("kill -{name} {pid}")]).output(root);
}

/// Whether `condition` came true before `patience` ran out.
pub(super) fn wait_until(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let clock = Stopwatch::start();
    loop {
        if condition() {
            return true;
        }
        if clock.elapsed() >= patience {
            return false;
        }
        thread::sleep(PERIOD);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Child, Command, Stdio};

    use super::*;

    const ROOT: &str = ".";

    fn started(program: &str, port: u16, pid: u32) -> Started {
        Started { program: program.to_owned(), port, pid }
    }

    /// A shell that looks like a server on port 10001, once `script` has said so.
    fn server(script: &str) -> (Child, Started) {
        let script = format!("{script}; echo ready; while :; do sleep 0.1; done");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "memcached", "-p", "10001"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        let started = started("memcached", 10_001, child.id());
        (child, started)
    }

    #[test]
    fn a_process_is_known_by_program_and_whole_port() {
        let server = started("redis-server", 1000, 7);
        for (line, meant) in [
            ("redis-server 127.0.0.1:1000 [cluster]", true),
            ("/usr/bin/redis-server server.conf --port 1000", true),
            ("redis-server 127.0.0.1:10001", false),
            ("redis-server 127.0.0.1:2000", false),
            ("memcached -p 1000", false),
            ("", false),
        ] {
            assert_eq!(server.is_meant_by(line), meant, "{line}");
        }
    }

    #[test]
    fn a_number_that_another_program_has_now_is_left_alone() {
        let (mut child, mut server) = server(":");
        server.port = 10_002;
        assert!(!server.runs(Path::new(ROOT)));
        end(Path::new(ROOT), &[server], PATIENCE).unwrap();
        assert_eq!(child.try_wait().unwrap(), None);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_server_is_asked_to_end_and_then_made_to() {
        for (script, patience) in [(":", PATIENCE), ("trap '' TERM", Duration::from_millis(200))] {
            let (mut child, server) = server(script);
            assert!(server.runs(Path::new(ROOT)));
            end(Path::new(ROOT), &[server], patience).unwrap();
            let expected = if script == ":" { "15" } else { "9" };
            assert!(child.wait().unwrap().to_string().contains(expected), "{script}");
        }
    }
}
