//! One `redis-server` process and its administration.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::certificate::Certificate;
use super::client::{AdminClient, Reply};
use super::{RedisOptions, Tls};
use crate::directory::Directory;
use crate::port::Port;
use crate::process::{Process, Program, StartFailure, start_until_free};

const REDIS: Program = Program { binary: "redis-server", install: "apt-get install redis-server" };

/// The kit's own user, so that tests can change every other one. It needs no password.
pub(super) const ADMIN: &str = "testkit";

/// A `redis-server` (7.0 or later) on a free loopback port, ended when dropped.
///
/// ```no_run
/// use rucache_testkit::{RedisOptions, RedisServer};
///
/// let redis = RedisServer::start(RedisOptions::default());
/// redis.command(&["SET", "migo:ruc_20131312955", "ACTIVO"]);
/// assert_eq!(redis.command(&["GET", "migo:ruc_20131312955"]), "ACTIVO");
/// redis.kill_9();
/// redis.restart();
/// assert_eq!(redis.command(&["GET", "migo:ruc_20131312955"]), "");
/// ```
#[derive(Debug)]
pub struct RedisServer {
    admin: Mutex<Option<AdminClient>>,
    process: Process,
    port: Port,
    bus_port: Option<Port>,
    options: RedisOptions,
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    ///
    /// When it does not start. Where `redis-server` is missing, the message says how to install it.
    #[must_use]
    pub fn start(options: RedisOptions) -> Self {
        start_until_free(|| Self::launch(Port::reserve(), &options, &Part::Alone))
    }

    pub(super) fn launch(
        port: Port,
        options: &RedisOptions,
        part: &Part,
    ) -> Result<Self, StartFailure> {
        let directory = Directory::create()?;
        let number = port.number();
        let transport = match options.tls {
            Tls::Off => format!("port {number}\n"),
            Tls::On => Self::tls_lines(&directory, number)?,
        };
        let config = format!(
            "bind 127.0.0.1\n{transport}unixsocket {socket}\nuser {ADMIN} on nopass ~* &* +@all\n\
             {part}{lines}",
            socket = admin_socket(&directory).display(),
            part = part.lines(),
            lines = options.lines(),
        );
        let mut arguments = vec![directory.write("redis.conf", &config)?.into_os_string()];
        match part {
            Part::Alone | Part::Replica { .. } => {}
            Part::ClusterNode { nodes, .. } => {
                directory.write("nodes.conf", nodes)?;
            }
            Part::Sentinel { .. } => arguments.push("--sentinel".into()),
        }
        let socket = admin_socket(&directory);
        let process = Process::start(REDIS, arguments, directory, |_| answers(&socket))?;
        Ok(Self {
            admin: Mutex::new(None),
            process,
            port,
            bus_port: None,
            options: options.clone(),
        })
    }

    /// The same, holding the port of the cluster bus for as long as it lives.
    pub(super) fn holding(mut self, bus_port: Port) -> Self {
        self.bus_port = Some(bus_port);
        self
    }

    fn tls_lines(directory: &Directory, port: u16) -> Result<String, StartFailure> {
        let certificate = Certificate::generate()?;
        let authority = directory.write("ca.pem", &certificate.authority)?;
        let server = directory.write("server.pem", &certificate.server)?;
        let key = directory.write("server.key", &certificate.key)?;
        Ok(format!(
            "port 0\ntls-port {port}\ntls-auth-clients no\ntls-ca-cert-file {}\n\
             tls-cert-file {}\ntls-key-file {}\n",
            authority.display(),
            server.display(),
            key.display(),
        ))
    }

    /// The port on 127.0.0.1, the same after a restart.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port.number()
    }

    /// `127.0.0.1:port`.
    #[must_use]
    pub fn address(&self) -> String {
        self.port.address().to_string()
    }

    /// `redis://127.0.0.1:port`, or `rediss://` with TLS; with the password, if `default` has one.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = match self.options.tls {
            Tls::Off => "redis",
            Tls::On => "rediss",
        };
        super::joined_url(scheme, self.password(), std::slice::from_ref(self))
    }

    /// The password of the user `default`, if it needs one.
    pub(super) fn password(&self) -> Option<&str> {
        self.options.password.as_deref()
    }

    /// The certificate that clients of a server with TLS have to trust, a file in PEM.
    ///
    /// # Panics
    ///
    /// When the server is without TLS.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        assert!(self.options.tls == Tls::On, "the server was started without TLS");
        self.process.directory().path().join("ca.pem")
    }

    /// Runs a command as an administrator. The answer as text: nothing is empty, the elements of an
    /// array stand on lines of their own.
    ///
    /// # Panics
    ///
    /// When the server answers with an error, or not at all.
    pub fn command<A: AsRef<[u8]>>(&self, arguments: &[A]) -> String {
        self.try_command(arguments).unwrap_or_else(|error| {
            let name = arguments.first().map(|name| String::from_utf8_lossy(name.as_ref()));
            panic!("redis-server to {}: {error}", name.unwrap_or_default())
        })
    }

    /// The same where failing is part of the test.
    ///
    /// # Errors
    ///
    /// The server's error, or why it could not be asked.
    pub fn try_command<A: AsRef<[u8]>>(&self, arguments: &[A]) -> io::Result<String> {
        let mut admin = self.admin.lock().unwrap_or_else(PoisonError::into_inner);
        let mut client = match admin.take() {
            Some(client) => client,
            None => log_in(&admin_socket(self.process.directory()))?,
        };
        // Kept only if it answered: after anything else its stream may be anywhere.
        let reply = client.call(arguments)?;
        *admin = Some(client);
        match reply {
            Reply::Text(text) => Ok(text),
            Reply::Error(text) => Err(io::Error::other(text)),
        }
    }

    /// Ends the server with SIGKILL, and returns when it is gone.
    pub fn kill_9(&self) {
        self.process.kill();
        self.forget_admin();
    }

    /// Stops the process with SIGSTOP: connections stay open and nothing answers. In force when this
    /// returns.
    ///
    /// # Panics
    ///
    /// When the server does not run.
    pub fn pause(&self) {
        self.process.pause();
    }

    /// Lets a stopped process go on (SIGCONT).
    ///
    /// # Panics
    ///
    /// When the server does not run.
    pub fn resume(&self) {
        self.process.resume();
    }

    /// Ends the server if it runs, starts it on the same port and directory, and waits until it
    /// answers.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&self) {
        self.forget_admin();
        let socket = admin_socket(self.process.directory());
        self.process.restart(|_| answers(&socket));
    }

    /// The process id, while the server runs.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    /// What the server has logged since its last start.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    fn forget_admin(&self) {
        self.admin.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// What part a `redis-server` plays.
#[derive(Debug)]
pub(super) enum Part {
    /// A server of its own.
    Alone,
    /// A copy of the server on the port `of`.
    Replica { of: u16 },
    /// A node of a cluster that is described by the file `nodes`.
    ClusterNode { bus_port: u16, nodes: String },
    /// A Sentinel, with its own lines of configuration.
    Sentinel { lines: String },
}

/// Nothing on disk; replication through the socket and at once, since tests wait for it.
const DATA_LINES: &str = "save \"\"\nappendonly no\nenable-debug-command yes\n\
     repl-diskless-sync yes\nrepl-diskless-sync-delay 0\nrepl-diskless-load swapdb\n";

impl Part {
    fn lines(&self) -> String {
        match self {
            Self::Alone => DATA_LINES.to_owned(),
            Self::Replica { of } => format!("{DATA_LINES}replicaof 127.0.0.1 {of}\n"),
            Self::ClusterNode { bus_port, .. } => format!(
                "{DATA_LINES}cluster-enabled yes\ncluster-config-file nodes.conf\n\
                 cluster-port {bus_port}\ncluster-node-timeout 1000\n\
                 cluster-require-full-coverage no\ncluster-replica-validity-factor 0\n\
                 cluster-allow-replica-migration no\n"
            ),
            Self::Sentinel { lines } => lines.clone(),
        }
    }
}

fn admin_socket(directory: &Directory) -> PathBuf {
    directory.path().join("admin")
}

fn log_in(socket: &Path) -> io::Result<AdminClient> {
    let mut client = AdminClient::connect(socket)?;
    match client.call(&["AUTH", ADMIN, "any"])? {
        Reply::Text(_) => Ok(client),
        Reply::Error(text) => Err(io::Error::other(text)),
    }
}

fn answers(socket: &Path) -> bool {
    let reply = log_in(socket).and_then(|mut client| client.call(&["PING"]));
    matches!(reply, Ok(Reply::Text(text)) if text == "PONG")
}
