//! The timers of a connection: each request sets one for its head and takes it back, and one alone is
//! really waited for.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Sleep, Timer};
use tokio::time::Instant;

use super::limits;

/// Timers that a connection sets one after the other, each for later than the one before.
///
/// To register one with the runtime and to take it back costs as much as a look-up. This is
/// registered once for as long as the first of them waits, and set anew when that time has come.
#[derive(Clone)]
pub(super) struct Alarm(Arc<Mutex<Pin<Box<tokio::time::Sleep>>>>);

impl Alarm {
    /// The timers of one connection.
    pub(super) fn new() -> Self {
        let first = tokio::time::sleep_until(Instant::now() + limits::HEAD_READ);
        Self(Arc::new(Mutex::new(Box::pin(first))))
    }
}

impl Timer for Alarm {
    fn sleep(&self, span: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + span)
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Wait { deadline: deadline.into(), alarm: self.clone() })
    }

    fn now(&self) -> std::time::Instant {
        Instant::now().into()
    }
}

/// One of the timers.
struct Wait {
    deadline: Instant,
    alarm: Alarm,
}

impl Sleep for Wait {}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut alarm = self.alarm.0.lock().unwrap_or_else(PoisonError::into_inner);
        if alarm.deadline() > self.deadline {
            alarm.as_mut().reset(self.deadline);
        }
        loop {
            ready!(alarm.as_mut().poll(cx));
            if alarm.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            // It went off for one that was taken back.
            alarm.as_mut().reset(self.deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_timer_goes_off_at_its_own_time() {
        let (alarm, began) = (Alarm::new(), Instant::now());
        for secs in [5_u64, 6, 6, 20, 21] {
            let taken_back = alarm.sleep_until((began + Duration::from_secs(secs)).into());
            drop(taken_back);
            alarm.sleep_until((began + Duration::from_secs(secs)).into()).await;
            assert_eq!(began.elapsed(), Duration::from_secs(secs));
        }
        alarm.sleep(Duration::from_secs(1)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(22));
    }
}
