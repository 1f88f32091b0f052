//! Entries: read, written, deleted, expired.

mod write;

use std::mem;
use std::sync::Arc;

use futures_util::future::join_all;
use rucache_core::{
    Answers, Companions, Fetched, Key, Marker, MarkerVersion, Operation, Stored, Version, Write,
    WriteOutcome,
};

use crate::client::{Command, Item, Name};
use crate::error::{Refusal, Trouble};
use crate::node::Node;
use crate::numbers::parse_number;
use crate::pool::Pool;
use crate::rounds::{Next, Replies, Step, Task};
use crate::slot::{Standing, is_entry};

use write::Writing;

impl Pool {
    pub(crate) async fn get(&self, keys: &[Key], companions: Companions) -> Answers<Fetched> {
        let limit = self.limit();
        let mut reads: Vec<Names> = self.nodes.iter().map(|_| Names::default()).collect();
        let places: Vec<_> = keys
            .iter()
            .map(|key| {
                let entry = self.entry(key);
                let node = self.node_of(&entry);
                let names = &mut reads[node];
                let entry = names.push(entry);
                let markers =
                    (companions == Companions::Markers).then(|| names.markers_of(self, key));
                (node, entry, markers)
            })
            .collect();
        let read = |(node, names): (&Arc<Node>, Names)| {
            let node = node.clone();
            async move {
                if names.list.is_empty() {
                    Vec::new()
                } else {
                    node.read(names.list, limit.whole).await
                }
            }
        };
        let mut found = join_all(self.nodes.iter().zip(reads).map(read)).await;
        let mut fetched = |node: usize, entry: usize, markers: Option<(usize, usize)>| {
            let found = &mut found[node];
            // An entry has one reader; a marker has many.
            let entry = found.get_mut(entry).map(|it| mem::replace(it, Err(Trouble::Garbled)));
            let entry = stored(entry.unwrap_or(Err(Trouble::Garbled))?)?;
            let mut fetched = Fetched { entry, ..Fetched::default() };
            if let Some((root, service)) = markers {
                fetched.root = marker(found.get(root))?;
                fetched.service = marker(found.get(service))?;
            }
            Ok(fetched)
        };
        let answer = |(node, entry, markers)| {
            fetched(node, entry, markers)
                .map_err(|trouble| self.error(node, trouble, Operation::Get))
        };
        places.into_iter().map(answer).collect()
    }

    pub(crate) async fn write(&self, writes: &[Write]) -> Answers<WriteOutcome> {
        let (now, max) = (self.clock.wall(), self.config.max_value_len());
        let task = |write: &Write| self.at_home(&write.key, Writing::new(self, write, now, max));
        let tasks = writes.iter().map(task).collect();
        let outcomes = self.drive(tasks, self.limit(), Operation::Write).await;
        let answer = |(outcome, write): (_, &Write)| match outcome {
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) => {
                let len = write.value.len();
                Err(Refusal::ValueLen { len, max }.during(Operation::Write))
            }
            Err(error) => Err(error),
        };
        outcomes.into_iter().zip(writes).map(answer).collect()
    }

    pub(crate) async fn delete(&self, keys: &[Key]) -> Answers<bool> {
        let remove = |name| Command::Delete { name, cas: None };
        let tasks = keys.iter().map(|key| self.ending(key, remove)).collect();
        self.drive(tasks, self.limit(), Operation::Delete).await
    }

    pub(crate) async fn expire(&self, keys: &[Key]) -> Answers<bool> {
        let expire = |name| Command::Expire { name };
        let tasks = keys.iter().map(|key| self.ending(key, expire)).collect();
        self.drive(tasks, self.limit(), Operation::Expire).await
    }

    /// A step at the node of an entry, in turn with others of the same entry.
    pub(crate) fn at_home<S>(&self, key: &Key, step: S) -> Task<S> {
        let subject = self.entry(key);
        Task { node: self.node_of(&subject), subject, step }
    }

    fn ending(&self, key: &Key, end: impl Fn(Name) -> Command) -> Task<Ending> {
        let name = self.entry(key);
        self.at_home(key, Ending { look: Command::look(name.clone()), end: end(name) })
    }
}

/// The names to be read from one node. A marker stands once, however many entries it decides about.
#[derive(Default)]
struct Names<'k> {
    list: Vec<Name>,
    root: Option<usize>,
    services: Vec<(&'k str, usize)>,
}

impl<'k> Names<'k> {
    fn push(&mut self, name: Name) -> usize {
        self.list.push(name);
        self.list.len() - 1
    }

    /// The places of the root's marker and of the marker of the service of `key`.
    fn markers_of(&mut self, pool: &Pool, key: &'k Key) -> (usize, usize) {
        let root = self.root.unwrap_or_else(|| self.push(pool.marker(&Marker::Root)));
        self.root = Some(root);
        let service = key.service();
        let known = self.services.iter().find(|(name, _)| *name == service);
        if let Some((_, place)) = known {
            return (root, *place);
        }
        let place = self.push(pool.marker(&Marker::Service(key.service_name())));
        self.services.push((service, place));
        (root, place)
    }
}

/// The entry in what was read.
fn stored(item: Option<Item>) -> Result<Option<Stored>, Trouble> {
    match (Standing::of(item.as_ref()), item) {
        (Standing::Entry { cas }, Some(item)) => Ok(Some(Stored {
            value: item.value,
            version: Version::from_raw(cas),
            stale: item.stale,
        })),
        (Standing::Foreign { .. }, _) => Err(Trouble::Foreign),
        _ => Ok(None),
    }
}

fn marker(found: Option<&Result<Option<Item>, Trouble>>) -> Result<Option<MarkerVersion>, Trouble> {
    match found {
        Some(Ok(Some(item))) => parse_number(&item.value).map(MarkerVersion::from_raw).map(Some),
        Some(Ok(None)) => Ok(None),
        Some(Err(trouble)) => Err(*trouble),
        None => Err(Trouble::Garbled),
    }
}

/// The end of an entry, or of its freshness, which ends its lease as well.
struct Ending {
    look: Command,
    end: Command,
}

impl Step for Ending {
    type Output = bool;

    fn commands(&self) -> Vec<Command> {
        vec![self.look.clone(), self.end.clone()]
    }

    fn next(self, mut answers: Replies) -> Result<Next<Self>, Trouble> {
        let was_entry = is_entry(answers.item()?.as_ref());
        Ok(Next::Done(was_entry && answers.changed()?.is_done()))
    }
}
