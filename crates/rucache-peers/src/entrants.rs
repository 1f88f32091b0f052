//! The caches that take part, each used as its documentation recommends.

mod amalgam;
mod by_hand;
mod cached;
mod hitbox;
mod moka;
mod multi_tier;
mod quick;
mod rucache;

use std::time::Duration;

use crate::Entrant;

/// For how long values are good, where a cache can be told; longer than any run.
const TTL: Duration = Duration::from_secs(3_600);

/// How many values a cache may hold; more than any race stores.
const CAPACITY: usize = 10_000;

/// All caches, in the order of the table; the first is ours.
pub const ENTRANTS: &[Entrant] = &[
    rucache::ENTRANT,
    amalgam::ENTRANT,
    hitbox::ENTRANT,
    multi_tier::ENTRANT,
    cached::ENTRANT,
    quick::ENTRANT,
    moka::ENTRANT,
    by_hand::ENTRANT,
];
