//! Ends what a test started when the test's process is no longer there to do it.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Remembers the last process id it is told, waits for the end of its input, then kills and cleans.
///
/// A shell on a pipe, because the pipe ends however its owner dies. `PR_SET_PDEATHSIG` (`setpriv
/// --pdeathsig`) exists on Linux only and fires when the *thread* that started the child ends, which
/// for a server shared by several tests is the end of the first of them.
const SCRIPT: &str = r#"
while read -r told; do pid=$told; done
[ -n "$pid" ] && kill -9 "$pid"
[ -n "$0" ] && rm -rf "$0"
"#;

/// A process that outlives this one by the moment it takes to end another.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
    tell: Option<ChildStdin>,
}

impl Watchdog {
    /// A watchdog that will also remove `directory`, if there is one.
    pub(crate) fn start(directory: Option<&Path>) -> io::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .arg(directory.unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // An interrupt from the keyboard ends the test's process, and this one only then.
            .process_group(0)
            .spawn()?;
        let tell = shell.stdin.take();
        Ok(Self { shell, tell })
    }

    /// Watches the process `pid` in place of the one before.
    pub(crate) fn watch(&mut self, pid: u32) -> io::Result<()> {
        self.tell.as_mut().map_or(Ok(()), |tell| writeln!(tell, "{pid}"))
    }
}

impl Drop for Watchdog {
    /// Sends it away without a bite: its owner has ended the process, whose number may be another's.
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
