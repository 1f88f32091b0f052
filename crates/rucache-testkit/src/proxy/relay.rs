//! One direction of a connection: bytes in, faults, bytes out.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::connection::Line;
use super::state::{Current, State};
use super::{Ending, Fault};
use crate::random::Random;

/// Chunks on their way through one direction; beyond, the sender is no longer read from.
const IN_FLIGHT: usize = 64;
const CHUNK_LEN: usize = 16 * 1024;

/// Why a direction stopped early.
#[derive(Debug)]
pub(super) enum Stop {
    /// One of the peers broke the connection.
    Broken,
    /// The fault asks for it.
    Cut(Ending),
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}

type Chunk = (Instant, Vec<u8>);

/// Reads chunks until the end of the stream, and notes when each of them is due.
pub(super) async fn take_in(
    mut from: ReadHalf<'_>,
    chunks: mpsc::Sender<Chunk>,
    mut delay: impl FnMut() -> Duration,
) -> Result<(), Stop> {
    let mut buffer = vec![0; CHUNK_LEN];
    let mut last_due = Instant::now();
    loop {
        let len = from.read(&mut buffer).await?;
        let Some(chunk) = buffer.get(..len).filter(|chunk| !chunk.is_empty()) else {
            return Ok(());
        };
        // A stream keeps its order: nothing overtakes what is late.
        last_due = last_due.max(Instant::now() + delay());
        let sent = chunks.send((last_due, chunk.to_vec())).await;
        sent.map_err(|_| Stop::Broken)?;
    }
}

/// A queue between the two ends of a direction.
pub(super) fn queue() -> (mpsc::Sender<Chunk>, mpsc::Receiver<Chunk>) {
    mpsc::channel(IN_FLIGHT)
}

/// The writing end of a direction.
pub(super) struct Outlet<'a> {
    to: WriteHalf<'a>,
    state: Arc<State>,
    current: watch::Receiver<Current>,
    born: u64,
    random: Random,
    /// The epoch of the fault, and the bytes written in it.
    written: (u64, u64),
}

impl<'a> Outlet<'a> {
    pub(super) fn new(to: WriteHalf<'a>, line: &Line) -> Self {
        let state = line.state.clone();
        let current = state.current.subscribe();
        let random = Random::of_part(!state.seed, line.number);
        Self { to, state, current, born: line.born, random, written: (0, 0) }
    }

    /// Writes requests as they are, and then the end of the stream.
    pub(super) async fn give_requests(
        mut self,
        mut chunks: mpsc::Receiver<Chunk>,
    ) -> Result<(), Stop> {
        while let Some((_, chunk)) = chunks.recv().await {
            self.wait_while_held().await;
            count(&self.state.to_server, chunk.len());
            self.to.write_all(&chunk).await?;
        }
        self.wait_while_held().await;
        Ok(self.to.shutdown().await?)
    }

    /// Writes answers as the fault of the moment has them, and then the end of the stream.
    pub(super) async fn give_answers(
        mut self,
        mut chunks: mpsc::Receiver<Chunk>,
    ) -> Result<(), Stop> {
        while let Some((due, chunk)) = chunks.recv().await {
            sleep_until(due).await;
            self.wait_while_held().await;
            self.give_answer(chunk).await?;
        }
        self.wait_while_held().await;
        Ok(self.to.shutdown().await?)
    }

    async fn give_answer(&mut self, mut answer: Vec<u8>) -> Result<(), Stop> {
        let (fault, epoch, hit) = {
            let current = self.current.borrow_and_update();
            let hit = match &current.fault {
                Fault::Duplicate { one_in } | Fault::Inject { one_in, .. } => {
                    current.hits_answer(*one_in)
                }
                _ => false,
            };
            (current.fault.clone(), current.epoch, hit)
        };
        if self.written.0 != epoch {
            self.written = (epoch, 0);
        }
        match fault {
            Fault::Cut { after, how } => {
                let left = usize::try_from(after.saturating_sub(self.written.1));
                let left = left.unwrap_or(usize::MAX);
                if answer.len() < left {
                    return self.write(&answer).await;
                }
                answer.truncate(left);
                self.write(&answer).await?;
                Err(Stop::Cut(how))
            }
            Fault::Trickle { bytes, every } => self.trickle(&answer, bytes.max(1), every).await,
            Fault::Corrupt { one_in } => {
                for byte in &mut answer {
                    if self.random.below(one_in) == 0 {
                        *byte ^= 1 << self.random.below(8);
                    }
                }
                self.write(&answer).await
            }
            Fault::Duplicate { .. } if hit => {
                self.write(&answer).await?;
                self.write(&answer).await
            }
            Fault::Inject { bytes, .. } if hit => {
                self.write(&bytes).await?;
                self.write(&answer).await
            }
            _ => self.write(&answer).await,
        }
    }

    async fn trickle(&mut self, answer: &[u8], bytes: usize, every: Duration) -> Result<(), Stop> {
        for (at, drop) in answer.chunks(bytes).enumerate() {
            self.write(drop).await?;
            let pause = sleep_until(Instant::now() + every);
            tokio::select! {
                () = pause => {}
                _ = self.current.changed() => {
                    let rest = answer.get((at + 1) * bytes..).unwrap_or_default();
                    return self.write(rest).await;
                }
            }
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        // First, so that whoever has read them finds them counted.
        count(&self.state.to_clients, bytes.len());
        self.to.write_all(bytes).await?;
        self.written.1 = self.written.1.saturating_add(bytes.len() as u64);
        Ok(())
    }

    async fn wait_while_held(&mut self) {
        // Fails only when there is no proxy any more; then nothing is held either.
        let _ = self.current.wait_for(|current| !current.holds(self.born)).await;
    }
}

fn count(counter: &AtomicU64, bytes: usize) {
    counter.fetch_add(bytes as u64, Ordering::Relaxed);
}
