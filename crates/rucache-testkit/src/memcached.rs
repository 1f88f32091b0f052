//! Real memcached servers: one, or a pool.

mod client;

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use rustix::process::geteuid;

use crate::directory::Directory;
use crate::port::Port;
use crate::process::{Process, Program, StartFailure, start_until_free};

use client::AdminClient;

const MEMCACHED: Program = Program { binary: "memcached", install: "apt-get install memcached" };

/// How many open files memcached 1.6.18 with two threads needs for itself. It counts them among the
/// connections.
const OWN_FILES: u32 = 16;

/// How a memcached server is set up; what is `None` is as memcached has it by default.
#[derive(Debug, Clone, Default)]
pub struct MemcachedOptions {
    /// Memory for items, in megabytes (`-m`).
    pub memory_mb: Option<u32>,
    /// How many connections there may be (`-c`) besides the kit's own; a few more where memcached
    /// needs fewer files for itself than 1.6.18 does.
    pub max_connections: Option<u32>,
    /// Longest item, in bytes (`-I`): a multiple of 524,288, as memcached takes no others without
    /// options that it calls experimental. 1,048,576 by default.
    pub max_item_bytes: Option<u32>,
    /// Further arguments, such as `-M` (no eviction).
    pub arguments: Vec<String>,
}

/// A `memcached` on a free loopback port, ended when dropped.
///
/// ```no_run
/// use rucache_testkit::{Memcached, MemcachedOptions};
///
/// let memcached = Memcached::start(MemcachedOptions::default());
/// assert_eq!(memcached.command(&["set", "migo:ruc_20131312955", "0", "0", "6", "ACTIVO"]), "STORED");
/// ```
#[derive(Debug)]
pub struct Memcached {
    admin: Mutex<Option<AdminClient>>,
    process: Process,
    port: Port,
}

impl Memcached {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    ///
    /// When it does not start. Where `memcached` is missing, the message says how to install it.
    #[must_use]
    pub fn start(options: MemcachedOptions) -> Self {
        start_until_free(|| Self::start_at(Port::reserve(), &options))
    }

    /// Starts `count` servers of one kind.
    ///
    /// # Panics
    ///
    /// When one of them does not start.
    #[must_use]
    pub fn start_pool(count: usize, options: &MemcachedOptions) -> Vec<Self> {
        (0..count).map(|_| Self::start(options.clone())).collect()
    }

    fn start_at(port: Port, options: &MemcachedOptions) -> Result<Self, StartFailure> {
        let mut arguments: Vec<String> =
            ["-l", "127.0.0.1", "-U", "0", "-t", "2"].map(ToOwned::to_owned).into();
        let mut pair = |flag: &str, value: Option<u32>| {
            let value = value.map(|value| [flag.to_owned(), value.to_string()]);
            arguments.extend(value.into_iter().flatten());
        };
        pair("-p", Some(port.number().into()));
        pair("-m", options.memory_mb);
        pair("-c", options.max_connections.map(|count| count.saturating_add(1 + OWN_FILES)));
        pair("-I", options.max_item_bytes);
        if geteuid().is_root() {
            // Without it memcached refuses to run as root, as in a container.
            arguments.extend(["-u".to_owned(), "root".to_owned()]);
        }
        arguments.extend(options.arguments.iter().cloned());
        let address = port.address();
        let process =
            Process::start(MEMCACHED, arguments, Directory::create()?, |id| answers(address, id))?;
        Ok(Self { admin: Mutex::new(None), process, port })
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

    /// `memcached://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        Self::pool_url(std::slice::from_ref(self))
    }

    /// `memcached://127.0.0.1:port,127.0.0.1:port,…`, in the order of `pool`.
    #[must_use]
    pub fn pool_url(pool: &[Self]) -> String {
        let addresses: Vec<_> = pool.iter().map(Self::address).collect();
        format!("memcached://{}", addresses.join(","))
    }

    /// Runs a command of the text protocol, words and the block of data apart; the lines of the
    /// answer, without the `END` after a list.
    ///
    /// # Panics
    ///
    /// When the server does not answer. An error of its own is an answer.
    pub fn command<A: AsRef<[u8]>>(&self, arguments: &[A]) -> String {
        self.try_command(arguments).unwrap_or_else(|error| {
            let name = arguments.first().map(|name| String::from_utf8_lossy(name.as_ref()));
            panic!("memcached to {}: {error}", name.unwrap_or_default())
        })
    }

    /// The same where failing is part of the test.
    ///
    /// # Errors
    ///
    /// Why the server could not be asked.
    pub fn try_command<A: AsRef<[u8]>>(&self, arguments: &[A]) -> io::Result<String> {
        let mut admin = self.admin.lock().unwrap_or_else(PoisonError::into_inner);
        let mut client = match admin.take() {
            Some(client) => client,
            None => AdminClient::connect(self.port.address())?,
        };
        // Kept only if it answered: after anything else its stream may be anywhere.
        let reply = client.call(arguments)?;
        *admin = Some(client);
        Ok(reply)
    }

    /// One figure of `stats`, such as `curr_connections`.
    ///
    /// # Panics
    ///
    /// When the server does not answer, or has no such figure.
    #[must_use]
    pub fn stat(&self, name: &str) -> u64 {
        let stats = self.command(&["stats"]);
        figure(&stats, name).unwrap_or_else(|| panic!("memcached has no figure {name}"))
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

    /// Ends the server if it runs, starts it on the same port, empty, and waits until it answers.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&self) {
        self.forget_admin();
        let address = self.port.address();
        self.process.restart(|id| answers(address, id));
    }

    /// The process id, while the server runs.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    fn forget_admin(&self) {
        self.admin.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Whether the memcached at `address` is the process `id`, and not another one on its port.
fn answers(address: SocketAddr, id: u32) -> bool {
    let stats = AdminClient::connect(address).and_then(|mut client| client.call(&["stats"]));
    stats.is_ok_and(|stats| figure(&stats, "pid") == Some(id.into()))
}

fn figure(stats: &str, name: &str) -> Option<u64> {
    stats.lines().find_map(|line| {
        let (found, value) = line.strip_prefix("STAT ")?.split_once(' ')?;
        (found == name).then(|| value.parse().ok())?
    })
}
