//! What the store tells unasked: one connection, in order, noticed late when it breaks.

use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use rucache_core::{Change, Mono};

use super::Link;
use crate::server::Audience;
use crate::setup::{PUSH_DELAY, PUSH_HEARTBEAT};

/// How often the connection is looked at.
const TICK: Duration = Duration::from_millis(50);

/// Time between attempts to connect.
const RETRY: Duration = Duration::from_millis(500);

/// Messages on their way.
#[derive(Default)]
pub(super) struct Feed {
    /// Whether the server tells this connection of changes.
    tracking: bool,
    /// Whether listeners were told that push is whole, and not yet that it was lost.
    trusted: bool,
    messages: VecDeque<(Mono, Change)>,
    pump: Option<Waker>,
}

impl Audience for Link {
    fn hear(&self, change: &Change) {
        let delay = self.wire.millis(u64::try_from(PUSH_DELAY.as_millis()).unwrap_or(0));
        let at = self.wire.scheduler.now().after(delay);
        let mut feed = self.feed();
        if !feed.tracking {
            return;
        }
        // One connection: nothing overtakes.
        let at = feed.messages.back().map_or(at, |(before, _)| at.max(*before));
        feed.messages.push_back((at, change.clone()));
        let pump = feed.pump.take();
        drop(feed);
        pump.into_iter().for_each(Waker::wake);
    }
}

/// Keeps the push connection for as long as the process lives.
pub(super) async fn keep(link: Arc<Link>) {
    let scheduler = link.wire.scheduler.clone();
    let pump = pump(link.clone());
    let keep = async move {
        loop {
            if link.wire.weather().lets_push() {
                link.track().await;
            }
            scheduler.sleep(RETRY).await;
        }
    };
    futures_util::future::join(pump, keep).await;
}

/// Tells listeners of changes as their messages come in.
async fn pump(link: Arc<Link>) {
    loop {
        let at = std::future::poll_fn(|context| {
            let mut feed = link.feed();
            match feed.messages.front() {
                Some((at, _)) => Poll::Ready(*at),
                None => {
                    feed.pump = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await;
        link.wire.scheduler.sleep(at.since(link.wire.scheduler.now())).await;
        let now = link.wire.scheduler.now();
        // The connection may have broken meanwhile, and these be others.
        let due = {
            let mut feed = link.feed();
            let due = feed.messages.front().is_some_and(|(at, _)| *at <= now);
            due.then(|| feed.messages.pop_front()).flatten()
        };
        if let Some((_, change)) = due {
            link.tell(&change);
        }
    }
}

impl Link {
    /// Breaks the push connection: what is on its way is lost, and nobody knows yet.
    pub(crate) fn cut_push(&self) {
        let mut feed = self.feed();
        if feed.tracking {
            feed.tracking = false;
            feed.messages.clear();
            drop(feed);
            let process = self.process;
            self.wire.history.push(process, false);
        }
    }

    /// Whether listeners trust push.
    pub(super) fn trusts_push(&self) -> bool {
        self.feed().trusted
    }

    /// Connects, and returns when the connection was found to be broken.
    async fn track(&self) {
        let (wire, life) = (&self.wire, self.wire.server.life());
        self.feed().tracking = true;
        wire.scheduler.sleep(wire.millis(20)).await;
        if self.is_tracked(life) {
            self.feed().trusted = true;
            self.tell(&Change::Everything);
            self.tell(&Change::PushRestored);
            // What was copied until now is no longer trusted; what is from now on is kept true.
            wire.history.push(self.process, true);
            while self.is_tracked(life) {
                wire.scheduler.sleep(TICK).await;
            }
            self.cut_push();
            // The end of a connection shows at once where the server said so, else by its silence.
            let silent = wire.server.life() == life;
            let most = if silent { PUSH_HEARTBEAT } else { TICK };
            let most = most.saturating_sub(TICK);
            wire.scheduler.sleep(wire.millis(u64::try_from(most.as_millis()).unwrap_or(0))).await;
            self.feed().trusted = false;
            self.tell(&Change::PushLost);
        } else {
            self.cut_push();
        }
    }

    fn is_tracked(&self, life: u64) -> bool {
        let whole = self.wire.server.life() == life && self.wire.weather().lets_push();
        whole && self.feed().tracking
    }

    fn feed(&self) -> MutexGuard<'_, Feed> {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
