//! A fleet at work in all kinds of trouble: no promise is broken.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rucache_testkit::{Fleet, Parent, wait_until};

use crate::chaos::Stage;
use crate::member::{self, RESTED, SEED};
use crate::referee::{Mood, Referee};
use crate::server::{Kind, Server};
use crate::site::{TIERS, Tiers, URL};
use crate::source::SOCKET;

/// The variable with the length of a run, in seconds.
const SECONDS: &str = "RUCACHE_FLEET_SECONDS";

/// Length of a run, unless that says otherwise.
const USUAL: Duration = Duration::from_secs(6);

/// How long a run is left in peace at its beginning.
const PEACE: Duration = Duration::from_secs(2);

/// How long after the last change everything is at rest: a copy may be used for two seconds without
/// hearing of changes.
const REST: Duration = Duration::from_millis(2_100);

/// Fewest reads and changes that make a run worth its name, for each second of it.
const READS_PER_SECOND: u64 = 50;

/// One fleet at a time: it is to be troubled by what is done to it, not by a busy machine.
static TURN: Mutex<()> = Mutex::new(());

async fn keep_the_promises(test: &str, kind: Kind, tiers: Tiers, processes: usize) {
    if let Some(parent) = Parent::of_this_process() {
        return member::run(parent).await;
    }
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let seed = number(SEED).unwrap_or_else(|| crate::note::now() % 1_000_000);
    let span = number(SECONDS).map_or(USUAL, |seconds| Duration::from_secs(seconds.max(1)));
    let referee = Referee::start(seed, Mood::Moody);
    {
        let mut book = referee.book();
        book.pushes = kind == Kind::Redis;
        book.copies = tiers == Tiers::Both;
    }
    let variables = |url: &str, referee: &Referee| {
        vec![
            (URL, url.to_owned()),
            (TIERS, tiers.name().to_owned()),
            (SOCKET, referee.socket().to_owned()),
            (SEED, seed.to_string()),
        ]
    };
    let fleet = Fleet::of_test(format!("invariants::{test}"));
    let mut stage = Stage::new(Server::start(kind), referee, fleet, variables, seed);
    for _ in 0..processes {
        stage.hire();
    }
    wait_until(PEACE, || false);
    stage.trouble(span);
    for question in ["rest", "read"] {
        stage.workers.iter().for_each(|worker| worker.member.send(question));
        stage.workers.iter().for_each(|worker| assert_eq!(worker.member.receive(), RESTED));
        if question == "rest" {
            wait_until(REST, || false);
        }
    }
    for worker in stage.workers.drain(..) {
        worker.member.send("end");
        worker.member.join();
    }
    let (breaches, tally) = stage.referee.book().judge();
    println!("{test}, seed {seed}: {tally:?}");
    assert!(
        breaches.is_empty(),
        "{} breaches with {SEED}={seed}, the first ones:\n{}",
        breaches.len(),
        breaches.iter().take(8).map(String::as_str).collect::<Vec<_>>().join("\n")
    );
    let least = usize::try_from(span.as_millis() / 1_000).unwrap_or(usize::MAX);
    assert!(tally.reads > least * usize::try_from(READS_PER_SECOND).unwrap(), "{tally:?}");
    assert!(tally.done > least && tally.loads > least && tally.alone > least, "{tally:?}");
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|digits| digits.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn local_tiers_over_redis_with_push() {
    let test = "local_tiers_over_redis_with_push";
    keep_the_promises(test, Kind::Redis, Tiers::Both, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn local_tiers_over_memcached() {
    keep_the_promises("local_tiers_over_memcached", Kind::Memcached, Tiers::Both, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_without_a_local_tier_on_redis() {
    let test = "processes_without_a_local_tier_on_redis";
    keep_the_promises(test, Kind::Redis, Tiers::Shared, 4).await;
}
