//! Two processes: what is confirmed during another's load is not undone by it.

use rucache_core::{
    Backend, BackendExt, Companions, Key, Lease, LeaseRequest, LeaseToken, Marker, MarkerVersion,
    Precondition, Ttl, Version, Write, WriteOutcome,
};
use rucache_memcached::MemcachedBackend;
use rucache_testkit::{Fleet, Memcached, MemcachedOptions, Parent};
use tokio::runtime::Builder;

use crate::rig::{key, open};

const ADDRESSES: &str = "RUCACHE_TEST_ADDRESSES";
const SEED: MarkerVersion = MarkerVersion::from_raw(1_884_390_400_000_000_000);

/// What the other process's loader does: takes the lease of a key, says so, waits for the word to go
/// on, and fills.
fn load_slowly(mut parent: Parent) {
    let addresses = std::env::var(ADDRESSES).unwrap();
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let backend = open(&addresses, "timeout=5s");
        while let Some(name) = parent.receive() {
            let key = key(&name);
            let seen = backend.get(&key).await.unwrap().map(|stored| stored.version);
            let token = lease(&backend, &key, seen).await;
            parent.send("loading");
            parent.receive();
            let write = Write {
                key,
                value: "loaded before".into(),
                ttl: Ttl::LONG,
                when: Precondition::Lease(token),
            };
            parent.send(match backend.write(write).await.unwrap() {
                WriteOutcome::Stored => "stored",
                WriteOutcome::Refused => "refused",
            });
        }
    });
}

async fn lease(backend: &MemcachedBackend, key: &Key, seen: Option<Version>) -> LeaseToken {
    let request = LeaseRequest { key: key.clone(), seen, ttl: Ttl::SHORT };
    match backend.lease_many(&[request]).await.remove(0).unwrap() {
        Lease::Granted(token) => token,
        other => panic!("{other:?}"),
    }
}

#[test]
fn confirmed_changes_are_not_undone_by_another_processes_load() {
    if let Some(parent) = Parent::of_this_process() {
        return load_slowly(parent);
    }
    let pool = Memcached::start_pool(3, &MemcachedOptions::default());
    let addresses = pool.iter().map(Memcached::address).collect::<Vec<_>>().join(",");
    let fleet =
        Fleet::of_test("fences::confirmed_changes_are_not_undone_by_another_processes_load");
    let loader = fleet.spawn("loader", [(ADDRESSES, addresses.as_str())]);
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let backend = open(&addresses, "timeout=5s");
    let service = Marker::Service(key("a").service_name());
    let during = |name: &str, change: &dyn Fn(&Key)| {
        loader.send(name);
        assert_eq!(loader.receive(), "loading");
        change(&key(name));
        loader.send("go on");
        loader.receive()
    };
    let value = |key: &Key| {
        let stored = runtime.block_on(backend.get(key)).unwrap();
        stored.map(|stored| (stored.value, stored.stale))
    };
    let set = |key: &Key, value: &'static str| {
        runtime.block_on(backend.set(key, value.into(), Ttl::LONG)).unwrap();
    };
    for round in 0..10 {
        for present in [false, true] {
            let name = |what: &str| format!("{what}_{present}_{round}");
            let begin = |what: &str| {
                let name = name(what);
                if present {
                    set(&key(&name), "old");
                }
                name
            };
            let deleted = begin("deleted");
            let delete = |key: &Key| {
                assert_eq!(runtime.block_on(backend.delete(key)).unwrap(), present);
            };
            assert_eq!(during(&deleted, &delete), "refused");
            assert_eq!(value(&key(&deleted)), None);

            let written = begin("written");
            assert_eq!(during(&written, &|key| set(key, "newer")), "refused");
            assert_eq!(value(&key(&written)), Some(("newer".into(), false)));

            let expired = begin("expired");
            let expire = |key: &Key| {
                let answers = runtime.block_on(backend.expire_many(std::slice::from_ref(key)));
                assert_eq!(*answers[0].as_ref().unwrap(), present);
            };
            assert_eq!(during(&expired, &expire), "refused");
            assert_eq!(value(&key(&expired)), present.then(|| ("old".into(), true)));

            let untouched = begin("untouched");
            assert_eq!(during(&untouched, &|_| ()), "stored");
            assert_eq!(value(&key(&untouched)), Some(("loaded before".into(), false)));
        }
        // A clear touches no entry: what was loaded before is stored, under outdated markers.
        let cleared = key(format!("cleared_{round}"));
        let marker = || {
            let near = std::slice::from_ref(&cleared);
            let fetched = backend.get_many(near, Companions::Markers);
            runtime.block_on(fetched).remove(0).unwrap().service
        };
        runtime.block_on(backend.bump(std::slice::from_ref(&service), SEED)).remove(0).unwrap();
        let captured = marker();
        let clear = |_: &Key| {
            let service = std::slice::from_ref(&service);
            runtime.block_on(backend.bump(service, SEED)).remove(0).unwrap();
        };
        assert_eq!(during(&format!("cleared_{round}"), &clear), "stored");
        assert!(captured.is_some() && marker() > captured);
    }
    drop(loader);
}
