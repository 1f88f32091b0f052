//! The connections to one node. The only module that knows the crate `memcache`, whose client is
//! marked experimental.
//!
//! Of the crate the asynchronous meta-protocol client alone is used. The classic one returns other
//! keys' values after a read timeout, takes commands out of keys, and blocks.

mod command;
mod trouble;

use std::io;
use std::time::Duration;

use crate::error::Trouble;
use bytes::Bytes;
use memcache::exp::{
    Arithmetic, ArithmeticResult, AsyncMetaClient, Delete, Get, GetResult, GetStatus, LeaseState,
    Meta, MutationResult, MutationStatus, Op, OpResult, Set, ValueState,
};

pub(crate) use command::{Answer, Changed, Command, Counting, Effect, Item, Name, When};
use trouble::{one_by_one, trouble};

/// What a line has besides its name and value, in bytes, rounded up.
const LINE_LEN: usize = 40;

/// Longest request for values that is sent in one piece, in bytes: about 1,000 usual names, one round
/// trip. The crate reads no answer before all of a request is sent; where neither fits the sockets'
/// buffers, server and client wait for each other.
const MAX_NAMES_LEN: usize = 64 * 1024;

/// Longest request of anything else, in bytes. Its answers are short, a line each.
const MAX_COMMANDS_LEN: usize = 4 * 1024 * 1024;

/// A pool of connections to one node; clones share it.
///
/// A call that is dropped takes its connection with it: its answer, late, meets nobody.
#[derive(Clone)]
pub(crate) struct Client(AsyncMetaClient);

impl Client {
    /// Resolves `address`. Connections are made when they are needed.
    pub(crate) async fn resolve(
        address: &str,
        connect_timeout: Duration,
        max_connections: usize,
    ) -> Result<Self, Trouble> {
        // Neither bound is kept by default: uncapped, half of 10,000 concurrent calls failed.
        let builder = AsyncMetaClient::builder()
            .max_connections(Some(max_connections.max(1)))
            .max_idle(max_connections)
            .connect_timeout(Some(connect_timeout))
            // The deadline is ours, and covers more than the exchange.
            .io_timeout(None);
        builder.connect_async(address).await.map(Self).map_err(|error| match trouble(&error) {
            // What the crate makes of a name without an address.
            Trouble::Unsendable => Trouble::Unreachable(io::ErrorKind::NotFound),
            trouble => trouble,
        })
    }

    /// A sign of life, `mn`.
    pub(crate) async fn ping(&self) -> Result<(), Trouble> {
        self.0.noop().await.map_err(|error| trouble(&error))
    }

    /// What stands under each of `names`.
    pub(crate) async fn read(&self, names: &[Name]) -> Vec<Result<Option<Item>, Trouble>> {
        let look = |name: &Name| Get::new(name.as_bytes()).meta(Meta::NONE.cas());
        let mut found = Vec::with_capacity(names.len());
        for names in pieces(names, MAX_NAMES_LEN, |name| name.len() + LINE_LEN) {
            found.extend(match self.0.run_many(names.iter().map(look)).await {
                Ok(results) => one_by_one(results, item),
                Err(error) => vec![Err(trouble(&error)); names.len()],
            });
        }
        found
    }

    /// Carries out `commands` in their order.
    pub(crate) async fn run(&self, commands: &[Command]) -> Vec<Result<Answer, Trouble>> {
        let mut answers = Vec::with_capacity(commands.len());
        for commands in pieces(commands, MAX_COMMANDS_LEN, |command| command.weight()) {
            answers.extend(match self.0.run_batch(commands.iter().map(operation)).await {
                Ok(results) => one_by_one(results, answer),
                Err(error) => vec![Err(trouble(&error)); commands.len()],
            });
        }
        for (command, answer) in commands.iter().zip(&mut answers) {
            if matches!(command, Command::Store { .. })
                && matches!(answer, Ok(Answer::Changed(Changed::Done { cas: None })))
            {
                // The new state is always asked for: this is the answer to something else.
                *answer = Err(Trouble::Garbled);
            }
        }
        answers
    }
}

/// `items` in pieces of at most this weight, in order; what is heavier stands alone.
fn pieces<T>(items: &[T], max: usize, weight: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let mut sum = 0;
        let fits = |item: &&T| {
            sum += weight(item);
            sum <= max
        };
        let count = rest.iter().take_while(fits).count().max(1).min(rest.len());
        let (piece, tail) = rest.split_at(count);
        rest = tail;
        (!piece.is_empty()).then_some(piece)
    })
}

fn operation(command: &Command) -> Op {
    match command {
        Command::Look { name, value, effect } => {
            let get = Get::new(name.as_bytes()).meta(Meta::NONE.cas().ttl());
            let get = if *value { get } else { get.without_value() };
            match effect {
                Effect::None => get,
                Effect::Lease(life) => get.lease_ttl(life.as_wire_with_end()),
                Effect::Touch(life) => get.touch_raw(life.as_wire()),
            }
            .into()
        }
        Command::Store { name, value, flags, life, when } => {
            let set = Set::new(name.as_bytes(), value).client_flags(*flags);
            let set = set.ttl_raw(life.as_wire()).return_cas();
            match when {
                When::Always => set,
                When::Absent => set.add(),
                When::Cas(cas) => set.compare_cas(*cas),
            }
            .into()
        }
        Command::Delete { name, cas } => {
            let delete = Delete::new(name.as_bytes());
            match cas {
                None => delete,
                Some(cas) => delete.compare_cas(*cas),
            }
            .into()
        }
        Command::Expire { name } => Delete::new(name.as_bytes()).invalidate().into(),
        Command::Count { name, counting } => {
            let count = Arithmetic::new(name.as_bytes());
            match *counting {
                Counting::Marker { delta, seed } => {
                    // The crate refuses to create without an end; the end is taken away at once.
                    count.delta(delta).initial(seed, 1).ttl_raw(0)
                }
                Counting::Up { delta, life } => {
                    count.delta(delta).initial(delta, life.as_wire_with_end())
                }
                Counting::Down { delta } => count.delta(delta).decrement(),
            }
            .into()
        }
    }
}

fn answer(result: OpResult) -> Result<Answer, Trouble> {
    match result {
        OpResult::Get(result) => item(result).map(Answer::Item),
        OpResult::Mutation(MutationResult { status, cas, .. }) => changed(status, cas),
        OpResult::Arithmetic(ArithmeticResult { status, value, .. }) => match (status, value) {
            (MutationStatus::Applied, Some(number)) => Ok(Answer::Number(Some(number))),
            (MutationStatus::NotFound, _) => Ok(Answer::Number(None)),
            _ => Err(Trouble::Garbled),
        },
        _ => Err(Trouble::Garbled),
    }
}

fn changed(status: MutationStatus, cas: Option<u64>) -> Result<Answer, Trouble> {
    Ok(Answer::Changed(match status {
        MutationStatus::Applied => Changed::Done { cas },
        MutationStatus::NotFound => Changed::Missing,
        MutationStatus::AlreadyExists | MutationStatus::CasMismatch => Changed::Other,
        _ => return Err(Trouble::Garbled),
    }))
}

/// The client calls an empty value with a lease a miss or pending; what it is, its flags say.
///
/// Flags and state are always asked for: an answer without them belongs to something else. The crate
/// numbers the commands of each batch from zero, so that it cannot tell a stray answer by itself.
fn item(result: GetResult) -> Result<Option<Item>, Trouble> {
    match (result.status, result.client_flags, result.item.cas) {
        (GetStatus::Miss, None, None) => Ok(None),
        (_, Some(flags), Some(cas)) => Ok(Some(Item {
            value: result.value.map(Bytes::from).unwrap_or_default(),
            flags,
            cas,
            left: result.item.ttl,
            stale: result.value_state == ValueState::Stale,
            leased: result.lease_state != LeaseState::None,
            won: result.lease_state == LeaseState::Granted,
        })),
        _ => Err(Trouble::Garbled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_keep_to_the_weight_and_the_order() {
        let cut = |items: &[usize]| {
            pieces(items, 10, |item| *item).map(<[usize]>::to_vec).collect::<Vec<_>>()
        };
        assert_eq!(cut(&[]), Vec::<Vec<usize>>::new());
        assert_eq!(cut(&[5, 5]), [[5, 5]]);
        assert_eq!(cut(&[5, 6, 4, 1]), [vec![5], vec![6, 4], vec![1]]);
        assert_eq!(cut(&[11, 1, 99]), [vec![11], vec![1], vec![99]]);
    }
}
