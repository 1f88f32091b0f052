//! Upkeep: what is done now and then in the background, or when somebody asks for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rucache_core::{Runtime, Timestamp};
use rucache_ruc::LimaDate;
use serde::Serialize;

use crate::Lookups;

/// How often statistics are rolled up.
const EVERY: Duration = Duration::from_secs(60);

/// After as many times the most asked numbers are written down.
const WRITE_MOST_ASKED: u64 = 10;

/// After as many times what has lapsed is dropped.
const MAINTAIN: u64 = 60;

const MILLIS_PER_DAY: u64 = 86_400_000;

/// What upkeep has cleaned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Maintained {
    /// Members of the registries' indexes that stood for no verdict.
    pub invalid_rucs: u64,
    /// Entries of the local tier that had expired.
    pub expired: u64,
}

impl Lookups {
    /// Drops what is over: expired entries of the local tier, and what the registries list without a
    /// verdict behind it. What cannot be reached is left for the next time. Old statistics go by
    /// themselves.
    pub async fn maintain(&self) -> Maintained {
        let mut maintained =
            Maintained { expired: self.cache().maintain(), ..Maintained::default() };
        for service in self.services() {
            maintained.invalid_rucs += self.ruc(&service).compact_invalid().await.unwrap_or(0);
        }
        maintained
    }

    /// Begins upkeep in the background: statistics are rolled up every minute, the most asked
    /// numbers written down every ten, what is over is dropped every hour. It ends with the last
    /// handle; beginning twice is beginning once.
    pub fn start(&self) {
        if self.0.is_started.swap(true, Ordering::Relaxed) {
            return;
        }
        let (shared, runtime) = (Arc::downgrade(&self.0), self.cache().runtime().clone());
        let task_runtime = runtime.clone();
        runtime.spawn(Box::pin(async move {
            for turn in 1_u64.. {
                sleep(&task_runtime).await;
                let Some(shared) = shared.upgrade() else { return };
                let lookups = Self(shared);
                if !lookups.0.is_started.load(Ordering::Relaxed) {
                    return;
                }
                lookups.turn(turn).await;
            }
        }));
    }

    /// Ends upkeep and writes down what was counted last. To be called before a process ends.
    pub async fn stop(&self) {
        self.0.is_started.store(false, Ordering::Relaxed);
        // A process that ends has nobody to tell.
        let _ = self.flush_stats().await;
        self.write_down_most_asked().await;
    }

    async fn turn(&self, turn: u64) {
        // What fails is tried again the next time.
        let _ = self.flush_stats().await;
        if turn.is_multiple_of(WRITE_MOST_ASKED) {
            self.write_down_most_asked().await;
        }
        if turn.is_multiple_of(MAINTAIN) {
            self.maintain().await;
        }
    }

    async fn write_down_most_asked(&self) {
        for (service, _) in self.states() {
            let _ = self.ruc(&service).write_most_asked().await;
        }
    }
}

/// Until the next turn, and no longer than the day in Lima lasts: what is counted belongs to one.
async fn sleep(runtime: &Arc<dyn Runtime>) {
    runtime.sleep(EVERY.min(until_midnight(runtime.wall()))).await;
}

fn until_midnight(now: Timestamp) -> Duration {
    let began = LimaDate::at(now).at_hour(0);
    Timestamp::from_millis(began.as_millis() + MILLIS_PER_DAY).since(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_end_at_midnight_in_lima() {
        let day: LimaDate = "2026-01-28".parse().unwrap();
        let last = Timestamp::from_millis(day.at_hour(0).as_millis() + MILLIS_PER_DAY - 1);
        assert_eq!(until_midnight(last), Duration::from_millis(1));
        assert_eq!(until_midnight(day.at_hour(0)), Duration::from_millis(MILLIS_PER_DAY));
    }
}
