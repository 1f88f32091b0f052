//! Loads over a shared tier: read it first, lease what is missing, fill under the lease.

use std::time::Duration;

use rucache_core::observer::StoreResult;
use rucache_core::{Key, Lease, LeaseHold, LeaseRequest, LocalEntry, Precondition, Version};

use crate::cache::Engine;
use crate::flight::{FailedFlight, Leader};
use crate::load::{Brought, Loader};
use crate::shared::{Fill, Known, LEASE, Markers, Shared};
use crate::{LoadError, Policy, ServedFrom};

/// How long a load waits before it looks again whether another process has filled its key.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The same, after many looks.
const LOOK_AGAIN_AT_MOST: Duration = Duration::from_millis(100);

/// A key that is missing at the shared tier.
struct Missing {
    leader: Leader,
    seen: Option<Version>,
    markers: Option<Markers>,
    stale: Option<LocalEntry>,
}

/// A key that may be loaded, and under what it may be stored: nothing where the shared tier cannot
/// be reached, or holds a newer version's entry.
struct Permitted {
    leader: Leader,
    lease: Option<(LeaseHold, Option<Markers>)>,
}

/// What became of the keys of a round.
#[derive(Default)]
struct Round {
    permitted: Vec<Permitted>,
    /// Others are loading them, or they have changed since they were read.
    again: Vec<Leader>,
    failed: Vec<FailedFlight>,
}

impl Engine {
    /// Completes every leader: from the shared tier, by waiting for another process, or by a load.
    pub(crate) async fn load_shared(
        &self,
        shared: &Shared,
        mut leaders: Vec<Leader>,
        policy: Policy,
        mut loader: Loader,
    ) -> Vec<FailedFlight> {
        let until = self.runtime.now().after(self.timing.load_deadline);
        let mut failed = Vec::new();
        let mut wait = LOOK_AGAIN;
        while !leaders.is_empty() {
            let mut round = Round::default();
            let missing = read(shared, leaders, &mut round).await;
            self.lease(shared, missing, &mut round).await;
            if !round.permitted.is_empty() {
                failed.extend(
                    self.load_permitted(shared, round.permitted, policy, &mut loader).await,
                );
            }
            failed.append(&mut round.failed);
            leaders = round.again;
            if leaders.is_empty() {
                break;
            }
            if self.runtime.now() >= until {
                let after = self.timing.load_deadline;
                let late =
                    |leader: Leader| leader.fail(LoadError::DeadlinePassed { after }, || false);
                failed.extend(leaders.into_iter().map(late));
                break;
            }
            self.runtime.sleep(wait).await;
            wait = (wait * 3 / 2).min(LOOK_AGAIN_AT_MOST);
        }
        failed
    }

    async fn lease(&self, shared: &Shared, missing: Vec<Missing>, round: &mut Round) {
        if missing.is_empty() {
            return;
        }
        let request = |missing: &Missing| LeaseRequest {
            key: missing.leader.key.clone(),
            seen: missing.seen,
            ttl: LEASE,
        };
        let requests: Vec<_> = missing.iter().map(request).collect();
        let answers = shared.lease(&requests).await;
        for (Missing { leader, markers, stale, .. }, answer) in missing.into_iter().zip(answers) {
            match answer {
                Ok(Lease::Granted(token)) => {
                    let hold = LeaseHold { key: leader.key.clone(), token };
                    round.permitted.push(Permitted { leader, lease: Some((hold, markers)) });
                }
                Ok(Lease::Held) if stale.is_some() => {
                    // Whoever waits has the stale value, and no back-off: the holder will fill.
                    drop(leader.fail(LoadError::LoadedElsewhere, || false));
                }
                Ok(Lease::Held | Lease::Changed) => round.again.push(leader),
                Ok(Lease::BackingOff { .. }) => {
                    round.failed.push(leader.fail(LoadError::FailedElsewhere, || false));
                }
                // An outage of the cache is no outage of the source.
                Err(_) => round.permitted.push(Permitted { leader, lease: None }),
            }
        }
    }

    async fn load_permitted(
        &self,
        shared: &Shared,
        permitted: Vec<Permitted>,
        policy: Policy,
        loader: &mut Loader,
    ) -> Vec<FailedFlight> {
        let mut under = Vec::with_capacity(permitted.len());
        let mut leaders = Vec::with_capacity(permitted.len());
        for Permitted { leader, lease } in permitted {
            under.push(self.under(shared, &leader.key, lease).await);
            leaders.push(leader);
        }
        let keys: Vec<Key> = leaders.iter().map(|leader| leader.key.clone()).collect();
        let holds: Vec<_> = under.iter().flatten().map(|(hold, _)| hold.clone()).collect();
        let answers = self.ask(&keys, policy, loader, Some((shared, &holds))).await;
        let stored = store(shared, &keys, &under, &answers, self.timing.back_off).await;
        let mut failed = Vec::new();
        for (((leader, key), answer), stored) in
            leaders.into_iter().zip(&keys).zip(answers).zip(stored)
        {
            match answer {
                Ok(brought) => {
                    leader.complete(brought.entry.clone(), |_| stored);
                    self.note_store(key, &brought, stored);
                }
                Err(error) => failed.push(leader.fail(error, || true)),
            }
        }
        failed
    }

    /// The lease and markers that a load's result may be stored under; markers that the store had
    /// lost are made anew, before the load begins.
    async fn under(
        &self,
        shared: &Shared,
        key: &Key,
        lease: Option<(LeaseHold, Option<Markers>)>,
    ) -> Option<(LeaseHold, Markers)> {
        let (hold, markers) = lease?;
        let markers = match markers {
            Some(markers) => Ok(markers),
            None => shared.markers(key).await,
        };
        match markers {
            Ok(markers) => Some((hold, markers)),
            Err(_) => {
                shared.release(vec![hold], None).await;
                None
            }
        }
    }
}

/// Reads the keys of `leaders`: what is fresh is completed, what is not to be stored is permitted,
/// the rest is missing.
async fn read(shared: &Shared, leaders: Vec<Leader>, round: &mut Round) -> Vec<Missing> {
    let keys: Vec<Key> = leaders.iter().map(|leader| leader.key.clone()).collect();
    let mut missing = Vec::new();
    for (leader, known) in leaders.into_iter().zip(shared.read(&keys).await) {
        match known {
            Known::Fresh(entry) => {
                leader.complete_from(ServedFrom::Shared, entry);
            }
            Known::NotFresh { stale, seen, markers } => {
                if let Some(stale) = &stale {
                    leader.offer(stale.clone());
                }
                missing.push(Missing { leader, seen, markers, stale });
            }
            Known::Newer | Known::Unreachable => {
                round.permitted.push(Permitted { leader, lease: None });
            }
        }
    }
    missing
}

/// Stores what was brought and ends the other leases; whether each value is stored.
async fn store(
    shared: &Shared,
    keys: &[Key],
    under: &[Option<(LeaseHold, Markers)>],
    answers: &[Result<Brought, LoadError>],
    back_off: Duration,
) -> Vec<bool> {
    let mut stored = vec![false; keys.len()];
    let (mut fills, mut places) = (Vec::new(), Vec::new());
    let (mut gone, mut failed) = (Vec::new(), Vec::new());
    for (at, ((key, under), answer)) in keys.iter().zip(under).zip(answers).enumerate() {
        let Some((hold, markers)) = under else { continue };
        match answer {
            Ok(Brought { entry, storable: StoreResult::Stored, .. }) => {
                let when = Precondition::Lease(hold.token);
                fills.push(Fill { key, entry, markers: *markers, when });
                places.push(at);
            }
            // Too large, or certainly absent: the older value must not outlive it.
            Ok(_) | Err(LoadError::Absent) => gone.push(key.clone()),
            Err(_) => failed.push(hold.clone()),
        }
    }
    if !fills.is_empty() {
        let outcomes = shared.write(&fills).await;
        for (at, outcome) in places.into_iter().zip(outcomes) {
            stored[at] = matches!(outcome, Ok(rucache_core::WriteOutcome::Stored));
        }
    }
    shared.delete(&gone).await;
    shared.release(failed, Some(back_off)).await;
    stored
}
