//! Loads over a shared tier: read it first, lease what is missing, fill under the lease.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use rucache_core::observer::StoreResult;
use rucache_core::{
    Key, Lease, LeaseHold, LeaseRequest, LocalEntry, Mono, Precondition, Version, WriteOutcome,
};

use crate::engine::{Engine, Tier};
use crate::flight::{Joined, Leader};
use crate::load::{Brought, Job};
use crate::shared::{Content, Fill, Known, LEASE, Markers, Shared};
use crate::{LoadError, ServedFrom};

/// How often the leases of a running load are prolonged.
const RENEW_EVERY: Duration = Duration::from_millis(1_500);

/// How long a load waits before it looks again whether another process has filled its key.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The same, after many looks.
const LOOK_AGAIN_AT_MOST: Duration = Duration::from_millis(100);

/// A key that is missing at the shared tier.
struct Missing {
    leader: Leader,
    seen: Option<Version>,
    markers: Option<Markers>,
    /// Whether those who wait have something to fall back on.
    has_fallback: bool,
}

/// A key that may be loaded, and under what it may be stored: nothing where the shared tier cannot
/// be reached, or holds a newer version's entry.
struct Permitted {
    leader: Leader,
    place: Option<(LeaseHold, Markers)>,
}

/// How long to wait for another process: until when, and how long before the next look.
#[derive(Clone, Copy)]
struct Wait {
    until: Mono,
    next: Duration,
}

impl Engine {
    /// Completes every leader: from the shared tier, by waiting for another process, or by a load.
    pub(crate) async fn load_shared(
        self: &Arc<Self>,
        shared: &Shared,
        leaders: Vec<Leader>,
        job: Job,
    ) {
        let until = self.runtime.now().after(self.timing.load_deadline);
        self.look_and_load(shared, leaders, job, Wait { until, next: LOOK_AGAIN }).await;
    }

    async fn look_and_load(
        self: &Arc<Self>,
        shared: &Shared,
        leaders: Vec<Leader>,
        job: Job,
        wait: Wait,
    ) {
        let (mut missing, mut permitted) = (Vec::new(), Vec::new());
        self.look(shared, leaders, &job, &mut missing, &mut permitted).await;
        loop {
            let room = job.at_once.get() - permitted.len().min(job.at_once.get());
            let later = missing.split_off(missing.len().min(room));
            self.lease(shared, missing, &job, wait, &mut permitted).await;
            missing = later;
            let later = permitted.split_off(permitted.len().min(job.at_once.get()));
            if !permitted.is_empty() {
                self.load_permitted(shared, permitted, &job).await;
            }
            permitted = later;
            if missing.is_empty() && permitted.is_empty() {
                return;
            }
        }
    }

    /// Reads the keys of `leaders`: what is fresh is completed, what must not be stored is permitted
    /// without a place, the rest is missing.
    async fn look(
        &self,
        shared: &Shared,
        leaders: Vec<Leader>,
        job: &Job,
        missing: &mut Vec<Missing>,
        permitted: &mut Vec<Permitted>,
    ) {
        let keys: Vec<Key> = leaders.iter().map(|leader| leader.key.clone()).collect();
        for (leader, known) in leaders.into_iter().zip(shared.read(&keys).await) {
            let Known::Read { content, seen, markers } = known else {
                permitted.push(Permitted { leader, place: None });
                continue;
            };
            let (stale, leader) = match content {
                Content::Fresh(entry) => match (job.typed)(entry) {
                    Some(entry) => match self.served(leader, entry, job) {
                        Some((leader, entry)) => (Some(entry), leader),
                        None => continue,
                    },
                    // Somebody stored another type: nothing for this caller.
                    None => (None, leader),
                },
                Content::Stale(entry) => ((job.typed)(entry), leader),
                Content::Nothing => (None, leader),
            };
            let has_fallback = stale.is_some();
            // A fallback of an earlier look may have been removed since.
            leader.offer(stale);
            missing.push(Missing { leader, seen, markers, has_fallback });
        }
    }

    /// Completes a flight with a fresh entry; past its early point it is loaded in the background
    /// by a flight of its own.
    fn served(&self, leader: Leader, entry: LocalEntry, job: &Job) -> Option<(Leader, LocalEntry)> {
        let key = leader.key.clone();
        let is_early = job.policy.is_early(&entry.deadlines, self.runtime.now());
        leader.complete_from(ServedFrom::Shared, entry.clone());
        match is_early.then(|| self.flights.join(&key)) {
            Some(Joined::Lead(leader)) => Some((leader, entry)),
            _ => None,
        }
    }

    /// Asks for the leases of `missing`; those that others hold wait apart.
    async fn lease(
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
        let markers = shared
            .complete_markers(missing.iter().map(|missing| (&missing.leader.key, missing.markers)));
        let markers = markers.await;
        let request = |missing: &Missing| LeaseRequest {
            key: missing.leader.key.clone(),
            seen: missing.seen,
            ttl: LEASE,
        };
        let requests: Vec<_> = missing.iter().map(request).collect();
        let answers = shared.lease(&requests).await;
        let mut again = Vec::new();
        for ((Missing { leader, has_fallback, .. }, markers), answer) in
            missing.into_iter().zip(markers).zip(answers)
        {
            match answer {
                Ok(Lease::Granted(token)) => {
                    let hold = LeaseHold { key: leader.key.clone(), token };
                    let place = markers.map(|markers| (hold, markers));
                    permitted.push(Permitted { leader, place });
                }
                // The holder will fill; whoever waits here has something meanwhile.
                Ok(Lease::Held) if has_fallback => drop(leader.fail(LoadError::LoadedElsewhere)),
                Ok(Lease::Held | Lease::Changed) => again.push(leader),
                // The note keeps the fleet from trying, this process included.
                Ok(Lease::BackingOff { .. }) => drop(leader.fail(LoadError::FailedElsewhere)),
                // An outage of the cache is no outage of the source.
                Err(_) => permitted.push(Permitted { leader, place: None }),
            }
        }
        self.look_again(again, job, wait);
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
            if let Tier::Shared(shared) = &engine.tier {
                engine.look_and_load(shared, leaders, job, wait).await;
            }
        }));
    }

    async fn load_permitted(&self, shared: &Shared, permitted: Vec<Permitted>, job: &Job) {
        let keys: Vec<Key> = permitted.iter().map(|one| one.leader.key.clone()).collect();
        let answers = self.ask(&keys, job, self.renew(shared, &permitted)).await;
        let results = self.store_all(shared, &permitted, &answers).await;
        let mut failed = Vec::new();
        for ((Permitted { leader, .. }, answer), result) in
            permitted.into_iter().zip(answers).zip(results)
        {
            match answer {
                Ok(brought) => {
                    let key = leader.key.clone();
                    let stored = result == StoreResult::Stored;
                    leader.complete(brought.entry.clone(), |_| stored);
                    self.note_store(&key, result, &brought);
                }
                Err(error) => failed.push(leader.fail(error)),
            }
        }
        self.back_off(failed);
    }

    /// Prolongs the leases of a load. A lease that is lost means that the key was changed: whoever
    /// comes from now on begins anew.
    async fn renew(&self, shared: &Shared, permitted: &[Permitted]) -> Infallible {
        let held =
            || permitted.iter().filter_map(|one| Some((&one.leader, &one.place.as_ref()?.0)));
        let holds: Vec<LeaseHold> = held().map(|(_, hold)| hold.clone()).collect();
        loop {
            self.runtime.sleep(RENEW_EVERY).await;
            if holds.is_empty() {
                continue;
            }
            for ((leader, _), renewed) in held().zip(shared.renew(&holds).await) {
                if let Ok(false) = renewed {
                    leader.detach();
                }
            }
        }
    }

    /// Stores what was brought and ends the other leases; what became of each.
    async fn store_all(
        &self,
        shared: &Shared,
        permitted: &[Permitted],
        answers: &[Result<Brought, LoadError>],
    ) -> Vec<StoreResult> {
        let mut results = vec![StoreResult::Error; permitted.len()];
        let (mut fills, mut places, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (at, (one, answer)) in permitted.iter().zip(answers).enumerate() {
            let Some((hold, markers)) = &one.place else { continue };
            let entry = match answer {
                Ok(brought) if brought.storable == StoreResult::Stored => Some(&brought.entry),
                // Too large, or certainly absent: the older value must not outlive it, and a newer
                // one must not be touched.
                Ok(_) | Err(LoadError::Absent) => None,
                Err(_) => {
                    failed.push(hold.clone());
                    continue;
                }
            };
            let (key, when) = (&one.leader.key, Precondition::Lease(hold.token));
            fills.push(Fill { key, entry, markers: *markers, when });
            places
                .push((at, answer.as_ref().map_or(StoreResult::Error, |brought| brought.storable)));
        }
        for ((at, storable), outcome) in places.into_iter().zip(shared.write(&fills).await) {
            if let Some(result) = results.get_mut(at) {
                *result = match outcome {
                    Ok(WriteOutcome::Stored) => storable,
                    Ok(WriteOutcome::Refused) => StoreResult::Superseded,
                    Err(_) => StoreResult::Error,
                };
            }
        }
        shared.release(failed, Some(self.timing.back_off)).await;
        results
    }
}
