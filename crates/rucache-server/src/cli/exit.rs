//! How a command ends: exit codes, and failures as one line.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use crate::plain;

/// The exit codes, for the help text.
pub(super) const CODES: &str = "\
Exit codes:
   0  done: every number was found or is valid, the service is healthy
   1  failed: a setting, a file, the port, the output; or the service is not healthy
   2  the command line is wrong
   3  the service, or the backend, did not answer
  10  a number was not found, or nothing is cached under a name
  11  a text is not a RUC
  12  there is no verdict on a number: its source failed, or does not cover it
Of several the highest is given. A second Ctrl-C or SIGTERM ends `serve` at once with 130.";

/// The exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exit {
    Done = 0,
    Failed = 1,
    Unreachable = 3,
    NotFound = 10,
    Invalid = 11,
    Unavailable = 12,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub(super) enum Failure {
    /// Whoever read the output has gone.
    OutputClosed,
    /// Something to tell in one line.
    Told {
        /// The exit code.
        exit: Exit,
        /// The line.
        text: String,
    },
}

impl Failure {
    /// A failure for which there is no code of its own.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self::with(Exit::Failed, text)
    }

    /// A failure that ends with `exit`.
    pub(super) fn with(exit: Exit, text: impl Into<String>) -> Self {
        Self::Told { exit, text: text.into() }
    }

    /// What it tells.
    pub(super) fn text(self) -> String {
        match self {
            Self::OutputClosed => "nobody reads the output".to_owned(),
            Self::Told { text, .. } => text,
        }
    }

    /// The failure `error`, with its causes.
    pub(super) fn from_error(error: &dyn Error) -> Self {
        Self::new(plain::in_one_line(error))
    }
}

impl From<io::Error> for Failure {
    /// A failure of the output: the only place where commands meet a bare I/O error.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::new(format!("cannot write the output: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graver_code_is_the_higher() {
        assert!(Exit::Done < Exit::NotFound);
        assert!(Exit::NotFound < Exit::Invalid && Exit::Invalid < Exit::Unavailable);
    }
}
