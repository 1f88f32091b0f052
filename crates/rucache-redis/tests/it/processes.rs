//! Several processes on one server.

use std::collections::BTreeSet;
use std::str::FromStr;

use rucache_core::{
    Backend, BackendExt, Companions, Lease, LeaseRequest, LeaseToken, MapEntry, Marker, MarkerRef,
    MarkerVersion, Precondition, Timestamp, Write, WriteOutcome,
};
use rucache_redis::RedisBackend;
use rucache_testkit::{Fleet, Member, Parent, RedisCluster, RedisOptions, RedisServer};
use tokio::task::JoinSet;

use crate::stand::{TTL, key, open};

const URL: &str = "RUCACHE_TEST_URL";

/// Changes of the map by each process, and how many are under way at a time.
const PUTS: u64 = 7_000;
const REMOVALS: u64 = 3_000;
const AT_ONCE: usize = 32;

const NOW: Timestamp = Timestamp::from_millis(1_000);

async fn open_shared() -> RedisBackend {
    open(&format!("{}?timeout=10s&bulk_timeout=30s", std::env::var(URL).unwrap())).await
}

async fn change_map(backend: &RedisBackend, role: &str) {
    let step = |count: u64, remove: fn(u64) -> bool| (0..count).map(move |at| (at, remove(at)));
    for phase in [step(PUTS, |_| false), step(REMOVALS, |_| true)] {
        let mut under_way = JoinSet::new();
        for (at, removes) in phase {
            if under_way.len() >= AT_ONCE {
                under_way.join_next().await.unwrap().unwrap();
            }
            let (backend, member) = (backend.clone(), format!("{role}_{at}"));
            under_way.spawn(async move {
                let changed = if removes {
                    backend.map_remove(&key(1), &[member], NOW).await
                } else {
                    let expires = Timestamp::from_millis(u64::MAX);
                    let entry = MapEntry { member, note: "note".into(), expires };
                    backend.map_put(&key(1), &[entry], NOW).await
                };
                assert_eq!(changed.unwrap(), 1);
            });
        }
        while let Some(done) = under_way.join_next().await {
            done.unwrap();
        }
    }
}

async fn members(backend: &RedisBackend) -> BTreeSet<String> {
    let (mut members, mut cursor) = (BTreeSet::new(), None);
    loop {
        let page = backend.map_page(&key(1), cursor.as_deref(), 1_000, NOW).await.unwrap();
        members.extend(page.entries.into_iter().map(|entry| entry.member));
        cursor = page.next;
        if cursor.is_none() {
            return members;
        }
    }
}

async fn change_map_together(url: &str, test: &str) {
    let fleet = Fleet::of_test(test);
    let roles = ["a", "b", "c", "d"];
    let processes = roles.map(|role| fleet.spawn(role, [(URL, url)]));
    for process in &processes {
        assert_eq!(process.receive(), "done");
    }
    processes.into_iter().for_each(Member::join);
    let backend = open(&format!("{url}?timeout=10s")).await;
    let wanted: BTreeSet<_> = roles
        .iter()
        .flat_map(|role| (REMOVALS..PUTS).map(move |at| format!("{role}_{at}")))
        .collect();
    let found = members(&backend).await;
    assert_eq!(wanted.difference(&found).count(), 0, "lost");
    assert_eq!(found.difference(&wanted).count(), 0, "come back");
    assert_eq!(backend.map_len(&key(1), NOW).await.unwrap(), 4 * (PUTS - REMOVALS));
}

#[tokio::test(flavor = "multi_thread")]
async fn four_processes_lose_no_change_of_a_map() {
    if let Some(parent) = Parent::of_this_process() {
        change_map(&open_shared().await, parent.role()).await;
        return parent.send("done");
    }
    let server = RedisServer::start(RedisOptions::default());
    let test = "processes::four_processes_lose_no_change_of_a_map";
    change_map_together(&server.url(), test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_processes_lose_no_change_of_a_map_in_a_cluster() {
    if let Some(parent) = Parent::of_this_process() {
        change_map(&open_shared().await, parent.role()).await;
        return parent.send("done");
    }
    let cluster = RedisCluster::start(&RedisOptions::default());
    let test = "processes::four_processes_lose_no_change_of_a_map_in_a_cluster";
    change_map_together(&cluster.url(), test).await;
}

/// What one process does while another one loads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Meanwhile {
    Delete,
    Set,
    Expire,
    Clear,
}

/// The loading process: takes the lease, waits to be told that the load is over, and fills.
async fn load(parent: &mut Parent) {
    let backend = open_shared().await;
    while let Some(number) = parent.receive() {
        let key = key(u64::from_str(&number).unwrap());
        let seen = backend.get(&key).await.unwrap().map(|stored| stored.version);
        let request = LeaseRequest { key: key.clone(), seen, ttl: TTL };
        let leases = backend.lease_many(&[request]).await;
        let Ok(Lease::Granted(token)) = leases[0] else { panic!("{leases:?}") };
        let marker = captured(&backend, &key).await;
        parent.send(&format!("{token} {}", marker.as_raw()));
        assert_eq!(parent.receive().as_deref(), Some("loaded"));
        let when = Precondition::Lease(token);
        let fill = Write { key, value: "before".into(), ttl: TTL, when };
        parent.send(&format!("{:?}", backend.write(fill).await.unwrap()));
    }
}

async fn captured(backend: &RedisBackend, near: &rucache_core::Key) -> MarkerVersion {
    let marker = Marker::Service(near.service_name());
    let at = [MarkerRef { marker, near: near.clone() }];
    backend.markers(&at, MarkerVersion::from_raw(1_000)).await.remove(0).unwrap()
}

async fn change_meanwhile(url: &str, test: &str) {
    let fleet = Fleet::of_test(test);
    let loader = fleet.spawn("loader", [(URL, url)]);
    let backend = open(&format!("{url}?timeout=10s")).await;
    let all = [Meanwhile::Delete, Meanwhile::Set, Meanwhile::Expire, Meanwhile::Clear];
    let cases = all.into_iter().flat_map(|what| [(what, true), (what, false)]);
    for (number, (what, present)) in (0..).zip(cases) {
        if present {
            backend.set(&key(number), "old".into(), TTL).await.unwrap();
        }
        loader.send(&number.to_string());
        let taken = loader.receive();
        let (token, marker) = taken.split_once(' ').unwrap();
        assert!(LeaseToken::from_str(token).is_ok());
        match what {
            Meanwhile::Delete => assert_eq!(backend.delete(&key(number)).await.unwrap(), present),
            Meanwhile::Set => backend.set(&key(number), "new".into(), TTL).await.unwrap(),
            Meanwhile::Expire => {
                let expired = backend.expire_many(&[key(number)]).await.remove(0);
                assert_eq!(expired.unwrap(), present);
            }
            Meanwhile::Clear => {
                let marker = Marker::Service(key(number).service_name());
                let seed = MarkerVersion::from_raw(1_000);
                backend.bump(&[marker], seed).await.remove(0).unwrap();
            }
        }
        loader.send("loaded");
        let outcome = loader.receive();
        let fetched = backend.get_many(&[key(number)], Companions::Markers).await.remove(0);
        let fetched = fetched.unwrap();
        let value = fetched.entry.as_ref().map(|stored| stored.value.clone());
        let case = format!("{what:?}, entry {}", if present { "present" } else { "absent" });
        if what == Meanwhile::Clear {
            // The fill is taken, under a marker that has moved on: it is outdated for every reader.
            assert_eq!(outcome, format!("{:?}", WriteOutcome::Stored), "{case}");
            let before = MarkerVersion::from_raw(marker.parse().unwrap());
            assert!(fetched.service > Some(before), "{case}");
            continue;
        }
        assert_eq!(outcome, format!("{:?}", WriteOutcome::Refused), "{case}");
        let expected = match (what, present) {
            (Meanwhile::Set, _) => Some("new"),
            (Meanwhile::Expire, true) => Some("old"),
            _ => None,
        };
        assert_eq!(value, expected.map(bytes::Bytes::from), "{case}");
    }
    loader.join();
}

#[tokio::test(flavor = "multi_thread")]
async fn change_during_another_process_load_is_not_undone() {
    if let Some(mut parent) = Parent::of_this_process() {
        return load(&mut parent).await;
    }
    let server = RedisServer::start(RedisOptions::default());
    let test = "processes::change_during_another_process_load_is_not_undone";
    change_meanwhile(&server.url(), test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn change_during_another_process_load_is_not_undone_in_a_cluster() {
    if let Some(mut parent) = Parent::of_this_process() {
        return load(&mut parent).await;
    }
    let cluster = RedisCluster::start(&RedisOptions::default());
    let test = "processes::change_during_another_process_load_is_not_undone_in_a_cluster";
    change_meanwhile(&cluster.url(), test).await;
}
