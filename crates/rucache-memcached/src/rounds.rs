//! Rounds of commands: every pending step asks once a round, all nodes at the same time.

use std::collections::HashSet;
use std::sync::Arc;
use std::vec::IntoIter;

use futures_util::future::join_all;
use rucache_core::{Answers, Error, Operation};
use tokio::time::Instant;

use crate::client::{Answer, Changed, Command, Item, Name};
use crate::error::Trouble;
use crate::node::Node;
use crate::pool::{Limit, Pool};

/// One change of one thing, which may take several rounds.
pub(crate) trait Step: Sized + Send {
    /// What it comes to.
    type Output: Send;

    /// The commands of its next round, sent in their order and answered together.
    fn commands(&self) -> Vec<Command>;

    /// What follows from their answers.
    ///
    /// # Errors
    ///
    /// What ends it.
    fn next(self, answers: Replies) -> Result<Next<Self>, Trouble>;
}

/// Where a step is after a round.
pub(crate) enum Next<S: Step> {
    /// At its end.
    Done(S::Output),
    /// Before another round.
    Then(S),
}

/// A step and where it is taken.
pub(crate) struct Task<S> {
    /// The index of the node.
    pub(crate) node: usize,
    /// What it changes there: steps with one subject follow each other in their order.
    pub(crate) subject: Name,
    /// The step itself.
    pub(crate) step: S,
}

/// Tasks that are not at their end, by their place among the answers.
type Pending<S> = Vec<(usize, Task<S>)>;

impl Pool {
    /// Takes steps to their ends.
    pub(crate) async fn drive<S: Step>(
        &self,
        tasks: Vec<Task<S>>,
        limit: Limit,
        operation: Operation,
    ) -> Answers<S::Output> {
        let mut answers: Vec<_> = tasks.iter().map(|_| None).collect();
        let mut pending: Vec<_> = tasks.into_iter().enumerate().collect();
        while !pending.is_empty() {
            let (round, waiting) = first_of_each_subject(pending);
            let groups = round.iter().map(|(_, task)| (task.node, task.step.commands())).collect();
            let replies = self.round(groups, limit.next()).await;
            pending = Vec::new();
            for ((at, Task { node, subject, step }), replies) in round.into_iter().zip(replies) {
                match replies.and_then(|replies| step.next(Replies(replies.into_iter()))) {
                    Ok(Next::Done(output)) => answers[at] = Some(Ok(output)),
                    Ok(Next::Then(_)) if limit.is_over() => {
                        answers[at] = Some(Err(self.error(node, Trouble::Deadline, operation)));
                    }
                    Ok(Next::Then(step)) => pending.push((at, Task { node, subject, step })),
                    Err(trouble) => answers[at] = Some(Err(self.error(node, trouble, operation))),
                }
            }
            pending.extend(waiting);
            pending.sort_unstable_by_key(|(at, _)| *at);
        }
        answers.into_iter().flatten().collect()
    }

    /// The same for tasks of which some are refused before anything is sent.
    pub(crate) async fn drive_some<S: Step>(
        &self,
        tasks: Vec<Result<Task<S>, Error>>,
        limit: Limit,
        operation: Operation,
    ) -> Answers<S::Output> {
        let mut good = Vec::new();
        let kept = |task| match task {
            Ok(task) => {
                good.push(task);
                None
            }
            Err(refused) => Some(Err(refused)),
        };
        let refused: Vec<_> = tasks.into_iter().map(kept).collect();
        let mut answers = self.drive(good, limit, operation).await.into_iter();
        refused.into_iter().filter_map(|refused| refused.or_else(|| answers.next())).collect()
    }

    /// Sends each node its groups in one round trip. A group is answered whole, or by the trouble of
    /// its first command that failed.
    async fn round(
        &self,
        groups: Vec<(usize, Vec<Command>)>,
        deadline: Instant,
    ) -> Vec<Result<Vec<Answer>, Trouble>> {
        let asked: Vec<_> = groups.iter().map(|(node, group)| (*node, group.len())).collect();
        let mut batches: Vec<Vec<Command>> = vec![Vec::new(); self.nodes.len()];
        for (node, group) in groups {
            batches[node].extend(group);
        }
        let run = |(node, batch): (&Arc<Node>, Vec<Command>)| {
            let node = node.clone();
            async move { if batch.is_empty() { Vec::new() } else { node.run(&batch, deadline).await } }
        };
        let answers = join_all(self.nodes.iter().zip(batches).map(run)).await;
        let mut answers: Vec<_> = answers.into_iter().map(Vec::into_iter).collect();
        let group = |(node, len): (usize, usize)| {
            // All of a group first: an error in the middle must not leave its rest to the next.
            let group: Vec<_> = answers[node].by_ref().take(len).collect();
            group.into_iter().collect()
        };
        asked.into_iter().map(group).collect()
    }
}

/// The tasks of the next round, and those that wait for one of them.
fn first_of_each_subject<S>(pending: Pending<S>) -> (Pending<S>, Pending<S>) {
    if pending.len() == 1 {
        return (pending, Vec::new());
    }
    let mut subjects = HashSet::new();
    pending.into_iter().partition(|(_, task)| subjects.insert((task.node, task.subject.clone())))
}

/// The answers to the commands of one step, in their order.
pub(crate) struct Replies(IntoIter<Answer>);

impl Replies {
    /// The next one, which is to a look.
    pub(crate) fn item(&mut self) -> Result<Option<Item>, Trouble> {
        match self.0.next() {
            Some(Answer::Item(item)) => Ok(item),
            _ => Err(Trouble::Garbled),
        }
    }

    /// The next one, which is to a store, a delete or an expire.
    pub(crate) fn changed(&mut self) -> Result<Changed, Trouble> {
        match self.0.next() {
            Some(Answer::Changed(changed)) => Ok(changed),
            _ => Err(Trouble::Garbled),
        }
    }

    /// The next one, which is to a count.
    pub(crate) fn number(&mut self) -> Result<Option<u64>, Trouble> {
        match self.0.next() {
            Some(Answer::Number(number)) => Ok(number),
            _ => Err(Trouble::Garbled),
        }
    }
}
