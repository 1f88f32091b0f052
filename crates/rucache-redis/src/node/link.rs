//! The state of a node's connections, and who may use them in it.

use tokio::time::Instant;

use super::{Access, Call, Lane};
use crate::connection::Connection;
use crate::error::Cause;

/// The two connections to a node.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    pub(super) data: Connection,
    pub(super) bulk: Connection,
}

impl Connections {
    const fn of(&self, lane: Lane) -> &Connection {
        match lane {
            Lane::Data => &self.data,
            Lane::Bulk => &self.bulk,
        }
    }

    pub(super) fn has(&self, id: u64) -> bool {
        self.data.id() == id || self.bulk.id() == id
    }
}

/// What the supervisor has achieved.
#[derive(Debug, Clone)]
pub(super) enum Link {
    /// Being connected: requests wait, but not beyond the moment.
    Joining(Instant),
    /// Connected; changes pass, reads of entries wait, but not beyond the moment.
    Recovering(Connections, Instant),
    /// Connected.
    Up(Connections),
    /// Left alone, since this.
    Down(Cause),
}

/// Whether a request may go.
pub(super) enum Admitted {
    /// On this connection, or not at all.
    Now(Result<Connection, Cause>),
    /// Not yet. By the moment it will have been found out, else this is why not.
    At(Instant, Cause),
}

impl Link {
    /// Whether `call` may go.
    pub(super) fn admit(&self, call: Call) -> Admitted {
        match self {
            Self::Up(connections) => Admitted::Now(Ok(connections.of(call.lane).clone())),
            Self::Recovering(_, until) if call.access == Access::Entries => {
                Admitted::At(*until, Cause::Recovering)
            }
            Self::Recovering(connections, _) => {
                Admitted::Now(Ok(connections.of(call.lane).clone()))
            }
            Self::Down(cause) => Admitted::Now(Err(cause.clone())),
            Self::Joining(until) => {
                Admitted::At(*until, Cause::NoNode("the node is being connected"))
            }
        }
    }
}
