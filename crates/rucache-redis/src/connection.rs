//! One connection: the client's multiplexer over guarded bytes, and the task that drives it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Pipeline, ProtocolVersion, PushInfo, RedisConnectionInfo, Value,
};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use crate::clock::after;
use crate::config::{Address, Login, Protocol, RedisConfig, Servers};
use crate::error::Cause;
use crate::stream::{self, Guarded, Trust};

/// Requests that wait to be written before their callers do. The client's 50 are too few for
/// hundreds of concurrent callers.
const QUEUE: usize = 1_024;

/// What takes push messages, in the task of their connection.
pub(crate) type PushSink = Arc<dyn Fn(PushInfo) + Send + Sync>;

/// Makes connections under the settings.
pub(crate) struct Connector {
    login: Login,
    sentinel_login: Login,
    database: u32,
    protocol: Protocol,
    trust: Option<Trust>,
    connect_timeout: Duration,
    max_value_len: usize,
}

/// What a connection is for.
#[derive(Clone)]
pub(crate) enum Purpose {
    /// Requests of the backend.
    Data,
    /// Push messages, handed to the sink.
    Push(PushSink),
    /// Questions to a Sentinel.
    Sentinel,
}

impl Connector {
    pub(crate) fn new(config: &RedisConfig) -> Result<Self, Cause> {
        let sentinel_login = match &config.servers {
            Servers::Sentinel { login, .. } => login.clone(),
            _ => Login::default(),
        };
        Ok(Self {
            login: config.login.clone(),
            sentinel_login,
            database: config.database,
            protocol: config.protocol,
            trust: config.tls.as_ref().map(Trust::load).transpose()?,
            connect_timeout: config.connect_timeout,
            max_value_len: config.max_value_len,
        })
    }

    /// How long making a connection may take.
    pub(crate) const fn timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// Connects, logs in and chooses the database, all within the connect timeout.
    pub(crate) async fn open(
        &self,
        address: &Address,
        purpose: Purpose,
    ) -> Result<Connection, Cause> {
        let within = self.connect_timeout;
        let opened = timeout_at(after(within), self.open_unbounded(address, purpose)).await;
        opened.unwrap_or(Err(Cause::ConnectTime { within }))
    }

    async fn open_unbounded(
        &self,
        address: &Address,
        purpose: Purpose,
    ) -> Result<Connection, Cause> {
        let unreachable = |error| Cause::Connect(Arc::new(error));
        let stream = stream::open(address, self.trust.as_ref()).await.map_err(unreachable)?;
        let stream = Guarded::new(stream, self.max_value_len);
        let mut config =
            AsyncConnectionConfig::new().set_response_timeout(None).set_pipeline_buffer_size(QUEUE);
        let handshake = self.handshake(&purpose);
        if let Purpose::Push(sink) = purpose {
            config = config.set_push_sender(move |push: PushInfo| {
                sink(push);
                Ok::<(), redis::aio::SendError>(())
            });
        }
        let made = MultiplexedConnection::new_with_config(&handshake, stream, config).await;
        let (line, driver) = made.map_err(Cause::of_handshake)?;
        Ok(Connection::driven(line, driver))
    }

    fn handshake(&self, purpose: &Purpose) -> RedisConnectionInfo {
        let (login, database, protocol) = match purpose {
            Purpose::Data => (&self.login, self.database, self.protocol),
            Purpose::Push(_) => (&self.login, self.database, Protocol::Resp3),
            Purpose::Sentinel => (&self.sentinel_login, 0, Protocol::Resp2),
        };
        let mut handshake = RedisConnectionInfo::default()
            .set_db(database.into())
            .set_protocol(match protocol {
                Protocol::Resp2 => ProtocolVersion::RESP2,
                Protocol::Resp3 => ProtocolVersion::RESP3,
            })
            .set_lib_name("rucache", env!("CARGO_PKG_VERSION"));
        if let Some(user) = &login.user {
            handshake = handshake.set_username(user);
        }
        if let Some(password) = &login.password {
            handshake = handshake.set_password(password);
        }
        handshake
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

/// A connection that many callers share; closed when the last of them lets go.
#[derive(Clone)]
pub(crate) struct Connection {
    line: MultiplexedConnection,
    driver: Arc<Driver>,
}

/// The task that reads and writes, stopped with its last user.
struct Driver {
    id: u64,
    task: AbortHandle,
    ended: watch::Receiver<bool>,
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

static LAST_ID: AtomicU64 = AtomicU64::new(0);

impl Connection {
    fn driven(
        line: MultiplexedConnection,
        driver: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let (end, ended) = watch::channel(false);
        let task = tokio::spawn(async move {
            driver.await;
            end.send_replace(true);
        });
        let id = LAST_ID.fetch_add(1, Ordering::Relaxed);
        Self { line, driver: Arc::new(Driver { id, task: task.abort_handle(), ended }) }
    }

    /// A number that no other connection of this process has.
    pub(crate) fn id(&self) -> u64 {
        self.driver.id
    }

    /// Returns once the connection is broken, whoever broke it.
    pub(crate) async fn ended(&self) {
        // An error is a driver that panicked: as good as an end.
        let _ = self.driver.ended.clone().wait_for(|ended| *ended).await;
    }

    /// Whether the connection is broken.
    pub(crate) fn has_ended(&self) -> bool {
        *self.driver.ended.borrow() || self.driver.ended.has_changed().is_err()
    }

    /// Sends `pipeline` and waits for an answer to each of its commands until `deadline`.
    pub(crate) async fn exchange(
        &self,
        pipeline: &Pipeline,
        deadline: Instant,
    ) -> Result<Vec<Value>, Cause> {
        let mut line = self.line.clone();
        let exchange = async {
            let mut commands = pipeline.cmd_iter();
            match (commands.next(), commands.next()) {
                (None, _) => Ok(Vec::new()),
                (Some(only), None) => line.send_packed_command(only).await.map(|value| vec![value]),
                _ => line.send_packed_commands(pipeline, 0, pipeline.len()).await,
            }
        };
        let answers = timeout_at(deadline, exchange).await.map_err(|_| Cause::Deadline)?;
        let answers = answers.map_err(Cause::of_exchange)?;
        if answers.len() == pipeline.len() { Ok(answers) } else { Err(Cause::Form) }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("id", &self.driver.id).finish_non_exhaustive()
    }
}
