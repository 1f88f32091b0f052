//! Loads over a shared tier: look there first, then load what is missing as its leases allow.

use std::sync::Arc;

use rucache_core::observer::RefreshResult;
use rucache_core::{Key, LocalEntry};

use crate::ServedFrom;
use crate::engine::Engine;
use crate::flight::{Joined, Leader, Ticket};
use crate::lease::{Missing, Permitted, Wait};
use crate::load::Job;
use crate::look::{Content, Known, Look};
use crate::negative::is_negative;
use crate::shared::Shared;

impl Engine {
    /// Completes every leader: from the shared tier, by waiting for another process, or by a load.
    pub(crate) async fn load_shared(
        self: &Arc<Self>,
        shared: &Shared,
        leaders: Vec<Leader>,
        job: Job,
    ) {
        let until = self.runtime.now().after(self.timing.load_deadline);
        self.look_and_load(shared, leaders, job, Wait::until(until)).await;
    }

    pub(crate) async fn look_and_load(
        self: &Arc<Self>,
        shared: &Shared,
        leaders: Vec<Leader>,
        job: Job,
        wait: Wait,
    ) {
        let (mut missing, mut permitted) = (Vec::new(), Vec::new());
        let keys: Vec<Key> = leaders.iter().map(|leader| leader.key.clone()).collect();
        for (leader, look) in leaders.into_iter().zip(self.look(shared, &keys).await) {
            self.sort_out(leader, look, &job, &mut missing, &mut permitted);
        }
        loop {
            let room = job.at_once.get() - permitted.len().min(job.at_once.get());
            let later = missing.split_off(missing.len().min(room));
            self.lease(shared, missing, &job, wait, &mut permitted).await;
            missing = later;
            let later = permitted.split_off(permitted.len().min(job.at_once.get()));
            if !permitted.is_empty() {
                let behind = later.iter().map(|one| &one.leader);
                let behind = behind.chain(missing.iter().map(|one| &one.leader));
                let behind = behind.map(|leader| leader.key.clone()).collect();
                self.load_permitted(shared, permitted, behind, &job).await;
            }
            permitted = later;
            if missing.is_empty() && permitted.is_empty() {
                return;
            }
        }
    }

    /// Completes a flight of which the shared tier has something fresh; what must not be stored is
    /// permitted without a place, the rest is missing.
    fn sort_out(
        &self,
        leader: Leader,
        look: Look,
        job: &Job,
        missing: &mut Vec<Missing>,
        permitted: &mut Vec<Permitted>,
    ) {
        let Look { known, ticket } = look;
        let Known::Read { content, seen, markers } = known else {
            permitted.push(Permitted { leader, place: None, prior: None });
            return;
        };
        let (prior, leader) = match content {
            Content::Fresh(entry) if is_negative(&entry) => {
                self.copy(&leader.key, &entry, &ticket);
                leader.complete_from(ServedFrom::Shared, entry);
                return;
            }
            Content::Fresh(entry) => match (job.typed)(entry) {
                Some(entry) => match self.served(leader, entry, &ticket, job) {
                    Some((leader, entry)) => (Some(entry), leader),
                    None => return,
                },
                // Somebody stored another type: nothing for this caller.
                None => (None, leader),
            },
            Content::Stale(entry) => ((job.typed)(entry), leader),
            Content::Lapsed(entry) => (Some(entry), leader),
            Content::Nothing => (None, leader),
        };
        // A fallback of an earlier look may have been removed since.
        leader.offer(prior.clone().filter(|prior| !is_negative(prior)));
        missing.push(Missing { leader, seen, markers, prior });
    }

    /// Completes a flight with a fresh entry; past its early point it is loaded in the background
    /// by a flight of its own.
    fn served(
        &self,
        leader: Leader,
        mut entry: LocalEntry,
        ticket: &Ticket,
        job: &Job,
    ) -> Option<(Leader, LocalEntry)> {
        let key = leader.key.clone();
        let now = self.runtime.now();
        entry.deadlines.early = job.policy.early(entry.deadlines.loaded, entry.deadlines.soft);
        let is_early = now >= entry.deadlines.early;
        self.copy(&key, &entry, ticket);
        if !is_early {
            self.note_refresh(&leader, RefreshResult::Shared);
        }
        leader.complete_from(ServedFrom::Shared, entry.clone());
        // What was read may be outdated by now: then it is nothing to fall back on.
        match is_early.then(|| self.flights.join_unchanged(&key, *ticket, now)) {
            Some(Some(Joined::Lead(mut leader))) => {
                leader.is_refresh = true;
                Some((leader, entry))
            }
            _ => None,
        }
    }

    async fn load_permitted(
        &self,
        shared: &Shared,
        permitted: Vec<Permitted>,
        behind: Vec<Key>,
        job: &Job,
    ) {
        let keys: Vec<Key> = permitted.iter().map(|one| one.leader.key.clone()).collect();
        let priors: Vec<_> = permitted.iter().map(|one| one.prior.clone()).collect();
        let answers = self.ask(&keys, behind, &priors, job, self.renew(shared, &permitted)).await;
        self.fill(shared, permitted, answers).await;
    }
}
