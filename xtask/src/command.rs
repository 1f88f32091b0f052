//! Running a command: it is printed before, its duration after, and a failure repeats it.

use std::fmt;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::failure::{Doing as _, Failure, Outcome};

/// A command as a person would type it in the root folder of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    program: String,
    args: Vec<String>,
    env: Vec<(&'static str, String)>,
}

impl Invocation {
    pub(crate) fn new(program: impl Into<String>) -> Self {
        Self { program: program.into(), args: Vec::new(), env: Vec::new() }
    }

    /// `cargo` with the words of `line`.
    pub(crate) fn cargo(line: &str) -> Self {
        Self::new("cargo").words(line)
    }

    /// Adds the words of `line`, cut at white space: no argument may contain any.
    pub(crate) fn words(self, line: &str) -> Self {
        self.args(line.split_whitespace())
    }

    pub(crate) fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// Runs it with its output going where ours goes.
    pub(crate) fn run(&self, root: &Path) -> Outcome {
        println!("$ {self}");
        let clock = Stopwatch::start();
        let status = self.command(root).status().doing(|| format!("run `{self}`"))?;
        println!("  {clock}");
        self.judge(status)
    }

    /// Runs it with standard output and error shown as one stream, in their order, and handed to
    /// `line` line by line.
    pub(crate) fn run_watched(&self, root: &Path, mut line: impl FnMut(&str)) -> Outcome {
        println!("$ {self}");
        let clock = Stopwatch::start();
        let starting = || format!("run `{self}`");
        let (reader, writer) = std::io::pipe().doing(starting)?;
        let mut command = self.command(root);
        command.stderr(writer.try_clone().doing(starting)?).stdout(writer);
        let mut child = command.spawn().doing(starting)?;
        // The command keeps a copy of the writing end; with it the stream would never end.
        drop(command);
        let mut reader = BufReader::new(reader);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).doing(|| format!("read from `{self}`"))? > 0 {
            let text = String::from_utf8_lossy(&bytes);
            print!("{text}");
            line(text.trim_end());
            bytes.clear();
        }
        let status = child.wait().doing(|| format!("wait for `{self}`"))?;
        println!("  {clock}");
        self.judge(status)
    }

    /// Runs it silently and returns its standard output.
    pub(crate) fn output(&self, root: &Path) -> Outcome<String> {
        let output = self.command(root).output().doing(|| format!("run `{self}`"))?;
        if !output.status.success() {
            print!("{}", String::from_utf8_lossy(&output.stderr));
        }
        self.judge(output.status)?;
        String::from_utf8(output.stdout).doing(|| format!("read the output of `{self}`"))
    }

    /// The first line it prints, or nothing when it is not installed or fails.
    pub(crate) fn first_line(&self, root: &Path) -> Option<String> {
        let output = self.command(root).output().ok().filter(|output| output.status.success())?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().next().map(str::to_owned)
    }

    /// Starts it in the background and in `folder`, its output going to `log`. It outlives this
    /// program, and the interrupt of its terminal.
    pub(crate) fn start_apart(&self, folder: &Path, log: File) -> Outcome<Child> {
        let starting = || format!("run `{self}`");
        let mut command = self.command(folder);
        command.stdout(log.try_clone().doing(starting)?).stderr(log);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn().doing(starting)
    }

    fn command(&self, root: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(root).stdin(Stdio::null());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    fn judge(&self, status: ExitStatus) -> Outcome {
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(format!("failed with {status}: {self}")))
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quoted(value))?;
        }
        f.write_str(&quoted(&self.program))?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

/// As a shell would need it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Real time of a task; shown as seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "tasks are timed by the real clock")]
        Self(std::time::Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

impl fmt::Display for Stopwatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.elapsed().as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Invocation {
        Invocation::new("sh").args(["-c", script])
    }

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let doc = Invocation::cargo("doc --no-deps").env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(doc.to_string(), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
        assert_eq!(shell("echo 'a'").to_string(), r"sh -c 'echo '\''a'\'''");
    }

    #[test]
    fn a_failure_repeats_the_command_and_its_status() {
        let failing = shell("exit 3");
        let message = failing.run(Path::new(".")).unwrap_err().to_string();
        assert_eq!(message, "failed with exit status: 3: sh -c 'exit 3'");
    }

    #[test]
    fn a_missing_program_is_named() {
        let missing = Invocation::new("no-such-program-here");
        let message = missing.run(Path::new(".")).unwrap_err().to_string();
        assert!(message.starts_with("cannot run `no-such-program-here`"), "{message}");
        assert_eq!(missing.first_line(Path::new(".")), None);
    }

    #[test]
    fn watched_lines_keep_the_order_of_both_streams() {
        let mut seen = Vec::new();
        let script = shell("echo one; echo two >&2; printf 'three'");
        script.run_watched(Path::new("."), |line| seen.push(line.to_owned())).unwrap();
        assert_eq!(seen, ["one", "two", "three"]);
    }

    #[test]
    fn commands_read_nothing_from_standard_input() {
        let mut seen = Vec::new();
        shell("wc -c")
            .run_watched(Path::new("."), |line| seen.push(line.trim().to_owned()))
            .unwrap();
        assert_eq!(seen, ["0"]);
    }
}
