//! Asking Sentinels where the primary is.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use redis::{Pipeline, Value};
use tokio::sync::Mutex;

use crate::clock::after;
use crate::config::Address;
use crate::connection::{Connection, Connector, Purpose};
use crate::error::Cause;

/// The Sentinels of one service, each with the connection that was made last.
pub(crate) struct Sentinels {
    service: String,
    seats: Vec<Seat>,
    connector: Arc<Connector>,
}

struct Seat {
    address: Address,
    connection: Mutex<Option<Connection>>,
}

impl Sentinels {
    pub(crate) fn new(service: String, addresses: &[Address], connector: Arc<Connector>) -> Self {
        let seat =
            |address: &Address| Seat { address: address.clone(), connection: Mutex::default() };
        Self { service, seats: addresses.iter().map(seat).collect(), connector }
    }

    /// The primary that most of those name who answer: a Sentinel that was cut off may be behind.
    pub(crate) async fn primary(&self) -> Result<Address, Cause> {
        let answers = join_all(self.seats.iter().map(|seat| self.ask(seat))).await;
        let mut votes: BTreeMap<Address, usize> = BTreeMap::new();
        let mut failure = Cause::NoNode("no Sentinel knows a primary of this name");
        for answer in answers {
            match answer {
                Ok(Some(address)) => *votes.entry(address).or_default() += 1,
                Ok(None) => {}
                Err(cause) => failure = cause,
            }
        }
        let most = votes.into_iter().max_by_key(|(_, count)| *count);
        most.map(|(address, _)| address).ok_or(failure)
    }

    async fn ask(&self, seat: &Seat) -> Result<Option<Address>, Cause> {
        let mut seated = seat.connection.lock().await;
        let known = seated.take().filter(|connection| !connection.has_ended());
        let connection = match known {
            Some(connection) => connection,
            None => self.connector.open(&seat.address, Purpose::Sentinel).await?,
        };
        let mut question = Pipeline::new();
        question.cmd("SENTINEL").arg("get-master-addr-by-name").arg(&self.service);
        let answers = connection.exchange(&question, after(self.connector.timeout())).await?;
        *seated = Some(connection);
        Ok(answers.first().and_then(address))
    }
}

fn address(answer: &Value) -> Option<Address> {
    let Value::Array(parts) = answer else { return None };
    let [Value::BulkString(host), Value::BulkString(port)] = parts.as_slice() else { return None };
    let host = String::from_utf8(host.clone()).ok()?;
    let port = std::str::from_utf8(port).ok()?.parse().ok()?;
    Some(Address { host, port })
}
