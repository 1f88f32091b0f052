//! Making the connections to a node, and finding out whom they lead to.

use std::sync::Arc;

use redis::{Pipeline, Value};

use super::link::Connections;
use crate::clock::after;
use crate::config::Address;
use crate::connection::{Connector, Purpose};
use crate::error::{Cause, Refused};
use crate::script;
use crate::sentinel::Sentinels;

/// Where a node is.
#[derive(Clone)]
pub(crate) enum Place {
    /// Always there.
    At(Address),
    /// Where the Sentinels say.
    Named(Arc<Sentinels>),
}

impl Place {
    /// The node's address now.
    pub(crate) async fn find(&self) -> Result<Address, Cause> {
        match self {
            Self::At(address) => Ok(address.clone()),
            Self::Named(sentinels) => sentinels.primary().await,
        }
    }
}

/// What was found at a node.
pub(super) struct Established {
    pub(super) address: Address,
    pub(super) connections: Connections,
    /// A number that the server draws when it starts; absent where it may not be asked.
    pub(super) run_id: Option<String>,
}

/// Connects to the node twice, loads the scripts, and asks who it is.
pub(super) async fn establish(place: &Place, connector: &Connector) -> Result<Established, Cause> {
    let address = place.find().await?;
    let (data, bulk) = tokio::join!(
        connector.open(&address, Purpose::Data),
        connector.open(&address, Purpose::Data)
    );
    let connections = Connections { data: data?, bulk: bulk? };
    let mut questions = Pipeline::new();
    questions.cmd("PING").cmd("INFO").arg("server").cmd("INFO").arg("replication");
    script::load(&mut questions);
    let deadline = after(connector.timeout());
    let answers = connections.data.exchange(&questions, deadline).await?;
    if let Some(Value::ServerError(error)) = answers.first() {
        return Err(Cause::Handshake(Refused::from(error)));
    }
    let role = answers.get(2).and_then(|info| field(info, "role"));
    if matches!(place, Place::Named(_)) && role.is_some_and(|role| role != "master") {
        return Err(Cause::NoNode("the server that the Sentinels name is not a primary yet"));
    }
    let run_id = answers.get(1).and_then(|info| field(info, "run_id"));
    Ok(Established { address, connections, run_id })
}

/// A field of an answer to `INFO`.
pub(crate) fn field(info: &Value, name: &str) -> Option<String> {
    let text = match info {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok()?,
        Value::VerbatimString { text, .. } => text,
        Value::SimpleString(text) => text,
        _ => return None,
    };
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.map(|value| value.trim_end().to_owned())
}
