//! Maps under writers that meet, and servers that lose things.

use std::collections::BTreeSet;
use std::sync::Arc;

use rucache_core::{Backend, Key, MapEntry, Timestamp, Ttl};
use rucache_memcached::MemcachedBackend;
use rucache_testkit::{Fleet, Memcached, MemcachedOptions, Parent};
use tokio::runtime::Builder;

use crate::rig::{key, open};

const ADDRESSES: &str = "RUCACHE_TEST_ADDRESSES";
const NOW: Timestamp = Timestamp::from_millis(1_769_612_400_000);
const OPERATIONS: u64 = 10_000;
/// Calls of one process at the same time.
const AT_ONCE: u64 = 8;

fn map() -> Key {
    key("index")
}

fn entry(member: String) -> MapEntry {
    MapEntry { member, note: "note".into(), expires: NOW.after(Ttl::EXTRA_LONG) }
}

async fn members(backend: &MemcachedBackend) -> Vec<String> {
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = backend.map_page(&map(), cursor.as_deref(), 500, NOW).await.unwrap();
        listed.extend(page.entries.into_iter().map(|entry| entry.member));
        cursor = page.next;
        if cursor.is_none() {
            return listed;
        }
    }
}

/// Adds members of its own and removes every other one: what stays is what came last.
async fn add_and_remove(backend: Arc<MemcachedBackend>, role: String, caller: u64) {
    let mut round = caller;
    while round < OPERATIONS / 2 {
        let name = format!("{role}_{round}");
        let put = backend.map_put(&map(), &[entry(name.clone())], NOW).await.unwrap();
        assert_eq!(put, 1, "{name} is new");
        // Removed and put back: two more chances to lose something of a neighbour.
        let removed = backend.map_remove(&map(), std::slice::from_ref(&name), NOW).await.unwrap();
        assert_eq!(removed, 1, "{name} was there");
        if round.is_multiple_of(2) {
            assert_eq!(backend.map_put(&map(), &[entry(name)], NOW).await.unwrap(), 1);
        }
        round += AT_ONCE;
    }
}

#[test]
fn four_processes_on_one_map_lose_nothing() {
    if let Some(mut parent) = Parent::of_this_process() {
        let addresses = std::env::var(ADDRESSES).unwrap();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        parent.receive();
        runtime.block_on(async {
            let backend = open(&addresses, "timeout=30s&connect_timeout=30s");
            let change = |caller| {
                tokio::spawn(add_and_remove(backend.clone(), parent.role().to_owned(), caller))
            };
            for caller in (0..AT_ONCE).map(change).collect::<Vec<_>>() {
                caller.await.unwrap();
            }
        });
        parent.send("done");
        return;
    }
    let pool = Memcached::start_pool(3, &MemcachedOptions::default());
    let addresses = pool.iter().map(Memcached::address).collect::<Vec<_>>().join(",");
    let fleet = Fleet::of_test("maps::four_processes_on_one_map_lose_nothing");
    let roles = ["a", "b", "c", "d"];
    let writers = roles.map(|role| fleet.spawn(role, [(ADDRESSES, addresses.as_str())]));
    writers.iter().for_each(|writer| writer.send("go"));
    for writer in writers {
        assert_eq!(writer.receive(), "done");
        writer.join();
    }
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let backend = open(&addresses, "timeout=30s");
    let listed = runtime.block_on(members(&backend));
    let numbers = || (0..OPERATIONS / 2).step_by(2);
    let wanted: BTreeSet<_> =
        roles.iter().flat_map(|role| numbers().map(move |n| format!("{role}_{n}"))).collect();
    assert_eq!(listed.len(), wanted.len(), "each is listed once");
    assert!(listed.into_iter().collect::<BTreeSet<_>>() == wanted, "others are listed");
    let counted = runtime.block_on(backend.map_len(&map(), NOW)).unwrap();
    assert_eq!(counted, u64::try_from(wanted.len()).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_one_bucket_lose_nothing() {
    let server = Memcached::start(MemcachedOptions::default());
    let backend = open(&server.address(), "timeout=30s&connect_timeout=30s");
    // Found by trying: 64 members of the bucket 0x7f7, where "20100047218" is.
    let mut same = vec!["20100047218".to_owned()];
    same.extend(
        (0_u64..).map(|number| number.to_string()).filter(|it| bucket(it) == 0x7f7).take(63),
    );
    let writer = |own: Vec<String>| {
        let backend = backend.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                for member in &own {
                    let put = backend.map_put(&map(), &[entry(member.clone())], NOW).await;
                    assert_eq!(put.unwrap(), 1);
                    let gone = backend.map_remove(&map(), std::slice::from_ref(member), NOW).await;
                    assert_eq!(gone.unwrap(), 1);
                }
            }
            for member in own {
                assert_eq!(backend.map_put(&map(), &[entry(member)], NOW).await.unwrap(), 1);
            }
        })
    };
    for writer in same.chunks(8).map(|own| writer(own.to_vec())).collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(server.stat("curr_items"), 1, "they are all in one bucket");
    assert!(server.stat("cas_badval") > 0, "the writers met");
    let listed: BTreeSet<_> = members(&backend).await.into_iter().collect();
    assert_eq!(listed, same.into_iter().collect());
}

/// The bucket of a member as documented: 12 bits of FNV-1a, mixed as in SplitMix64.
fn bucket(member: &str) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = member.bytes().fold(0xcbf2_9ce4_8422_2325, fold);
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (hash ^ (hash >> 31)) >> 52
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_bucket_costs_the_listing_of_its_members_until_they_are_put_again() {
    let server = Memcached::start(MemcachedOptions::default());
    let backend = open(&server.address(), "timeout=5s");
    let entries: Vec<_> = (0..100).map(|number| entry(format!("m{number}"))).collect();
    assert_eq!(backend.map_put(&map(), &entries, NOW).await.unwrap(), 100);
    let lost = bucket("m7");
    let deleted = server.command(&["delete", &format!("~m:{{migo:index}}:{lost:03x}")]);
    assert_eq!(deleted, "DELETED");
    let listed: BTreeSet<_> = members(&backend).await.into_iter().collect();
    let wanted = entries.iter().filter(|it| bucket(&it.member) != lost);
    assert_eq!(listed, wanted.map(|it| it.member.clone()).collect());
    let again = backend.map_put(&map(), &[entry("m7".to_owned())], NOW).await;
    assert_eq!(again.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn map_that_is_full_refuses_and_loses_nothing() {
    use rucache_core::ErrorKind;
    let server = Memcached::start(MemcachedOptions::default());
    // Room for seven of the largest members a bucket.
    let backend = open(&server.address(), "timeout=5s&max_value=1KiB");
    let names = (0_u64..).map(|number| format!("{number:064}")).filter(|it| bucket(it) == 5);
    let large: Vec<_> =
        names.take(8).map(|name| MapEntry { note: vec![b'n'; 64].into(), ..entry(name) }).collect();
    assert_eq!(backend.map_put(&map(), &large[..7], NOW).await.unwrap(), 7);
    let full = backend.map_put(&map(), &large[7..], NOW).await;
    assert_eq!(full.unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(members(&backend).await.len(), 7);
    assert_eq!(backend.map_remove(&map(), &[large[0].member.clone()], NOW).await.unwrap(), 1);
    assert_eq!(backend.map_put(&map(), &large[7..], NOW).await.unwrap(), 1);
}
