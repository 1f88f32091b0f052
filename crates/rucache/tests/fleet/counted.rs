//! Cases with exact counts: how often the source is asked, and that what is invalidated during
//! another process's load stays invalidated.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rucache::Cache;
use rucache::{Config, Ttl};
use rucache_testkit::{Fleet, Member, Parent, wait_until};
use tokio::task::JoinSet;

use crate::member::{change, load};
use crate::note::{Change, ChangeEnd, now};
use crate::referee::{Mood, Referee};
use crate::server::{Kind, Server};
use crate::site::{self, PATIENT, TIERS, Tiers, URL};
use crate::source::{SOCKET, Source};

/// How long anything that must happen may take: a killed holder's lease lasts five seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long other processes may serve what was before a change.
const BOUND: Duration = Duration::from_millis(2_100);

/// How long a load that must not begin is waited for.
const A_WHILE: Duration = Duration::from_millis(500);

/// Callers of one process at once.
const CALLERS: usize = 16;

/// What is done while the value of a key is being loaded elsewhere: each to a key of its own.
const CHANGES: [(usize, Change); 5] = [
    (0, Change::Expire(0)),
    (1, Change::Tag { service: 0, tag: 1 }),
    (2, Change::Delete(2)),
    (3, Change::Set(3, 0)),
    (5, Change::Clear { service: 1 }),
];

/// A process that does as it is told: `load KEY` is answered with the numbers of the values that all
/// its callers got, whenever they come; `change NUMBER` with what became of it.
async fn obey(mut parent: Parent) {
    let source = Source::of(parent.role().parse().unwrap());
    let cache = site::open(None).await;
    parent.send("ready");
    loop {
        let heard = tokio::task::spawn_blocking(move || (parent.receive(), parent)).await;
        let word;
        (word, parent) = heard.unwrap();
        let Some(word) = word else { return };
        let (what, number) = word.split_once(' ').unwrap();
        let number: usize = number.parse().unwrap();
        match what {
            "load" => {
                let (cache, source) = (cache.clone(), source.clone());
                tokio::spawn(async move {
                    let mut callers = JoinSet::new();
                    for _ in 0..CALLERS {
                        let (cache, source) = (cache.clone(), source.clone());
                        callers.spawn(async move { load(&cache, &source, number).await });
                    }
                    let loaded = callers.join_all().await;
                    let ids: BTreeSet<u64> =
                        loaded.into_iter().map(|fact| fact.unwrap().id).collect();
                    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                    Parent::of_this_process().unwrap().send(&ids.join(" "));
                });
            }
            _ => {
                let (_, planned) = CHANGES[number];
                let (_, end) = change(&cache, &source, planned, |_, _| {}).await;
                parent.send(&format!("{end:?}"));
            }
        }
    }
}

/// A fleet that does as it is told.
struct Obedient {
    referee: Referee,
    members: Vec<Member>,
    _server: Server,
}

impl Obedient {
    fn start(test: &str, kind: Kind, tiers: Tiers, processes: usize) -> Self {
        let server = Server::start(kind);
        let referee = Referee::start(1, Mood::Holding);
        let fleet = Fleet::of_test(format!("counted::{test}"));
        let variables = [
            (URL, server.url_at(server.port())),
            (TIERS, tiers.name().to_owned()),
            (SOCKET, referee.socket().to_owned()),
            (PATIENT, "1".to_owned()),
        ];
        let spawn = |number: usize| fleet.spawn(&number.to_string(), variables.clone());
        let members: Vec<Member> = (0..processes).map(spawn).collect();
        members.iter().for_each(|member| assert_eq!(member.receive(), "ready"));
        Self { referee, members, _server: server }
    }

    fn loads(&self) -> usize {
        self.referee.book().loads().len()
    }

    fn wait_for_loads(&self, count: usize) {
        assert!(wait_until(PATIENCE, || self.loads() >= count), "{} of {count}", self.loads());
    }

    /// The numbers of the values that a process reads.
    fn read(&self, process: usize, key: usize) -> Vec<u64> {
        self.members[process].send(&format!("load {key}"));
        self.heard(process)
    }

    fn heard(&self, process: usize) -> Vec<u64> {
        let said = self.members[process].receive();
        said.split(' ').map(|id| id.parse().unwrap()).collect()
    }

    fn end(self) {
        self.members.into_iter().for_each(Member::join);
    }
}

async fn load_once(test: &str, kind: Kind, tiers: Tiers) {
    if let Some(parent) = Parent::of_this_process() {
        return obey(parent).await;
    }
    let fleet = Obedient::start(test, kind, tiers, 4);
    for member in &fleet.members {
        member.send("load 0");
    }
    fleet.wait_for_loads(1);
    wait_until(A_WHILE, || fleet.loads() > 1);
    fleet.referee.set(Mood::Prompt);
    let heard: Vec<_> = (0..4).map(|process| fleet.heard(process)).collect();
    assert_eq!(heard, vec![vec![0]; 4]);
    assert_eq!(fleet.loads(), 1);
    fleet.end();
}

async fn load_once_more(test: &str, kind: Kind, tiers: Tiers) {
    if let Some(parent) = Parent::of_this_process() {
        return obey(parent).await;
    }
    let mut fleet = Obedient::start(test, kind, tiers, 4);
    for member in &fleet.members {
        member.send("load 0");
    }
    fleet.wait_for_loads(1);
    let holder = fleet.referee.book().loads()[0].process;
    let killed = now();
    fleet.members.remove(usize::try_from(holder).unwrap()).kill_9();
    fleet.wait_for_loads(2);
    wait_until(A_WHILE, || fleet.loads() > 2);
    fleet.referee.set(Mood::Prompt);
    let heard: Vec<_> = (0..3).map(|process| fleet.heard(process)).collect();
    assert_eq!(heard, vec![vec![1]; 3]);
    let loads = fleet.referee.book().loads().to_vec();
    assert_eq!(loads.len(), 2);
    let after = Duration::from_nanos(loads[1].began - killed);
    assert!(after < Duration::from_secs(7), "the key was free {after:?} after its holder's death");
    fleet.end();
}

async fn change_is_not_undone(test: &str, kind: Kind, tiers: Tiers) {
    if let Some(parent) = Parent::of_this_process() {
        return obey(parent).await;
    }
    let fleet = Obedient::start(test, kind, tiers, 3);
    // In the order that the loads begin in.
    for (count, (key, _)) in CHANGES.iter().enumerate() {
        fleet.members[0].send(&format!("load {key}"));
        fleet.wait_for_loads(count + 1);
    }
    for number in 0..CHANGES.len() {
        fleet.members[1].send(&format!("change {number}"));
        assert_eq!(fleet.members[1].receive(), format!("{:?}", ChangeEnd::Done), "{number}");
    }
    fleet.referee.set(Mood::Prompt);
    let old: Vec<u64> = CHANGES.iter().flat_map(|_| fleet.heard(0)).collect();
    let is_newer = |read: &[u64]| read.iter().all(|id| !old.contains(id));
    // The process that changed it, and one that had nothing to do with it.
    for process in [1, 2] {
        for (key, change) in CHANGES {
            let read = fleet.read(process, key);
            assert!(is_newer(&read), "{change:?} is undone for process {process}");
        }
    }
    // The one that loaded meanwhile.
    wait_until(BOUND, || false);
    for (key, change) in CHANGES {
        let read = fleet.read(0, key);
        assert!(is_newer(&read), "{change:?} is undone for the process that loaded");
    }
    fleet.end();
}

/// Ten thousand callers of one process at once.
async fn crowd_loads_once(kind: Kind) {
    let server = Server::start(kind);
    let mut config = Config::default();
    config.backend = server.url_at(server.port()).parse().unwrap();
    let cache = rucache::open_with(config).await.unwrap();
    let loads = Arc::new(AtomicU64::new(0));
    let ask = |cache: Cache, loads: Arc<AtomicU64>| async move {
        let loaded = cache.get_or_load("estadisticas_ventas", Ttl::MEDIUM, move || async move {
            // Everybody else has the time to come.
            crate::note::pause(A_WHILE).await;
            Ok::<_, std::io::Error>(loads.fetch_add(1, Ordering::Relaxed))
        });
        loaded.await.unwrap()
    };
    let mut callers = JoinSet::new();
    for _ in 0..10_000 {
        callers.spawn(ask(cache.clone(), loads.clone()));
    }
    assert_eq!(callers.join_all().await, vec![0; 10_000]);
    assert_eq!(loads.load(Ordering::Relaxed), 1);
}

/// One test for each, with a name that says which.
macro_rules! on_each {
    ($($name:ident: $case:ident($($argument:expr),*);)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $case(stringify!($name), $($argument),*).await;
        }
    )*};
}

on_each! {
    four_processes_load_a_cold_key_once_over_redis: load_once(Kind::Redis, Tiers::Both);
    four_processes_load_a_cold_key_once_over_memcached: load_once(Kind::Memcached, Tiers::Both);
    four_processes_without_a_local_tier_load_once: load_once(Kind::Redis, Tiers::Shared);
    killed_holder_costs_one_more_load_over_redis: load_once_more(Kind::Redis, Tiers::Both);
    killed_holder_costs_one_more_load_over_memcached: load_once_more(Kind::Memcached, Tiers::Both);
    change_during_a_load_elsewhere_stays_over_redis: change_is_not_undone(Kind::Redis, Tiers::Both);
    change_during_a_load_elsewhere_stays_over_memcached:
        change_is_not_undone(Kind::Memcached, Tiers::Both);
    change_during_a_load_elsewhere_stays_without_a_local_tier:
        change_is_not_undone(Kind::Redis, Tiers::Shared);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_callers_load_once_over_redis() {
    crowd_loads_once(Kind::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_callers_load_once_over_memcached() {
    crowd_loads_once(Kind::Memcached).await;
}
