//! A cache, its source, and callers that come, wait and leave.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::sync::watch;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::timeout;

use crate::{Answer, Load, PATIENCE, Peer, Source};

/// How often the others get their turn before nobody is expected to move any more.
const TURNS: usize = 256;

/// Where a race takes place.
#[derive(Clone)]
pub struct Stage {
    /// The cache under test.
    pub peer: Arc<dyn Peer>,
    /// What it loads from.
    pub source: Source,
    /// The key that the race is about.
    pub key: String,
    called: Arc<AtomicUsize>,
    /// Callers that have been polled once, and wait or have ended.
    settled: watch::Sender<usize>,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Stage {
    /// A stage for a race about `key`.
    #[must_use]
    pub fn new(peer: Arc<dyn Peer>, key: String) -> Self {
        let settled = watch::Sender::new(0);
        Self { peer, source: Source::default(), key, called: Arc::default(), settled }
    }

    /// A caller in a task of its own, with `load` as its loader.
    #[must_use]
    pub fn call(&self, load: Load) -> Caller {
        let (peer, key) = (self.peer.clone(), self.key.clone());
        self.task(async move { peer.get_or_load(&key, load).await })
    }

    /// A caller that does `asks` in a task of its own.
    #[must_use]
    pub fn task(&self, asks: impl Future<Output = Answer> + Send + 'static) -> Caller {
        self.called.fetch_add(1, Ordering::Relaxed);
        let call = FirstPoll { call: Box::pin(asks), settled: Some(self.settled.clone()) };
        Caller { task: tokio::spawn(call) }
    }

    /// Waits until every caller has asked, and all tasks have gone as far as they can.
    ///
    /// The second half holds where tasks share one thread.
    pub async fn settle(&self) {
        let called = self.called.load(Ordering::Relaxed);
        let mut settled = self.settled.subscribe();
        let _ = settled.wait_for(|settled| *settled >= called).await;
        for _ in 0..TURNS {
            yield_now().await;
        }
    }
}

/// Tells when its call has been polled for the first time.
struct FirstPoll {
    call: Pin<Box<dyn Future<Output = Answer> + Send>>,
    settled: Option<watch::Sender<usize>>,
}

impl Future for FirstPoll {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let polled = self.call.as_mut().poll(context);
        if let Some(settled) = self.settled.take() {
            settled.send_modify(|settled| *settled += 1);
        }
        polled
    }
}

impl Drop for FirstPoll {
    fn drop(&mut self) {
        // A poll that panicked was one.
        if let Some(settled) = self.settled.take() {
            settled.send_modify(|settled| *settled += 1);
        }
    }
}

/// A caller on its way.
#[derive(Debug)]
pub struct Caller {
    task: JoinHandle<Answer>,
}

/// How a caller's call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// With a value.
    Value(String),
    /// With an error, of this text.
    Failed(String),
    /// With a panic in the caller's own task.
    Panicked,
    /// It did not, for as long as [`PATIENCE`].
    Waits,
}

impl Ended {
    /// Whether it is `value`.
    #[must_use]
    pub fn is(&self, value: &str) -> bool {
        matches!(self, Self::Value(own) if own == value)
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(value) => write!(f, "the value `{value}`"),
            Self::Failed(text) => write!(f, "the error “{text}”"),
            Self::Panicked => f.write_str("a panic"),
            Self::Waits => write!(f, "no answer in {} s", PATIENCE.as_secs_f32()),
        }
    }
}

impl Caller {
    /// How the call ends.
    pub async fn ended(mut self) -> Ended {
        match timeout(PATIENCE, &mut self.task).await {
            Err(_) => {
                self.task.abort();
                Ended::Waits
            }
            Ok(Ok(Ok(value))) => Ended::Value(value),
            Ok(Ok(Err(text))) => Ended::Failed(text),
            Ok(Err(_)) => Ended::Panicked,
        }
    }

    /// Drops the call where it is.
    pub async fn leave(self) {
        self.task.abort();
        // An answer that was there already does not matter: the caller is gone.
        let _ = self.task.await;
    }
}
