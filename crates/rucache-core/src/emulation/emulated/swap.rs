//! Changing an item by compare-and-swap.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;

use super::super::{Item, PutIf, Store};
use super::Emulated;
use crate::{Error, ErrorKind, Operation, Timestamp, Ttl};

/// How often a change is tried again because somebody else's came first. Each time somebody's
/// change went through, so that this many in a row is a store that refuses everything.
const MAX_ATTEMPTS: u32 = 1_000;

/// How long a change is tried again.
const MAX_TIME: Duration = Duration::from_secs(1);

/// What becomes of an item.
pub(super) enum Next {
    /// It stays as it is.
    Keep,
    /// It becomes these bytes, for this long.
    Put(Bytes, Ttl),
    /// It goes.
    Remove,
}

impl<S: Store> Emulated<S> {
    /// Reads the item called `name`, asks `step` what becomes of it, and does so if nobody changed
    /// it meanwhile; else begins again. The answer is that of the step that was carried out.
    pub(super) async fn swap<T: Send>(
        &self,
        name: &str,
        operation: Operation,
        mut step: impl FnMut(Option<&Bytes>, Timestamp) -> Result<(T, Next), Error> + Send,
    ) -> Result<T, Error> {
        let start = self.runtime.now();
        for _ in 0..MAX_ATTEMPTS {
            let item = self.store.get(name).await?;
            let (answer, next) = step(item.as_ref().map(|item| &item.bytes), self.runtime.wall())?;
            if self.carry_out(name, item, next).await? {
                return Ok(answer);
            }
            if self.runtime.now().since(start) > MAX_TIME {
                break;
            }
            yield_once().await;
        }
        let contention = "the slot changed between every read and write; try again later";
        Err(self.error(ErrorKind::Contended, operation).with_source(contention))
    }

    async fn carry_out(&self, name: &str, item: Option<Item>, next: Next) -> Result<bool, Error> {
        match (next, item) {
            (Next::Keep, _) | (Next::Remove, None) => Ok(true),
            (Next::Remove, Some(item)) => self.store.delete(name, item.version).await,
            (Next::Put(bytes, ttl), item) => {
                let when = item.map_or(PutIf::Absent, |item| PutIf::Version(item.version));
                self.store.put(name, bytes, ttl, when).await
            }
        }
    }
}

/// Lets other tasks of the executor run.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
