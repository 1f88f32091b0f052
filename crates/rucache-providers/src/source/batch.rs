//! Answers for several numbers: in one collection, in its halves when it fails, singly where it is
//! silent.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use rucache_ruc::{Answer, Cause, Coverage, Ruc, Unavailable};

use super::call::{Caller, Terms};
use crate::api::Api;
use crate::fault::{Trouble, Verdict};

/// How often one batch may be halved: enough to isolate one number among a hundred, twice.
const MOST_SPLITS: u32 = 16;

/// Asks an API, and makes answers of what it says.
pub(crate) struct Asker {
    pub(crate) api: Box<dyn Api>,
    pub(crate) caller: Caller,
    pub(crate) coverage: Coverage,
    /// How many numbers that a collection passes over are asked for singly.
    pub(crate) confirm: usize,
}

impl Asker {
    /// One answer for each of `rucs`, which are different, in their order.
    pub(crate) async fn answers(&self, rucs: &[Ruc], terms: &Terms<'_>) -> Vec<Answer> {
        let mut known = HashMap::new();
        let mut silent = Vec::new();
        let mut open = vec![rucs];
        let mut splits = 0;
        while let Some(part) = open.pop() {
            if let [ruc] = part {
                known.insert(*ruc, self.single(*ruc, terms).await);
                continue;
            }
            match self.collection(part, terms).await {
                Ok(Some(records)) => {
                    known.extend(records);
                    silent.extend(part.iter().copied().filter(|ruc| !known.contains_key(ruc)));
                }
                // That none of them exists is not what a collection can say.
                Ok(None) => silent.extend(part),
                Err(trouble)
                    if trouble.fault.splits()
                        && splits < MOST_SPLITS
                        && self.caller.has_time(terms) =>
                {
                    splits += 1;
                    let (left, right) = part.split_at(part.len() / 2);
                    open.extend([right, left]);
                }
                Err(trouble) => known.extend(part.iter().map(|ruc| (*ruc, unanswered(trouble)))),
            }
        }
        self.confirm(&silent, terms, &mut known).await;
        let answer = |ruc| known.get(ruc).cloned();
        rucs.iter().map(|ruc| answer(ruc).unwrap_or_else(passed_over)).collect()
    }

    /// Asks singly for the first of those about which a collection was silent: only the single
    /// look-up says that a number does not exist.
    async fn confirm(&self, silent: &[Ruc], terms: &Terms<'_>, known: &mut HashMap<Ruc, Answer>) {
        let asked = silent.get(..self.confirm.min(silent.len())).unwrap_or_default();
        let answers = join_all(asked.iter().map(|ruc| self.single(*ruc, terms))).await;
        known.extend(asked.iter().copied().zip(answers));
    }

    async fn single(&self, ruc: Ruc, terms: &Terms<'_>) -> Answer {
        let request = || Some(self.api.single(ruc));
        let read = |response: &_| self.api.read_single(ruc, response);
        match self.caller.ask(terms, request, read).await {
            Ok(Some(record)) => Answer::found(record),
            Ok(None) => self.coverage.silence(ruc),
            Err(trouble) => unanswered(trouble),
        }
    }

    async fn collection(&self, rucs: &[Ruc], terms: &Terms<'_>) -> Verdict<Vec<(Ruc, Answer)>> {
        let request = || self.api.collection(rucs);
        let read = |response: &_| self.api.read_collection(rucs, response);
        let records = self.caller.ask(terms, request, read).await?;
        let answer = |record: rucache_ruc::Taxpayer| {
            let ruc = record.ruc();
            (ruc, Answer::Found { record: Arc::new(record), as_of: None, source: None })
        };
        Ok(records.map(|records| records.into_iter().map(answer).collect()))
    }
}

fn unanswered(trouble: Trouble) -> Answer {
    Answer::Unavailable(trouble.into())
}

fn passed_over() -> Answer {
    Answer::Unavailable(Unavailable::new(Cause::Failed))
}
