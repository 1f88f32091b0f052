//! The source of all values as a process of the fleet reaches it, and where it writes its notes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use crate::note::{Ask, Fact, Moment, Note, Process, Verdict};

/// The variable that tells a process where the referee is.
pub(crate) const SOCKET: &str = "RUCACHE_FLEET_SOCKET";

/// The source, asked by one process.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    socket: Arc<PathBuf>,
    process: Process,
}

/// The source could not tell.
#[derive(Debug)]
pub(crate) struct Unavailable;

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the source is unavailable")
    }
}

impl std::error::Error for Unavailable {}

impl Source {
    pub(crate) fn of(process: Process) -> Self {
        Self { socket: Arc::new(std::env::var_os(SOCKET).unwrap().into()), process }
    }

    /// The value of a key, for somebody who called at `asked`. It is read at once, and told when the
    /// source sees fit; while this future lives the source counts the load as running.
    pub(crate) async fn load(&self, key: usize, asked: Moment) -> Result<Fact, Unavailable> {
        let mut line = Line::open(&self.socket).await;
        line.send(&Ask::Load { process: self.process, key, asked }).await;
        let fact: Fact = line.receive().await;
        let verdict: Verdict = line.receive().await;
        // The source has taken note of the end before anything is made of it.
        line.send(&verdict).await;
        let _: Verdict = line.receive().await;
        match verdict {
            Verdict::Value => Ok(fact),
            Verdict::Failure => Err(Unavailable),
        }
    }

    /// New versions of these keys.
    pub(crate) async fn commit(&self, keys: Vec<usize>) -> Vec<Fact> {
        let mut line = Line::open(&self.socket).await;
        line.send(&Ask::Commit { keys }).await;
        line.receive().await
    }

    /// Where this process writes its notes.
    pub(crate) fn notes(&self) -> Notes {
        let stream = std::os::unix::net::UnixStream::connect(&*self.socket).unwrap();
        let notes = Notes(Mutex::new(stream));
        notes.line(&Ask::Notes { process: self.process });
        notes
    }
}

/// Notes on their way to the referee. Written at once: what is written outlives its writer.
#[derive(Debug)]
pub(crate) struct Notes(Mutex<std::os::unix::net::UnixStream>);

impl Notes {
    pub(crate) fn take(&self, note: &Note) {
        self.line(note);
    }

    fn line(&self, what: &impl Serialize) {
        let line = json_line(what);
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stream.write_all(&line).unwrap();
    }
}

/// A connection to the referee, from either end.
pub(crate) struct Line(BufReader<UnixStream>);

impl Line {
    pub(crate) fn over(stream: UnixStream) -> Self {
        Self(BufReader::new(stream))
    }

    async fn open(socket: &Path) -> Self {
        Self::over(UnixStream::connect(socket).await.unwrap())
    }

    pub(crate) async fn send(&mut self, what: &impl Serialize) {
        // The other end may be gone: it is missed at the next line that is waited for.
        let _ = self.0.write_all(&json_line(what)).await;
    }

    async fn receive<T: DeserializeOwned>(&mut self) -> T {
        self.next().await.expect("the referee has gone")
    }

    /// The next line; none when the other end is gone.
    pub(crate) async fn next<T: DeserializeOwned>(&mut self) -> Option<T> {
        let mut line = String::new();
        let len = self.0.read_line(&mut line).await.unwrap_or(0);
        // A line that was cut off is of somebody who was killed.
        if len == 0 || !line.ends_with('\n') {
            return None;
        }
        Some(serde_json::from_str(&line).unwrap())
    }
}

fn json_line(what: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(what).unwrap();
    line.push(b'\n');
    line
}
