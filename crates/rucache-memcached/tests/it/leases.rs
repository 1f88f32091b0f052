//! Leases as they stand in the store: claimed, taken over, evicted, renewed too late.

use std::sync::Arc;

use rucache_core::{
    BackOff, Backend, BackendExt, Key, Lease, LeaseEnd, LeaseHold, LeaseRequest, LeaseToken,
    Precondition, Ttl, Write, WriteOutcome,
};
use rucache_memcached::MemcachedBackend;
use rucache_testkit::{Memcached, MemcachedOptions};

use crate::rig::{key, kind, open};

struct Desk {
    server: Memcached,
    backend: Arc<MemcachedBackend>,
    key: Key,
}

impl Desk {
    fn open() -> Self {
        let server = Memcached::start(MemcachedOptions::default());
        let backend = open(&server.address(), "timeout=5s");
        Self { server, backend, key: key("a") }
    }

    async fn set(&self, value: &'static str) {
        assert_eq!(kind(self.backend.set(&self.key, value.into(), Ttl::LONG).await), Ok(()));
    }

    /// Asks for the lease of the entry as it is.
    async fn ask(&self) -> Lease {
        let seen = self.backend.get(&self.key).await.unwrap().map(|stored| stored.version);
        let request = LeaseRequest { key: self.key.clone(), seen, ttl: Ttl::SHORT };
        self.backend.lease_many(&[request]).await.remove(0).unwrap()
    }

    async fn take(&self) -> LeaseToken {
        match self.ask().await {
            Lease::Granted(token) => token,
            other => panic!("{other:?}"),
        }
    }

    async fn expire(&self) -> bool {
        self.backend.expire_many(std::slice::from_ref(&self.key)).await.remove(0).unwrap()
    }

    async fn fill(&self, token: LeaseToken) -> WriteOutcome {
        let (key, when) = (self.key.clone(), Precondition::Lease(token));
        let write = Write { key, value: "filled".into(), ttl: Ttl::LONG, when };
        self.backend.write(write).await.unwrap()
    }

    fn hold(&self, token: LeaseToken) -> LeaseHold {
        LeaseHold { key: self.key.clone(), token }
    }

    async fn renew(&self, token: LeaseToken, ttl: Ttl) -> bool {
        self.backend.renew_many(&[self.hold(token)], ttl).await.remove(0).unwrap()
    }

    async fn back_off(&self, token: LeaseToken) -> bool {
        let back_off = Some(BackOff { note: "quota".into(), ttl: Ttl::SHORT });
        let end = LeaseEnd { hold: self.hold(token), back_off };
        self.backend.release_many(&[end]).await.remove(0).unwrap()
    }

    /// Seconds that an item has left.
    fn left(&self, name: &str) -> u64 {
        let answer = self.server.command(&["mg", name, "t"]);
        let seconds = answer.strip_prefix("HD t").and_then(|flags| flags.split(' ').next());
        seconds.and_then(|left| left.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn void_placeholder_is_claimed_once() {
    let desk = Desk::open();
    let first = desk.take().await;
    assert!(!desk.expire().await);
    let claim = desk.take().await;
    assert_eq!(desk.ask().await, Lease::Held);
    assert_eq!(kind(desk.backend.get(&desk.key).await), Ok(None));
    assert_eq!(desk.fill(first).await, WriteOutcome::Refused);
    assert!(desk.renew(claim, Ttl::LONG).await);
    assert_eq!(desk.fill(claim).await, WriteOutcome::Stored);
    assert_eq!(desk.fill(claim).await, WriteOutcome::Refused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn void_claim_and_void_note_are_claimed_again() {
    let desk = Desk::open();
    desk.take().await;
    desk.expire().await;
    let claim = desk.take().await;
    assert!(!desk.expire().await, "a claim is no entry");
    assert_eq!(desk.fill(claim).await, WriteOutcome::Refused);
    let second = desk.take().await;
    assert!(desk.back_off(second).await);
    assert_eq!(desk.ask().await, Lease::BackingOff { note: "quota".into() });
    assert!(!desk.expire().await, "a note is no entry");
    let third = desk.take().await;
    assert_eq!(desk.fill(third).await, WriteOutcome::Stored);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn void_lease_and_void_note_of_an_older_version_are_taken_over() {
    let desk = Desk::open();
    desk.set("one").await;
    let first = desk.take().await;
    desk.set("two").await;
    let second = desk.take().await;
    assert_eq!(desk.ask().await, Lease::Held);
    assert_eq!(desk.fill(first).await, WriteOutcome::Refused);
    assert!(desk.back_off(second).await);
    assert_eq!(desk.ask().await, Lease::BackingOff { note: "quota".into() });
    desk.set("three").await;
    let third = desk.take().await;
    assert_eq!(desk.fill(third).await, WriteOutcome::Stored);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fill_under_an_evicted_lease_is_refused_though_nobody_touched_the_entry() {
    let desk = Desk::open();
    let absent = desk.take().await;
    assert_eq!(desk.server.command(&["delete", "migo:a"]), "DELETED");
    assert_eq!(desk.fill(absent).await, WriteOutcome::Refused);
    desk.set("one").await;
    let present = desk.take().await;
    assert_eq!(desk.server.command(&["delete", "~l:{migo:a}"]), "DELETED");
    assert!(!desk.renew(present, Ttl::LONG).await);
    assert!(!desk.back_off(present).await);
    assert_eq!(desk.fill(present).await, WriteOutcome::Refused);
    let stored = desk.backend.get(&desk.key).await.unwrap().unwrap();
    assert_eq!(stored.value, "one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fill_of_an_entry_that_is_gone_is_refused() {
    let desk = Desk::open();
    desk.set("one").await;
    let token = desk.take().await;
    assert_eq!(desk.server.command(&["delete", "migo:a"]), "DELETED");
    assert_eq!(desk.fill(token).await, WriteOutcome::Refused);
    assert_eq!(kind(desk.backend.get(&desk.key).await), Ok(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewal_after_a_set_leaves_its_life_as_it_is() {
    let desk = Desk::open();
    let token = desk.take().await;
    desk.set("one").await;
    let before = desk.left("migo:a");
    assert!(!desk.renew(token, Ttl::EXTRA_LONG).await && !desk.renew(token, Ttl::MIN).await);
    assert!(before - desk.left("migo:a") <= 1);
    let token = desk.take().await;
    assert!(desk.renew(token, Ttl::LONG).await);
    assert!(desk.left("~l:{migo:a}") > 86_000);
    assert!(before - desk.left("migo:a") <= 1, "the entry's own life is not the lease's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lease_lasts_at_least_two_seconds_and_no_more_than_two_longer_than_asked() {
    let desk = Desk::open();
    let ask = |name: &str, ttl| LeaseRequest { key: key(name), seen: None, ttl };
    let leases = [ask("a", Ttl::MIN), ask("b", Ttl::secs(5)), ask("c", Ttl::MAX)];
    for lease in desk.backend.lease_many(&leases).await {
        assert!(matches!(lease, Ok(Lease::Granted(_))), "{lease:?}");
    }
    assert!((1..=2).contains(&desk.left("migo:a")), "{}", desk.left("migo:a"));
    assert!((5..=6).contains(&desk.left("migo:b")), "{}", desk.left("migo:b"));
    assert!(desk.left("migo:c") > 300_000_000, "{}", desk.left("migo:c"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn note_that_is_too_long_is_refused_and_the_lease_stays() {
    let desk = Desk::open();
    let token = desk.take().await;
    let back_off = Some(BackOff { note: vec![b'n'; 65].into(), ttl: Ttl::SHORT });
    let end = LeaseEnd { hold: desk.hold(token), back_off };
    let refused = desk.backend.release_many(&[end]).await.remove(0);
    assert_eq!(kind(refused), Err(rucache_core::ErrorKind::Invalid));
    assert_eq!(desk.fill(token).await, WriteOutcome::Stored);
}
