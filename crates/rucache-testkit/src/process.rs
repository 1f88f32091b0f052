//! A server's process: started until it answers, stopped, continued, killed, restarted, always ended.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::deadline::wait_until;
use crate::directory::Directory;
use crate::watchdog::Watchdog;

/// How long a server may take until it answers, on a machine that is busy compiling.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// How often a start is tried again because somebody took the port.
const START_ATTEMPTS: usize = 5;

/// The file for what a server writes.
const LOG: &str = "log";

/// What to run, and how to get it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Program {
    pub(crate) binary: &'static str,
    pub(crate) install: &'static str,
}

/// Why a server did not start.
#[derive(Debug)]
pub(crate) enum StartFailure {
    /// Somebody else listens on its port: try another one.
    AddressInUse,
    /// Anything else, for a person to read.
    Other(String),
}

impl From<io::Error> for StartFailure {
    fn from(error: io::Error) -> Self {
        Self::Other(error.to_string())
    }
}

/// Starts something until no port is taken by somebody else.
///
/// # Panics
///
/// When it does not start: the test cannot go on, and must not pass without its server.
pub(crate) fn start_until_free<T>(start: impl Fn() -> Result<T, StartFailure>) -> T {
    for _ in 0..START_ATTEMPTS {
        match start() {
            Ok(started) => return started,
            Err(StartFailure::AddressInUse) => {}
            Err(StartFailure::Other(why)) => panic!("{why}"),
        }
    }
    panic!("every port chosen in {START_ATTEMPTS} attempts was taken before the server had it");
}

/// A child process with a private directory, and its watchdog.
///
/// Field order is drop order: the child ends first, the directory goes last.
#[derive(Debug)]
pub(crate) struct Process {
    program: Program,
    arguments: Vec<OsString>,
    running: Mutex<Running>,
    directory: Directory,
}

#[derive(Debug)]
struct Running {
    child: Option<Child>,
    is_paused: bool,
    watchdog: Watchdog,
}

impl Process {
    /// Starts `program` and waits until `answers` says of its process id that it does.
    pub(crate) fn start(
        program: Program,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
        directory: Directory,
        answers: impl Fn(u32) -> bool,
    ) -> Result<Self, StartFailure> {
        let running = Running {
            child: None,
            is_paused: false,
            watchdog: Watchdog::start(Some(directory.path()))?,
        };
        let arguments = arguments.into_iter().map(Into::into).collect();
        let process = Self { program, arguments, running: Mutex::new(running), directory };
        process.launch(answers)?;
        Ok(process)
    }

    /// Kills it if it still runs, starts it again as before, and waits until it answers.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub(crate) fn restart(&self, answers: impl Fn(u32) -> bool) {
        self.kill();
        match self.launch(answers) {
            Ok(()) => {}
            Err(StartFailure::AddressInUse) => {
                panic!("another program took the port of {} while it was down", self.program.binary)
            }
            Err(StartFailure::Other(why)) => panic!("{why}"),
        }
    }

    /// Ends it with SIGKILL, and returns when it is gone. A stopped process is killed as well.
    pub(crate) fn kill(&self) {
        let mut running = self.running();
        if let Some(mut child) = running.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        running.is_paused = false;
    }

    /// Stops it with SIGSTOP, and returns when all its threads stand still.
    pub(crate) fn pause(&self) {
        let mut running = self.running();
        if running.is_paused {
            return;
        }
        let pid = self.send(&running, Signal::STOP);
        running.is_paused = wait_until(START_PATIENCE, || {
            let changed = waitpid(Some(pid), WaitOptions::UNTRACED | WaitOptions::NOHANG);
            matches!(changed, Ok(Some((_, status))) if status.stopped())
        });
        assert!(running.is_paused, "{} does not stop", self.program.binary);
    }

    /// Lets it go on (SIGCONT).
    pub(crate) fn resume(&self) {
        let mut running = self.running();
        self.send(&running, Signal::CONT);
        running.is_paused = false;
    }

    fn send(&self, running: &Running, signal: Signal) -> Pid {
        // Not yet reaped by us, so the number is still this child's.
        let pid = running.child.as_ref().map(Child::id);
        let pid = pid.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let pid = pid.unwrap_or_else(|| panic!("{} does not run", self.program.binary));
        let sent = kill_process(pid, signal);
        assert!(sent.is_ok(), "{} takes no signal: {sent:?}", self.program.binary);
        pid
    }

    /// Its process id, while it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.running().child.as_ref().map(Child::id)
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// What it has written since its last start.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join(LOG)).unwrap_or_default()
    }

    fn launch(&self, answers: impl Fn(u32) -> bool) -> Result<(), StartFailure> {
        let log = File::create(self.directory.path().join(LOG))?;
        let child = Command::new(self.program.binary)
            .args(&self.arguments)
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_err(|error| self.program.failure(&error))?;
        let id = child.id();
        let mut running = self.running();
        running.child = Some(child);
        running.watchdog.watch(id)?;
        drop(running);
        let mut exited = false;
        let settled = wait_until(START_PATIENCE, || {
            exited = self.has_exited();
            exited || answers(id)
        });
        if settled && !exited {
            return Ok(());
        }
        self.kill();
        let log = self.log();
        if log.to_lowercase().contains("address already in use") {
            return Err(StartFailure::AddressInUse);
        }
        let what = if exited { "ended at once" } else { "does not answer" };
        Err(StartFailure::Other(format!("{} {what}; its log:\n{log}", self.program.binary)))
    }

    fn has_exited(&self) -> bool {
        let mut running = self.running();
        running.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Program {
    fn failure(self, error: &io::Error) -> StartFailure {
        let Self { binary, install } = self;
        StartFailure::Other(match error.kind() {
            ErrorKind::NotFound => format!("{binary} is not installed; type: {install}"),
            _ => format!("{binary} cannot be started: {error}"),
        })
    }
}
