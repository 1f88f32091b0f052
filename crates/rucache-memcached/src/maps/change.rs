//! One change of one bucket: read, changed, written if nobody else has written it meanwhile.

use rucache_core::{MapEntry, Timestamp, Ttl};

use super::bucket::Bucket;
use super::count;
use crate::client::{Command, Item, Name, When};
use crate::error::{Refusal, Trouble};
use crate::exptime::Exptime;
use crate::rounds::{Next, Replies, Step};

/// What happens to a bucket. Its expired members go whenever it is written.
pub(super) enum Change {
    /// Members come.
    Put(Vec<MapEntry>),
    /// Members go.
    Remove(Vec<String>),
    /// Nothing else.
    Purge,
}

/// A change on its way.
pub(super) struct Changing {
    name: Name,
    change: Change,
    now: Timestamp,
    wall: Timestamp,
    max: usize,
    /// The write that follows from what was read, and what the change has done by it.
    write: Option<(Command, u64)>,
}

impl Changing {
    pub(super) const fn new(
        name: Name,
        change: Change,
        now: Timestamp,
        wall: Timestamp,
        max: usize,
    ) -> Self {
        Self { name, change, now, wall, max, write: None }
    }

    /// The write that makes the change of what was read; `None` where there is nothing to write.
    fn write_over(&self, item: Option<&Item>) -> (u64, Option<Result<Command, Refusal>>) {
        let mut bucket = item.map(|item| Bucket::decode(&item.value)).unwrap_or_default();
        let purged = bucket.purge(self.now);
        let done = match &self.change {
            Change::Put(entries) => entries.iter().filter(|entry| bucket.put(entry)).count(),
            Change::Remove(members) => members.iter().filter(|name| bucket.remove(name)).count(),
            Change::Purge => purged,
        };
        let is_put = matches!(&self.change, Change::Put(entries) if !entries.is_empty());
        // What was put in may have expired already.
        bucket.purge(self.now);
        let name = self.name.clone();
        let command = match item {
            _ if done + purged == 0 && !is_put => None,
            None if bucket.is_empty() => None,
            Some(item) if bucket.is_empty() => {
                Some(Ok(Command::Delete { name, cas: Some(item.cas) }))
            }
            item => {
                let (value, max) = (bucket.encode(), self.max);
                let left = bucket.last_expiry().since(self.now);
                let life = Ttl::try_from(left).unwrap_or(Ttl::MIN);
                let life = Exptime::of(life, self.wall);
                let when = item.map_or(When::Absent, |item| When::Cas(item.cas));
                Some(if value.len() > max {
                    Err(Refusal::MapFull { max })
                } else {
                    Ok(Command::Store { name, value, flags: 0, life, when })
                })
            }
        };
        (count(done), command)
    }
}

impl Step for Changing {
    type Output = Result<u64, Refusal>;

    fn commands(&self) -> Vec<Command> {
        match &self.write {
            None => vec![Command::read(self.name.clone())],
            Some((write, _)) => vec![write.clone()],
        }
    }

    fn next(self, mut answers: Replies) -> Result<Next<Self>, Trouble> {
        let Some((_, done)) = self.write else {
            let item = answers.item()?;
            return Ok(match self.write_over(item.as_ref()) {
                (done, None) => Next::Done(Ok(done)),
                (done, Some(Ok(write))) => Next::Then(Self { write: Some((write, done)), ..self }),
                (_, Some(Err(refusal))) => Next::Done(Err(refusal)),
            });
        };
        Ok(match (answers.changed()?.is_done(), &self.change) {
            (true, _) => Next::Done(Ok(done)),
            // Whoever changed it meanwhile has purged it as well.
            (false, Change::Purge) => Next::Done(Ok(0)),
            (false, _) => Next::Then(Self { write: None, ..self }),
        })
    }
}
