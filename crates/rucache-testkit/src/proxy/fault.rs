//! What a proxy does to the connections that go through it.

use std::time::Duration;

/// What a proxy does from now on. Answers are counted as they arrive: one read from the server is
/// one answer, which for requests sent one at a time is the truth.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing: bytes go through as they come.
    #[default]
    Pass,
    /// No one listens: new connections are refused. Open ones go on.
    Refuse,
    /// New connections are neither accepted nor refused: connecting hangs. Open ones go on.
    Unanswered,
    /// Connections stay open and nothing moves. What is sent meanwhile arrives after the fault, as
    /// after a partition of a network.
    BlackHole(Connections),
    /// Each connection ends after so many bytes of answers.
    Cut {
        /// How many bytes still go through, counted from the start of the fault.
        after: u64,
        /// How it ends.
        how: Ending,
    },
    /// Answers come a few bytes at a time.
    Trickle {
        /// How many bytes at a time.
        bytes: usize,
        /// The pause after each of them.
        every: Duration,
    },
    /// One answer in `one_in`, counted over all connections, comes later by a span between the two,
    /// and what follows it on its connection not before it.
    Delay {
        /// The shortest delay.
        shortest: Duration,
        /// The longest delay.
        longest: Duration,
        /// Every how many answers; one for all.
        one_in: u64,
    },
    /// About one byte in `one_in` of the answers has one of its bits flipped, as the seed decides.
    Corrupt {
        /// Every how many bytes on average.
        one_in: u64,
    },
    /// One answer in `one_in` comes twice.
    Duplicate {
        /// Every how many answers; one for all.
        one_in: u64,
    },
    /// Bytes that the server never sent come before one answer in `one_in`.
    Inject {
        /// These bytes.
        bytes: Vec<u8>,
        /// Every how many answers; one for all.
        one_in: u64,
    },
}

impl Fault {
    /// Every answer comes later by `span`.
    #[must_use]
    pub const fn delay(span: Duration) -> Self {
        Self::stall(span, 1)
    }

    /// One answer in `one_in` comes later by `span`.
    #[must_use]
    pub const fn stall(span: Duration, one_in: u64) -> Self {
        Self::Delay { shortest: span, longest: span, one_in }
    }
}

/// Which connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connections {
    /// All of them.
    All,
    /// Those opened since the fault began.
    New,
    /// Those opened before the fault began.
    Old,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A reset (RST): what was not read yet is lost.
    Reset,
    /// The end of the stream (FIN).
    Eof,
}
