//! Loads that begin, wait and end when a race says so.

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

/// What a caller gets: a value, or what the cache says instead.
pub type Answer = Result<String, String>;

/// A loader as every cache can use it: some ask it again for the same caller.
pub type Load = Arc<dyn Fn() -> BoxFuture<'static, Result<String, LoadFailed>> + Send + Sync>;

/// A loader's own failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadFailed(pub String);

impl fmt::Display for LoadFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LoadFailed {}

/// Where a race loads from: it knows whose loads have begun, and holds them until it is opened.
#[derive(Debug, Clone)]
pub struct Source {
    /// The callers whose loads have begun, in that order.
    begun: watch::Sender<Vec<usize>>,
    open: watch::Sender<bool>,
}

impl Default for Source {
    fn default() -> Self {
        Self { begun: watch::Sender::new(Vec::new()), open: watch::Sender::new(false) }
    }
}

impl Source {
    /// The load of `caller`: waits until the source is open, then brings `value`.
    #[must_use]
    pub fn gives(&self, caller: usize, value: &str) -> Load {
        let value = value.to_owned();
        self.then(caller, move || std::future::ready(Ok(value.clone())))
    }

    /// The load of `caller`: waits until the source is open, then panics.
    #[must_use]
    pub fn panics(&self, caller: usize) -> Load {
        self.then(caller, || async { panic!("the loader panics, as this race wants it") })
    }

    /// The load of `caller`: never ends.
    #[must_use]
    pub fn never(&self, caller: usize) -> Load {
        self.then(caller, std::future::pending)
    }

    /// The load of `caller`: waits until the source is open, then does what `next` says.
    pub fn then<Fut>(&self, caller: usize, next: impl Fn() -> Fut + Send + Sync + 'static) -> Load
    where
        Fut: Future<Output = Result<String, LoadFailed>> + Send + 'static,
    {
        let source = self.clone();
        Arc::new(move || {
            let mut open = source.open.subscribe();
            let begun = source.begun.clone();
            let next = next();
            async move {
                begun.send_modify(|callers| callers.push(caller));
                // The sender is in this source, which the race holds to its end.
                let _ = open.wait_for(|open| *open).await;
                next.await
            }
            .boxed()
        })
    }

    /// Waits until `count` loads have begun.
    pub async fn begun(&self, count: usize) {
        let mut begun = self.begun.subscribe();
        let _ = begun.wait_for(|callers| callers.len() >= count).await;
    }

    /// The callers whose loads have begun, in that order.
    #[must_use]
    pub fn callers(&self) -> Vec<usize> {
        self.begun.borrow().clone()
    }

    /// Lets all loads go on, those to come too.
    pub fn open(&self) {
        self.open.send_replace(true);
    }
}
