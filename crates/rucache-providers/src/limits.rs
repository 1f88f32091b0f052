//! What the plan still allows: by the minute and by the month, for the fleet where it can be known.

mod counters;
mod log;
mod month;
mod slots;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rucache_core::{Runtime, ServiceName};
use rucache_ruc::Allowance;

pub(crate) use counters::{Counters, service};

use crate::config::{Plan, SourceConfig};
use crate::fault::{Fault, Trouble};
use log::Log;
use month::{Month, Spent};
use slots::{Admission, SKEW, Slots};

/// The minute that plans speak of.
const MINUTE: Duration = Duration::from_secs(60);

/// For whom a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Somebody waits for one answer: may use the reserve.
    Interactive,
    /// One of many, which leave the reserve alone.
    Bulk,
}

/// The limits of one source.
///
/// Three books are kept. The log has the calls of this process on the monotonic clock, and holds
/// whatever happens. The slots are counted in the shared tier and hold for the fleet. The month is
/// counted there too, or here where there is no shared tier.
///
/// A slot of the minute and a call of the month are taken before a call is made, so a failure of
/// the call costs what a success does, as it does at the source.
pub(crate) struct Limits {
    runtime: Arc<dyn Runtime>,
    plan: Plan,
    /// One call asks for leave at a time: what it reads and what it takes belong together.
    shared: tokio::sync::Mutex<Shared>,
    view: Mutex<View>,
}

struct Shared {
    slots: Option<Slots>,
    month: Option<Month>,
}

/// What status reports without waiting.
struct View {
    log: Option<Log>,
    /// Calls of the fleet in the last minute, as of the last look.
    fleet: Option<u64>,
    month: u64,
}

impl Limits {
    pub(crate) fn new(
        config: &SourceConfig,
        service: ServiceName,
        runtime: Arc<dyn Runtime>,
        counters: Option<Arc<dyn Counters>>,
    ) -> Self {
        let plan = config.plan;
        // A call admitted now may reach the source only after its connection is made.
        let span = MINUTE + config.connect_timeout;
        let limit = plan.per_minute.map(|limit| u64::from(limit.get()));
        let slots = counters.clone().zip(limit);
        let slots = slots.map(|(counters, _)| Slots::new(counters, service.clone(), span));
        let month = plan.per_month.map(|_| Month::new(counters, service));
        let view = View { log: limit.map(|_| Log::new(span)), fleet: None, month: 0 };
        Self {
            runtime,
            plan,
            shared: tokio::sync::Mutex::new(Shared { slots, month }),
            view: Mutex::new(view),
        }
    }

    /// Takes leave for one call, or says why there is none and when there may be again.
    pub(crate) async fn take(&self, purpose: Use) -> Result<(), Trouble> {
        if self.plan.per_minute.is_none() && self.plan.per_month.is_none() {
            return Ok(());
        }
        // Most refusals end here, without a word to the shared tier.
        self.check_log(purpose)?;
        let mut shared = self.shared.lock().await;
        self.check_log(purpose)?;
        let wall = self.runtime.wall();
        if let (Some(month), Some(limit)) = (&mut shared.month, self.month_limit(purpose)) {
            month.check(wall, limit)?;
        }
        self.take_minute(&mut shared, purpose).await?;
        let Some(month) = &mut shared.month else { return Ok(()) };
        let (mine, whole) = (self.month_limit(purpose), self.month_limit(Use::Interactive));
        let taken = match (mine, whole) {
            (Some(mine), Some(whole)) => month.take(self.runtime.wall(), mine, whole).await,
            _ => Ok(()),
        };
        self.view().month = month.used();
        taken.map_err(Trouble::from)
    }

    /// Looks at what the fleet has used of the month, where that is shared.
    pub(crate) async fn look(&self) {
        let mut shared = self.shared.lock().await;
        if let Some(month) = &mut shared.month {
            month.look(self.runtime.wall()).await;
            self.view().month = month.used();
        }
    }

    /// Gives back a call that was not made after all. Its slot of the minute is lost.
    pub(crate) async fn unused(&self) {
        if let Some(month) = &mut self.shared.lock().await.month {
            month.give_back();
        }
    }

    /// Calls of the last minute and of this month, where they are limited.
    pub(crate) fn usage(&self) -> (Option<Allowance>, Option<Allowance>) {
        let now = self.runtime.now();
        let mut view = self.view();
        let own = view.log.as_mut().map_or(0, |log| log.used(now));
        let minute = self.plan.per_minute.map(|limit| Allowance {
            used: view.fleet.filter(|_| own > 0).unwrap_or(0).max(own).min(limit.get().into()),
            limit: limit.get().into(),
        });
        let month = self
            .plan
            .per_month
            .map(|limit| Allowance { used: view.month.min(limit.get()), limit: limit.get() });
        (minute, month)
    }

    fn check_log(&self, purpose: Use) -> Result<(), Trouble> {
        let Some(limit) = self.minute_limit(purpose) else { return Ok(()) };
        let now = self.runtime.now();
        match &mut self.view().log {
            Some(log) => log.check(now, limit).map_err(over_rate),
            None => Ok(()),
        }
    }

    async fn take_minute(&self, shared: &mut Shared, purpose: Use) -> Result<(), Trouble> {
        let Some(limit) = self.minute_limit(purpose) else { return Ok(()) };
        if let Some(slots) = &mut shared.slots {
            let asked = self.runtime.wall();
            let admission = slots.take(asked, limit).await;
            let late = self.runtime.wall().since(asked).as_millis() >= u128::from(SKEW);
            self.view().fleet = Some(slots.used(self.runtime.wall()));
            match admission {
                // The slot may be another by now: this leave is for a moment that has passed.
                Admission::Taken if late => return Err(over_rate(Duration::from_secs(1))),
                Admission::Taken => {}
                Admission::Full { wait } => return Err(over_rate(wait)),
                Admission::Unknown => {
                    let alone = (limit * u64::from(self.plan.alone_percent) / 100).max(1);
                    let now = self.runtime.now();
                    let mut view = self.view();
                    view.log
                        .as_mut()
                        .map_or(Ok(()), |log| log.check(now, alone))
                        .map_err(over_rate)?;
                    drop(view);
                    slots.owe(self.runtime.wall());
                }
            }
        }
        let now = self.runtime.now();
        if let Some(log) = &mut self.view().log {
            log.note(now);
        }
        Ok(())
    }

    fn minute_limit(&self, purpose: Use) -> Option<u64> {
        self.plan.per_minute.map(|limit| self.share(u64::from(limit.get()), purpose))
    }

    fn month_limit(&self, purpose: Use) -> Option<u64> {
        self.plan.per_month.map(|limit| self.share(limit.get(), purpose))
    }

    fn share(&self, limit: u64, purpose: Use) -> u64 {
        match purpose {
            Use::Interactive => limit,
            // Rounded up, so that a small plan keeps a reserve too.
            Use::Bulk => {
                let reserve = u128::from(limit) * u128::from(self.plan.reserve_percent);
                limit - u64::try_from(reserve.div_ceil(100)).unwrap_or(limit).min(limit)
            }
        }
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn over_rate(wait: Duration) -> Trouble {
    Trouble::new(Fault::OverRate, Some(wait))
}

impl From<Spent> for Trouble {
    fn from(spent: Spent) -> Self {
        Self::new(Fault::OverBudget, Some(spent.wait))
    }
}

#[cfg(test)]
mod tests;
