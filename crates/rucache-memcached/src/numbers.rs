//! Counters and markers: numbers that grow.

use std::collections::HashMap;

use rucache_core::{Answers, Key, Marker, MarkerRef, MarkerVersion, Operation, Ttl};

use crate::client::{Command, Counting, Name};
use crate::error::{Refusal, Trouble};
use crate::exptime::Exptime;
use crate::pool::Pool;
use crate::rounds::{Next, Replies, Step, Task};

/// What no counter passes, 2^63 - 1.
const LIMIT: u64 = u64::MAX >> 1;

impl Pool {
    pub(crate) async fn add(&self, additions: &[(Key, u64)], ttl: Ttl) -> Answers<u64> {
        let life = Exptime::of(ttl, self.clock.wall());
        let task = |(key, delta): &(Key, u64)| {
            let (name, delta) = (self.counter(key), *delta);
            if delta > LIMIT {
                return Err(Refusal::CounterFull.during(Operation::Add));
            }
            let (node, subject) = (self.node_of(&name), name.clone());
            let step = Adding { name, delta, life, passed: false };
            Ok(Task { node, subject, step })
        };
        let tasks = additions.iter().map(task).collect();
        let sums = self.drive_some(tasks, self.limit(), Operation::Add).await;
        let full = || Refusal::CounterFull.during(Operation::Add);
        sums.into_iter().map(|sum| sum?.ok_or_else(full)).collect()
    }

    pub(crate) async fn markers(
        &self,
        at: &[MarkerRef],
        seed: MarkerVersion,
    ) -> Answers<MarkerVersion> {
        let mut places = HashMap::new();
        let mut tasks = Vec::new();
        let mut place = |at: &MarkerRef| {
            let (node, name) = (self.node_of(&self.entry(&at.near)), self.marker(&at.marker));
            *places.entry((node, name.clone())).or_insert_with(|| {
                let step = Reading { name: name.clone(), seed, missing: false };
                tasks.push(Task { node, subject: name, step });
                tasks.len() - 1
            })
        };
        let places: Vec<_> = at.iter().map(&mut place).collect();
        let found = self.drive(tasks, self.limit(), Operation::Markers).await;
        places.into_iter().filter_map(|place| found.get(place).cloned()).collect()
    }

    pub(crate) async fn bump(&self, markers: &[Marker], seed: MarkerVersion) -> Answers<()> {
        let tasks = (0..self.nodes.len()).flat_map(|node| {
            markers.iter().map(move |marker| {
                let name = self.marker(marker);
                Task { node, subject: name.clone(), step: Bumping { name, seed } }
            })
        });
        let bumped = self.drive(tasks.collect(), self.limit(), Operation::Bump).await;
        let mut answers = vec![Ok(()); markers.len()];
        for (at, copy) in bumped.into_iter().enumerate() {
            // The first copy that failed speaks for all.
            if let (Err(error), Some(answer @ Ok(()))) =
                (copy, answers.get_mut(at % markers.len().max(1)))
            {
                *answer = Err(error);
            }
        }
        answers
    }
}

/// The number that memcached keeps as text.
pub(crate) fn parse_number(text: &[u8]) -> Result<u64, Trouble> {
    // Counting down leaves blanks behind where the number loses a digit.
    let text = std::str::from_utf8(text).map(str::trim_ascii_end);
    text.ok().and_then(|text| text.parse().ok()).ok_or(Trouble::NotANumber)
}

/// An addition; it comes to nothing where the counter would pass its limit.
struct Adding {
    name: Name,
    delta: u64,
    life: Exptime,
    /// Whether the limit was passed, and what was added is to be taken back.
    passed: bool,
}

impl Step for Adding {
    type Output = Option<u64>;

    fn commands(&self) -> Vec<Command> {
        let (name, delta) = (self.name.clone(), self.delta);
        let counting = if self.passed {
            Counting::Down { delta }
        } else {
            Counting::Up { delta, life: self.life }
        };
        vec![Command::Count { name, counting }]
    }

    fn next(self, mut answers: Replies) -> Result<Next<Self>, Trouble> {
        let sum = answers.number()?;
        Ok(match sum {
            _ if self.passed => Next::Done(None),
            Some(sum) if sum <= LIMIT => Next::Done(Some(sum)),
            Some(_) => Next::Then(Self { passed: true, ..self }),
            None => return Err(Trouble::Garbled),
        })
    }
}

/// The reading of a marker, which is created where it is missing.
struct Reading {
    name: Name,
    seed: MarkerVersion,
    missing: bool,
}

impl Step for Reading {
    type Output = MarkerVersion;

    fn commands(&self) -> Vec<Command> {
        let (name, seed) = (self.name.clone(), self.seed.as_raw());
        if self.missing {
            // Adds nothing to what another has created meanwhile.
            vec![Command::Count { name, counting: Counting::Marker { delta: 0, seed } }]
        } else {
            vec![Command::read(name)]
        }
    }

    fn next(self, mut answers: Replies) -> Result<Next<Self>, Trouble> {
        let found = if self.missing {
            Some(answers.number()?.ok_or(Trouble::Garbled)?)
        } else {
            answers.item()?.map(|item| parse_number(&item.value)).transpose()?
        };
        Ok(match found {
            Some(number) => Next::Done(MarkerVersion::from_raw(number)),
            None => Next::Then(Self { missing: true, ..self }),
        })
    }
}

/// The bump of one copy of a marker.
struct Bumping {
    name: Name,
    seed: MarkerVersion,
}

impl Step for Bumping {
    type Output = ();

    fn commands(&self) -> Vec<Command> {
        let counting = Counting::Marker { delta: 1, seed: self.seed.as_raw() };
        vec![Command::Count { name: self.name.clone(), counting }]
    }

    fn next(self, mut answers: Replies) -> Result<Next<Self>, Trouble> {
        answers.number()?.map(|_| Next::Done(())).ok_or(Trouble::Garbled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal_with_blanks_behind() {
        assert_eq!(parse_number(b"1884390400000000000"), Ok(1_884_390_400_000_000_000));
        assert_eq!(parse_number(b"9 "), Ok(9));
        for text in [&b""[..], b"-1", b"1.5", b"a", b"\xff", b"18446744073709551616"] {
            assert_eq!(parse_number(text), Err(Trouble::NotANumber), "{text:?}");
        }
    }
}
