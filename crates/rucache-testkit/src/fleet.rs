//! Several processes in one test: the test's own binary, run again in other roles.

use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::watchdog::Watchdog;

/// The variable that tells a process which role it plays.
const ROLE: &str = "RUCACHE_TESTKIT_ROLE";

/// What a message begins with: everything else on the standard output is the test runner's.
const MARK: &str = "\u{1}rucache-testkit\u{1}";

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts members of a test that needs more than one process.
///
/// A test calls [`Parent::of_this_process`] first. In the process that the runner started there is
/// none: it starts the others. They run the same test, find their parent, and talk to it in lines.
///
/// ```no_run
/// use rucache_testkit::{Fleet, Parent};
///
/// #[test]
/// fn two_processes_agree() {
///     if let Some(mut parent) = Parent::of_this_process() {
///         let question = parent.receive();
///         parent.send(&format!("{} heard {question:?}", parent.role()));
///         return;
///     }
///     let fleet = Fleet::of_test("two_processes_agree");
///     let first = fleet.spawn("first", [("RUCACHE_URL", "redis://127.0.0.1:6379")]);
///     first.send("ready?");
///     assert_eq!(first.receive(), "first heard Some(\"ready?\")");
/// }
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct Fleet {
    test: String,
}

impl Fleet {
    /// The processes of the test with this full name, module path and all, such as
    /// `maps::two_processes_lose_nothing`.
    #[must_use]
    pub fn of_test(test: impl Into<String>) -> Self {
        Self { test: test.into() }
    }

    /// Starts the test once more as `role`, with these variables beside the present ones.
    ///
    /// # Panics
    ///
    /// When the process does not start.
    pub fn spawn<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        &self,
        role: &str,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Member {
        let spawn = || {
            let mut command = Command::new(env::current_exe()?);
            command
                .args([self.test.as_str(), "--exact", "--nocapture", "--include-ignored"])
                .envs(variables)
                .env(ROLE, role)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .process_group(0);
            Member::of(role, command.spawn()?)
        };
        spawn().unwrap_or_else(|error: io::Error| panic!("{role} does not start: {error}"))
    }
}

/// A process of a test, as seen by the one that started it. It is killed when dropped.
#[derive(Debug)]
pub struct Member {
    role: String,
    child: Child,
    input: Option<ChildStdin>,
    messages: Mutex<Receiver<String>>,
    _watchdog: Watchdog,
}

impl Member {
    fn of(role: &str, mut child: Child) -> io::Result<Self> {
        let mut watchdog = Watchdog::start(None)?;
        watchdog.watch(child.id())?;
        let (sender, messages) = channel();
        let output = child.stdout.take();
        // Ends with the output, that is with the process.
        thread::Builder::new().name(format!("messages-of-{role}")).spawn(move || {
            let lines = output.into_iter().flat_map(|output| BufReader::new(output).lines());
            for line in lines.map_while(Result::ok) {
                if let Some((_, message)) = line.split_once(MARK)
                    && sender.send(message.to_owned()).is_err()
                {
                    return;
                }
            }
        })?;
        let input = child.stdin.take();
        let messages = Mutex::new(messages);
        Ok(Self { role: role.to_owned(), child, input, messages, _watchdog: watchdog })
    }

    /// Sends a line to it.
    ///
    /// # Panics
    ///
    /// When it has ended.
    pub fn send(&self, message: &str) {
        let sent = self.input.as_ref().map(|mut input| writeln!(input, "{message}"));
        assert!(matches!(sent, Some(Ok(()))), "{} has ended", self.role);
    }

    /// The next line that it sends, waiting for it.
    ///
    /// # Panics
    ///
    /// When it ends without one, or takes longer than a minute.
    pub fn receive(&self) -> String {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.recv_timeout(PATIENCE).unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => panic!("{} says nothing for {PATIENCE:?}", self.role),
            RecvTimeoutError::Disconnected => panic!("{} ended without a word", self.role),
        })
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    ///
    /// When its test failed.
    pub fn join(mut self) {
        drop(self.input.take());
        let status = self.child.wait();
        assert!(matches!(&status, Ok(status) if status.success()), "{} failed", self.role);
    }

    /// Kills it (SIGKILL), and returns when it is gone.
    pub fn kill_9(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.end();
    }
}

/// The process that started this one.
#[derive(Debug)]
pub struct Parent {
    role: String,
}

impl Parent {
    /// The parent, in a process that [`Fleet::spawn`] started; `None` in any other.
    #[must_use]
    pub fn of_this_process() -> Option<Self> {
        env::var(ROLE).ok().map(|role| Self { role })
    }

    /// Which role this process plays.
    #[must_use]
    pub fn role(&self) -> &str {
        &self.role
    }

    /// Sends a line.
    ///
    /// # Panics
    ///
    /// When the parent has gone.
    pub fn send(&self, message: &str) {
        // On a line of its own: the runner may have begun one.
        let mut output = io::stdout().lock();
        let sent = write!(output, "\n{MARK}{message}\n").and_then(|()| output.flush());
        assert!(sent.is_ok(), "the parent has gone");
    }

    /// The next line, waiting for it; `None` when there will be none.
    pub fn receive(&mut self) -> Option<String> {
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(len) if len > 0 => Some(line.trim_end_matches('\n').to_owned()),
            _ => None,
        }
    }
}
