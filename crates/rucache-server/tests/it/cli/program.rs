//! The program as a child process.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A run that is prepared.
pub(crate) struct Program {
    command: Command,
    stdin: Vec<u8>,
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program with `arguments`, in an environment without settings.
pub(crate) fn rucache(arguments: &[&str]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rucache"));
    command.args(arguments);
    let ours = |name: &str| {
        name.starts_with("RUCACHE_")
            || ["RUST_LOG", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"].contains(&name)
    };
    for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    Program { command, stdin: Vec::new() }
}

impl Program {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    pub(crate) fn spawn(mut self) -> Child {
        let command = self.command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::piped()).spawn().expect("the program starts")
    }

    /// Runs to the end.
    pub(crate) fn run(mut self) -> Run {
        let text = std::mem::take(&mut self.stdin);
        let mut child = self.spawn();
        let mut stdin = child.stdin.take().expect("piped");
        // On a thread: a program that prints while it reads must not wait for us.
        let feeder = std::thread::spawn(move || stdin.write_all(&text));
        let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
        // A program that does not read what it is given is no fault of the test.
        drop(feeder.join());
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Run { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }
}

impl Run {
    /// Asserts a failure: nothing on standard output, `line` alone on standard error.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, line: &str) {
        assert_eq!(self.stderr, format!("rucache: {line}\n"));
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""));
    }

    /// Asserts that nobody answered at `url`.
    #[track_caller]
    pub(crate) fn finds_nobody_at(&self, url: &str) {
        let start = format!("rucache: no answer from {url}: Connection refused (");
        assert!(self.stderr.starts_with(&start), "{}", self.stderr);
        assert!(self.stderr.ends_with("); is `rucache serve` running?\n"), "{}", self.stderr);
        assert_eq!(
            (self.code, self.stdout.as_str(), self.stderr.lines().count()),
            (Some(3), "", 1)
        );
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect("one JSON document")
    }
}

/// A file of this test run with `content`.
pub(crate) fn file(name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).expect("the target directory can be written");
    path
}

/// A running service, killed when dropped.
pub(crate) struct Service {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// `http://127.0.0.1:…`
    pub(crate) url: String,
    /// What it said up to the line with its address.
    pub(crate) greeting: String,
}

impl Service {
    pub(crate) fn start() -> Self {
        Self::of(rucache(&["serve", "--listen", "127.0.0.1:0"]))
    }

    pub(crate) fn of(program: Program) -> Self {
        let mut child = program.spawn();
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut greeting = String::new();
        let url = loop {
            let start = greeting.len();
            let read = stderr.read_line(&mut greeting).expect("stderr is text");
            assert!(read > 0, "the service ended: {greeting}");
            if let Some(url) = greeting[start..].trim().strip_prefix("listening on") {
                break url.trim().to_owned();
            }
        };
        Self { child, stderr, url, greeting }
    }

    /// The address without the scheme.
    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Waits for a line of the log that holds `text`.
    pub(crate) fn await_line(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert!(self.stderr.read_line(&mut line).expect("text") > 0, "no line with {text:?}");
        }
    }

    /// Waits for the end: the exit code and the rest of the log.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        self.stderr.read_to_string(&mut log).expect("stderr is text");
        let status = self.child.wait().expect("it is a child");
        (status.code(), log)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Ended already where a test waited for its end.
        drop((self.child.kill(), self.child.wait()));
    }
}
