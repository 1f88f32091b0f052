//! Connections that stall, trickle, break, hang, or carry garbage.

use std::sync::Arc;
use std::time::Duration;

use rucache_core::{BackendExt, ErrorKind, Key, Ttl};
use rucache_memcached::MemcachedBackend;
use rucache_testkit::{
    Connections, Ending, FakeServer, Fault, FaultProxy, Memcached, MemcachedOptions, Step,
};
use tokio::time::Instant;

use crate::rig::{RECOVERY, SLACK, Tally, key, kind, open, until_served};

/// Longer than the default: the machine may be busy with other tests.
const TIMEOUT: Duration = Duration::from_millis(150);

struct Line {
    backend: Arc<MemcachedBackend>,
    proxy: FaultProxy,
    _server: Memcached,
}

impl Line {
    /// A backend behind a proxy, with sixteen keys stored.
    async fn start(parameters: &str) -> Self {
        let server = Memcached::start(MemcachedOptions::default());
        let patient = open(&server.address(), "timeout=20s&connect_timeout=20s");
        let mut tally = Tally::default();
        for key in keys() {
            tally.write(&patient, &key).await;
        }
        assert_eq!(tally.errors, []);
        let proxy = FaultProxy::start(server.port(), 1);
        let timeout = TIMEOUT.as_millis();
        let backend = open(&proxy.address(), &format!("timeout={timeout}ms&{parameters}"));
        until_served(&backend, &key("ruc_0")).await;
        Self { backend, proxy, _server: server }
    }

    /// Reads every key once, four callers at a time.
    async fn read_all(&self) -> Tally {
        let caller = |caller: usize| {
            let backend = self.backend.clone();
            tokio::spawn(async move {
                let mut tally = Tally::default();
                for key in keys().skip(caller).step_by(4) {
                    tally.read(&backend, &key).await;
                }
                tally
            })
        };
        let mut sum = Tally::default();
        for caller in (0..4).map(caller).collect::<Vec<_>>() {
            sum.add(caller.await.unwrap());
        }
        sum
    }

    /// Lets everything pass again: the backend must serve right values soon.
    async fn recovers(&self) {
        self.proxy.set(Fault::Pass);
        until_served(&self.backend, &key("ruc_0")).await;
        let tally = self.read_all().await;
        assert_eq!((tally.hits, tally.wrong), (16, 0), "{tally:?}");
    }
}

fn keys() -> impl Iterator<Item = Key> {
    (0..16).map(|number| key(format!("ruc_{number}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalls_just_over_the_timeout_bring_no_wrong_value() {
    let line = Line::start("").await;
    let mut tally = Tally::default();
    line.proxy.set(Fault::stall(TIMEOUT + Duration::from_millis(10), 3));
    let began = Instant::now();
    while tally.count(ErrorKind::Timeout) < 20 {
        tally.add(line.read_all().await);
        assert!(began.elapsed() < Duration::from_secs(60), "{tally:?}");
    }
    assert_eq!(tally.wrong, 0);
    line.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trickling_answer_ends_at_the_deadline_of_the_whole_call() {
    let line = Line::start("").await;
    line.proxy.set(Fault::Trickle { bytes: 1, every: Duration::from_millis(60) });
    let mut tally = Tally::default();
    tally.read(&line.backend, &key("ruc_0")).await;
    assert_eq!(tally.errors, [ErrorKind::Timeout]);
    assert!(tally.longest >= TIMEOUT && tally.longest < TIMEOUT + SLACK, "{:?}", tally.longest);
    line.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_break_in_the_middle_bring_no_wrong_value() {
    let line = Line::start("").await;
    for (after, how) in
        [(0, Ending::Reset), (5, Ending::Eof), (30, Ending::Reset), (500, Ending::Eof)]
    {
        line.proxy.set(Fault::Cut { after, how });
        let tally = line.read_all().await;
        assert_eq!(tally.wrong, 0, "{how:?} after {after}");
        line.recovers().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_read_is_sent_again_once_and_a_broken_write_never() {
    let fake = FakeServer::answering(|_| vec![Step::Close]);
    let backend = open(&fake.address(), "timeout=1s");
    assert_eq!(kind(backend.get(&key("a")).await), Err(ErrorKind::Interrupted));
    assert_eq!(String::from_utf8_lossy(&fake.received()).matches("mg ").count(), 2);
    let set = backend.set(&key("a"), "1".into(), Ttl::SHORT).await;
    assert_eq!(kind(set), Err(ErrorKind::Interrupted));
    assert_eq!(String::from_utf8_lossy(&fake.received()).matches("ms ").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_connections_are_left_after_two_timeouts() {
    let line = Line::start("").await;
    // More connections than the calls that may fail: none of them answers ever again.
    let writes = |key: Key| {
        let backend = line.backend.clone();
        tokio::spawn(async move { Tally::default().write(&backend, &key).await })
    };
    for write in keys().map(writes).collect::<Vec<_>>() {
        write.await.unwrap();
    }
    line.proxy.half_open();
    let began = Instant::now();
    let mut tally = Tally::default();
    while tally.hits == 0 {
        tally.read(&line.backend, &key("ruc_0")).await;
    }
    assert_eq!(tally.errors, [ErrorKind::Timeout; 2]);
    assert!(began.elapsed() <= 3 * TIMEOUT + SLACK, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_never_answered_do_not_pile_up() {
    for fault in [Fault::Unanswered, Fault::BlackHole(Connections::All), Fault::Refuse] {
        let line = Line::start("max_connections=4").await;
        line.proxy.reset();
        line.proxy.set(fault.clone());
        let before = line.proxy.counts();
        let mut tally = Tally::default();
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(2_500) {
            tally.add(line.read_all().await);
        }
        let now = line.proxy.counts();
        assert_eq!((tally.hits, tally.wrong), (0, 0), "{fault:?}");
        assert!(tally.longest < TIMEOUT + SLACK, "{fault:?}: {:?}", tally.longest);
        assert!(now.open <= 8, "{fault:?}: {now:?}");
        // Until the circuit opens, and then about one a second.
        let opened = now.opened - before.opened;
        assert!(opened <= 20, "{fault:?}: {opened} connections in 2.5 s");
        line.recovers().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_before_answers_brings_no_wrong_value() {
    let line = Line::start("").await;
    for garbage in
        [&b"\r\n"[..], b"\0\xff\xfe", b"VA 5 f20993 c1 O0\r\n", b"HD O0\r\n", b"EN\r\n", b"STAT x"]
    {
        line.proxy.set(Fault::Inject { bytes: garbage.to_vec(), one_in: 2 });
        let mut tally = Tally::default();
        for _ in 0..4 {
            tally.add(line.read_all().await);
        }
        assert_eq!(tally.wrong, 0, "{garbage:?}: {tally:?}");
        line.recovers().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flipped_bits_end_in_an_answer_or_an_error_and_the_pool_recovers() {
    let line = Line::start("").await;
    line.proxy.set(Fault::Corrupt { one_in: 50 });
    let mut tally = Tally::default();
    for _ in 0..50 {
        tally.add(line.read_all().await);
    }
    // A value with a flipped bit is a value to memcached: the envelope's checksum finds it.
    assert!(!tally.errors.is_empty() && tally.longest < TIMEOUT + SLACK, "{tally:?}");
    line.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pool_recovers_without_a_restart_whatever_the_fault_was() {
    let line = Line::start("").await;
    for fault in [
        Fault::BlackHole(Connections::All),
        Fault::BlackHole(Connections::Old),
        Fault::Refuse,
        Fault::Unanswered,
        Fault::Cut { after: 0, how: Ending::Eof },
        Fault::delay(2 * TIMEOUT),
    ] {
        line.proxy.set(fault.clone());
        let mut tally = Tally::default();
        for _ in 0..3 {
            tally.add(line.read_all().await);
        }
        assert_eq!(tally.wrong, 0, "{fault:?}");
        line.proxy.set(Fault::Pass);
        let took = until_served(&line.backend, &key("ruc_0")).await;
        assert!(took <= RECOVERY + SLACK, "{fault:?}: {took:?}");
    }
}
