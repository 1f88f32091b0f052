//! Leases of what is missing at the shared tier: who loads, who waits, for how long a load keeps its
//! own.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join3};
use rucache_core::observer::RefreshResult;
use rucache_core::{Key, Lease, LeaseHold, LeaseRequest, LocalEntry, MarkerVersion, Mono, Version};

use crate::LoadError;
use crate::engine::Engine;
use crate::flight::Leader;
use crate::load::Job;
use crate::negative::is_negative;
use crate::shared::{LEASE, Markers, Shared};

/// How often the leases of a running load are prolonged.
const RENEW_EVERY: Duration = Duration::from_millis(1_500);

/// How long a load waits before it looks again whether another process has filled its key.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The same, after many looks.
const LOOK_AGAIN_AT_MOST: Duration = Duration::from_millis(100);

/// A key that is missing at the shared tier.
pub(crate) struct Missing {
    pub(crate) leader: Leader,
    pub(crate) seen: Option<Version>,
    pub(crate) markers: Option<Markers>,
    /// What was there before: a fallback, or the record of a verdict.
    pub(crate) prior: Option<LocalEntry>,
}

/// A key that may be loaded, and under what it may be stored: nothing where the shared tier cannot
/// be reached, or holds a newer version's entry.
pub(crate) struct Permitted {
    pub(crate) leader: Leader,
    pub(crate) place: Option<Place>,
    pub(crate) prior: Option<LocalEntry>,
}

/// What a fill stands under, all of it noted before the load.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) hold: LeaseHold,
    pub(crate) markers: Markers,
    /// The tag epoch of the service.
    pub(crate) epoch: Option<MarkerVersion>,
}

/// How long to wait for another process: until when, and how long before the next look.
#[derive(Clone, Copy)]
pub(crate) struct Wait {
    until: Mono,
    next: Duration,
}

impl Wait {
    pub(crate) const fn until(until: Mono) -> Self {
        Self { until, next: LOOK_AGAIN }
    }
}

impl Engine {
    /// Asks for the leases of `missing`; those that others hold wait apart.
    pub(crate) async fn lease(
        self: &Arc<Self>,
        shared: &Shared,
        missing: Vec<Missing>,
        job: &Job,
        wait: Wait,
        permitted: &mut Vec<Permitted>,
    ) {
        if missing.is_empty() {
            return;
        }
        let missing = self.mark(shared, missing, permitted).await;
        if missing.is_empty() {
            return;
        }
        let request = |(missing, _): &(Missing, Markers)| LeaseRequest {
            key: missing.leader.key.clone(),
            seen: missing.seen,
            ttl: LEASE,
        };
        let requests: Vec<_> = missing.iter().map(request).collect();
        let keys: Vec<_> = requests.iter().map(|request| request.key.clone()).collect();
        let (answers, epochs) = join(shared.lease(&requests), shared.epochs(&keys)).await;
        let now = self.runtime.now();
        let (mut again, mut useless, mut elsewhere) = (Vec::new(), Vec::new(), Vec::new());
        for ((Missing { leader, prior, .. }, markers), (answer, epoch)) in
            missing.into_iter().zip(answers.into_iter().zip(epochs))
        {
            let has_fallback = prior.as_ref().is_some_and(|prior| !is_negative(prior));
            match answer {
                Ok(Lease::Granted(token)) => {
                    self.flights.lease_is_known(&leader.key);
                    let hold = LeaseHold { key: leader.key.clone(), token };
                    let place = match epoch {
                        Err(error) if error.kind().leaves_write_unknown() => {
                            useless.push((hold, None));
                            None
                        }
                        epoch => Some(Place { hold, markers, epoch: epoch.ok() }),
                    };
                    permitted.push(Permitted { leader, place, prior });
                }
                // The holder will fill; whoever waits here has something meanwhile.
                // For a moment nobody looks again.
                Ok(Lease::Held) if has_fallback => {
                    self.note_refresh(&leader, RefreshResult::Elsewhere);
                    elsewhere.push((leader.fail(LoadError::LoadedElsewhere), LOOK_AGAIN_AT_MOST));
                }
                // This process waits for nobody but itself.
                Ok(Lease::Held) if self.flights.is_lease_astray(&leader.key, now) => {
                    permitted.push(Permitted { leader, place: None, prior });
                }
                Ok(Lease::Held | Lease::Changed) => again.push(leader),
                // The note keeps the fleet from trying, this process included.
                Ok(Lease::BackingOff { note }) => {
                    self.heard_of_failures(&leader.key, &note);
                    self.note_refresh(&leader, RefreshResult::Elsewhere);
                    elsewhere.push((leader.fail(LoadError::FailedElsewhere), LOOK_AGAIN_AT_MOST));
                }
                // An outage of the cache is no outage of the source.
                Err(error) => {
                    if error.kind().leaves_write_unknown() {
                        self.lease_may_be_held(&leader.key);
                    }
                    permitted.push(Permitted { leader, place: None, prior });
                }
            }
        }
        self.back_off(elsewhere);
        self.release_apart(useless);
        self.look_again(again, job, wait);
    }

    /// What is missing with the markers it stands under; what they are not known of is permitted
    /// without a place, and asks nothing more of a store that may let it wait for each answer.
    async fn mark(
        &self,
        shared: &Shared,
        missing: Vec<Missing>,
        permitted: &mut Vec<Permitted>,
    ) -> Vec<(Missing, Markers)> {
        let known = missing.iter().map(|missing| (&missing.leader.key, missing.markers));
        let markers = shared.complete_markers(known).await;
        let mut marked = Vec::with_capacity(missing.len());
        for (missing, markers) in missing.into_iter().zip(markers) {
            self.note_markers(missing.leader.ticket.service, markers);
            match (missing, markers) {
                (missing, Some(markers)) => marked.push((missing, markers)),
                (Missing { leader, prior, .. }, None) => {
                    permitted.push(Permitted { leader, place: None, prior });
                }
            }
        }
        marked
    }

    /// Ends leases without a write; nobody waits for that.
    fn release_apart(self: &Arc<Self>, ended: Vec<(LeaseHold, Option<(u32, Duration)>)>) {
        if ended.is_empty() {
            return;
        }
        let engine = self.clone();
        self.runtime.spawn(Box::pin(async move {
            if let Some(shared) = &engine.shared {
                shared.release(ended).await;
            }
        }));
    }

    /// Takes note that the store may hold a lease for this process that nobody knows of.
    pub(crate) fn lease_may_be_held(&self, key: &Key) {
        let now = self.runtime.now();
        // Stores round up to whole seconds.
        let until = now.after(LEASE.as_duration() + Duration::from_secs(1));
        self.flights.lease_went_astray(key, now, until);
    }

    /// Takes note of how often others have failed, so that this process does not begin from one.
    fn heard_of_failures(&self, key: &Key, note: &[u8]) {
        let failures = std::str::from_utf8(note).ok().and_then(|note| note.parse().ok());
        let until = self.runtime.now().after(self.timing.max_back_off);
        self.flights.heard_of_failures(key, failures.unwrap_or(1), until);
    }

    /// Looks again in a while, apart from what else was asked for.
    fn look_again(self: &Arc<Self>, leaders: Vec<Leader>, job: &Job, wait: Wait) {
        if leaders.is_empty() {
            return;
        }
        if self.runtime.now() >= wait.until {
            leaders.into_iter().for_each(|leader| drop(leader.fail(LoadError::LoadedElsewhere)));
            return;
        }
        let (engine, job) = (self.clone(), job.clone());
        let sleep = self.runtime.sleep(wait.next);
        let wait = Wait { next: (wait.next * 3 / 2).min(LOOK_AGAIN_AT_MOST), ..wait };
        self.runtime.spawn(Box::pin(async move {
            sleep.await;
            if let Some(shared) = &engine.shared {
                engine.look_and_load(shared, leaders, job, wait).await;
            }
        }));
    }

    /// Prolongs the leases of a load. A lease that is lost means that the key was changed, a marker
    /// that is another that its service was: whoever comes from now on begins anew.
    pub(crate) async fn renew(&self, shared: &Shared, permitted: &[Permitted]) -> Infallible {
        let held: Vec<(&Leader, &Place)> =
            permitted.iter().filter_map(|one| Some((&one.leader, one.place.as_ref()?))).collect();
        let holds: Vec<LeaseHold> = held.iter().map(|(_, place)| place.hold.clone()).collect();
        let keys: Vec<Key> = held.iter().map(|(leader, _)| leader.key.clone()).collect();
        loop {
            self.runtime.sleep(RENEW_EVERY).await;
            if holds.is_empty() {
                continue;
            }
            let unknown = keys.iter().map(|key| (key, None));
            let (renewed, markers, epochs) =
                join3(shared.renew(&holds), shared.complete_markers(unknown), shared.epochs(&keys))
                    .await;
            let now = renewed.into_iter().zip(markers).zip(epochs);
            for ((leader, place), ((renewed, markers), epoch)) in held.iter().zip(now) {
                let lost = matches!(renewed, Ok(false));
                let cleared = markers.is_some_and(|markers| markers != place.markers);
                let untagged = epoch.is_ok_and(|epoch| place.epoch.is_some_and(|old| old != epoch));
                if lost || cleared || untagged {
                    leader.detach();
                }
            }
        }
    }
}
