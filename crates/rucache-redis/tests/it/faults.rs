//! Servers that die, stop, stall and lie: no wrong value, and the service is back by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rucache_core::{Backend, BackendExt, ErrorKind};
use rucache_testkit::{Ending, Fault, FaultProxy, RedisOptions, RedisServer, Step};
use tokio::time::{Instant, timeout};

use crate::fake;
use crate::stand::{
    PATIENCE, RECOVERY, Reads, SLACK, TTL, eventually, fill, key, open, read, read_batch,
    recovered, serves_all, value, writes_recovered,
};

const KEYS: u64 = 200;

fn proxied() -> (RedisServer, FaultProxy, String) {
    let server = RedisServer::start(RedisOptions::default());
    let proxy = FaultProxy::start(server.port(), 7);
    let url = format!("redis://{}", proxy.address());
    (server, proxy, url)
}

fn only(reads: &Reads, kinds: &[ErrorKind]) {
    assert_eq!(reads.wrong, 0, "{reads:?}");
    assert!(reads.errors.iter().all(|kind| kinds.contains(kind)), "{reads:?}");
}

/// F02, F03.
#[tokio::test(flavor = "multi_thread")]
async fn killed_server_is_left_alone_within_a_second_and_joined_when_it_is_back() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&server.url()).await;
    fill(&backend, 0..KEYS).await;
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Arc::new(AtomicUsize::new(0));
    let load: Vec<_> = (0..8)
        .map(|_| {
            let (backend, stop, begun) = (backend.clone(), stop.clone(), begun.clone());
            tokio::spawn(async move {
                let mut all = read(&backend, 0..KEYS).await;
                begun.fetch_add(1, Ordering::Relaxed);
                while !stop.load(Ordering::Relaxed) {
                    for number in 0..KEYS {
                        all.count(number, backend.get(&key(number)).await);
                        tokio::task::yield_now().await;
                    }
                }
                all
            })
        })
        .collect();
    let under_load = || async { begun.load(Ordering::Relaxed) == 8 };
    eventually("all have begun", PATIENCE, under_load).await;
    server.kill_9();
    let open_circuit = || async {
        let answer = backend.get(&key(0)).await;
        answer.is_err_and(|error| error.kind() == ErrorKind::CircuitOpen)
    };
    let took = eventually("the circuit is open", PATIENCE, open_circuit).await;
    assert!(took < Duration::from_secs(1) + SLACK, "{took:?}");
    // Long enough for several probes to fail.
    tokio::time::sleep_until(Instant::now() + Duration::from_secs(3)).await;
    assert_eq!(backend.get(&key(0)).await.unwrap_err().kind(), ErrorKind::CircuitOpen);
    server.restart();
    let took = recovered(&backend).await;
    assert!(took < RECOVERY + SLACK, "{took:?}");
    stop.store(true, Ordering::Relaxed);
    for load in load {
        let reads = load.await.unwrap();
        only(&reads, &[ErrorKind::CircuitOpen, ErrorKind::Interrupted, ErrorKind::Unreachable]);
        assert!(reads.hits > 0);
    }
    assert_eq!(read(&backend, 1..KEYS).await.misses, KEYS - 1);
}

/// F04.
#[tokio::test(flavor = "multi_thread")]
async fn first_read_after_an_idle_restart_does_not_fail() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&format!("{}?timeout=500ms", server.url())).await;
    backend.set(&key(1), value(1).into(), TTL).await.unwrap();
    server.restart();
    // The end of the old connections is noticed at once; what is asked meanwhile waits for the new.
    let took = recovered(&backend).await;
    assert!(took < RECOVERY + SLACK, "{took:?}");
    assert_eq!(backend.get(&key(1)).await.unwrap(), None);
}

/// F05.
#[tokio::test(flavor = "multi_thread")]
async fn stopped_server_costs_its_deadline_until_it_is_left_alone_and_then_nothing() {
    let server = RedisServer::start(RedisOptions::default());
    let backend = open(&server.url()).await;
    fill(&backend, 0..KEYS).await;
    server.pause();
    let mut waited = 0;
    let begun = Instant::now();
    loop {
        let call = Instant::now();
        let error = backend.get(&key(0)).await.unwrap_err();
        assert!(call.elapsed() < Duration::from_millis(50) + SLACK, "{:?}", call.elapsed());
        match error.kind() {
            ErrorKind::CircuitOpen => break,
            kind => assert_eq!(kind, ErrorKind::Timeout),
        }
        waited += 1;
    }
    assert!((1..=5).contains(&waited), "{waited} calls waited");
    let mut spans = Vec::new();
    while begun.elapsed() < Duration::from_secs(3) {
        let call = Instant::now();
        assert!(backend.get(&key(0)).await.is_err());
        spans.push(call.elapsed());
        tokio::task::yield_now().await;
    }
    spans.sort();
    let p99 = spans[spans.len() * 99 / 100];
    assert!(p99 < Duration::from_millis(3), "p99 {p99:?} of {} calls", spans.len());
    server.resume();
    let took = recovered(&backend).await;
    assert!(took < RECOVERY + SLACK, "{took:?}");
    serves_all(&backend, 0..KEYS).await;
}

/// F06.
#[tokio::test(flavor = "multi_thread")]
async fn stalls_just_over_the_deadline_bring_no_wrong_value() {
    let (_server, proxy, url) = proxied();
    let backend = open(&url).await;
    fill(&backend, 0..KEYS).await;
    proxy.set(Fault::stall(Duration::from_millis(60), 10));
    for _ in 0..3 {
        let reads = read(&backend, 0..KEYS).await;
        only(&reads, &[ErrorKind::Timeout, ErrorKind::CircuitOpen, ErrorKind::Interrupted]);
    }
    proxy.set(Fault::Pass);
    let took = recovered(&backend).await;
    assert!(took < RECOVERY + SLACK, "{took:?}");
    serves_all(&backend, 0..KEYS).await;
}

/// F07.
#[tokio::test(flavor = "multi_thread")]
async fn trickle_ends_at_the_deadline_of_the_whole_call() {
    let (_server, proxy, url) = proxied();
    let backend = open(&url).await;
    let long = vec![b'x'; 100_000];
    backend.set(&key(1), long.clone().into(), TTL).await.unwrap();
    proxy.set(Fault::Trickle { bytes: 100, every: Duration::from_millis(5) });
    let begun = Instant::now();
    let error = backend.get(&key(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(begun.elapsed() < Duration::from_millis(50) + SLACK, "{:?}", begun.elapsed());
    proxy.set(Fault::Pass);
    let whole = || async { backend.get(&key(1)).await.is_ok() };
    eventually("the long value is read", PATIENCE, whole).await;
    assert_eq!(backend.get(&key(1)).await.unwrap().unwrap().value, long);
}

/// F08.
#[tokio::test(flavor = "multi_thread")]
async fn cancelled_calls_shift_no_answers() {
    let (_server, proxy, url) = proxied();
    let backend = open(&format!("{url}?timeout=2s&connect_timeout=2s")).await;
    fill(&backend, 0..KEYS).await;
    proxy.set(Fault::Delay {
        shortest: Duration::from_micros(100),
        longest: Duration::from_millis(3),
        one_in: 7,
    });
    let callers: Vec<_> = (0..20_u64)
        .map(|caller| {
            let backend = backend.clone();
            tokio::spawn(async move {
                let (mut reads, mut cancelled) = (Reads::default(), 0);
                for call in 0..1_000 {
                    let number = (caller * 37 + call * 13) % KEYS;
                    let patience = Duration::from_micros(50 * (call % 40));
                    match timeout(patience, backend.get(&key(number))).await {
                        Ok(answer) => reads.count(number, answer),
                        Err(_) => cancelled += 1,
                    }
                }
                (reads, cancelled)
            })
        })
        .collect();
    let mut cancelled = 0;
    for caller in callers {
        let (reads, left) = caller.await.unwrap();
        only(&reads, &[]);
        assert_eq!(reads.misses, 0);
        cancelled += left;
    }
    assert!(cancelled > 1_000, "{cancelled} were cancelled");
    proxy.set(Fault::Pass);
    let reads = read(&backend, 0..KEYS).await;
    assert_eq!(reads.hits, KEYS, "{reads:?}");
}

/// F09.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_break_off_bring_no_wrong_value() {
    let (_server, proxy, url) = proxied();
    let backend = open(&url).await;
    fill(&backend, 0..KEYS).await;
    for how in [Ending::Reset, Ending::Eof] {
        for after in [0, 1, 3, 20, 200, 5_000] {
            proxy.set(Fault::Cut { after, how });
            let reads = read_batch(&backend, 0..KEYS).await;
            only(
                &reads,
                &[
                    ErrorKind::Interrupted,
                    ErrorKind::CircuitOpen,
                    ErrorKind::Unreachable,
                    ErrorKind::Timeout,
                ],
            );
            assert_eq!(reads.misses, 0);
            proxy.set(Fault::Pass);
            let took = recovered(&backend).await;
            assert!(took < RECOVERY + SLACK, "{how:?} after {after}: {took:?}");
        }
    }
    serves_all(&backend, 0..KEYS).await;
}

/// F09: one connection that breaks is no reason to leave the server alone, and a read is asked again.
#[tokio::test(flavor = "multi_thread")]
async fn reset_of_a_connection_fails_no_read() {
    let (_server, proxy, url) = proxied();
    let backend = open(&format!("{url}?timeout=1s")).await;
    fill(&backend, 0..KEYS).await;
    // Longer than a connection has to live before its end counts as a failure of the node.
    let mut resets = 0;
    let mut pause = tokio::time::interval(Duration::from_millis(1_200));
    while resets < 3 {
        pause.tick().await;
        proxy.reset();
        resets += 1;
        let reads = read(&backend, 0..KEYS).await;
        assert_eq!(reads.hits, KEYS, "{reads:?}");
    }
}

/// The client's Cluster sends a write twice where an answer is lost.
#[tokio::test(flavor = "multi_thread")]
async fn write_whose_answer_is_lost_is_not_sent_again() {
    let server = fake::redis(|command| match command.first().map(String::as_str) {
        Some("EVALSHA") => Some(vec![Step::Reset]),
        _ => None,
    });
    let backend = open(&fake::url(&server)).await;
    let error = backend.set(&key(1), value(1).into(), TTL).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    eventually("it is joined again", PATIENCE, || async { backend.ping().await.is_ok() }).await;
    let received = fake::commands(&server.received());
    let writes = received.iter().filter(|command| command[0] == "EVALSHA").count();
    assert_eq!(writes, 1);
}

/// F09: a read is asked once more, and no more than that.
#[tokio::test(flavor = "multi_thread")]
async fn read_whose_answer_is_lost_is_sent_again_once() {
    let server = fake::redis(|command| match command.first().map(String::as_str) {
        Some("GET") => Some(vec![Step::Reset]),
        _ => None,
    });
    let backend = open(&format!("{}?timeout=500ms", fake::url(&server))).await;
    assert!(backend.get(&key(1)).await.is_err());
    let received = fake::commands(&server.received());
    let reads = received.iter().filter(|command| command[0] == "GET").count();
    assert!((1..=2).contains(&reads), "{reads} reads");
}

/// F10. A half-open connection is never left by the client.
#[tokio::test(flavor = "multi_thread")]
async fn half_open_connection_is_replaced_after_three_deadlines() {
    let (_server, proxy, url) = proxied();
    let backend = open(&url).await;
    fill(&backend, 0..10).await;
    proxy.half_open();
    let mut late = 0;
    while let Err(error) = backend.get(&key(1)).await {
        // Those that come while the new connection is let in cost less than a deadline.
        late += u32::from(error.kind() == ErrorKind::Timeout);
    }
    assert!(late <= 3, "{late} deadlines");
    serves_all(&backend, 0..10).await;
    assert!(proxy.counts().opened <= 6, "{:?}", proxy.counts());
}

/// F10: also where nobody asks anything.
#[tokio::test(flavor = "multi_thread")]
async fn half_open_connection_is_noticed_while_idle() {
    let (_server, proxy, url) = proxied();
    let _backend = open(&url).await;
    let before = proxy.counts().opened;
    proxy.half_open();
    let replaced = || async { proxy.counts().opened >= before + 2 };
    eventually("there are new connections", PATIENCE, replaced).await;
}

/// F12.
#[tokio::test(flavor = "multi_thread")]
async fn garbage_ends_the_connection_and_nothing_else() {
    let (_server, proxy, url) = proxied();
    let backend = open(&url).await;
    fill(&backend, 0..KEYS).await;
    let nested = b"*1\r\n".repeat(5_000);
    for garbage in [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        b"*1000000000\r\n$1\r\nx\r\n".to_vec(),
        b"$2000000000\r\nx".to_vec(),
        b"\0\0\0\0\0\0\0\0".to_vec(),
        nested,
    ] {
        proxy.set(Fault::Inject { bytes: garbage, one_in: 5 });
        let reads = read(&backend, 0..20).await;
        assert_eq!(reads.wrong, 0, "{reads:?}");
        assert!(!reads.errors.is_empty());
        proxy.set(Fault::Pass);
        let took = recovered(&backend).await;
        assert!(took < RECOVERY + SLACK, "{took:?}");
        writes_recovered(&backend).await;
    }
    serves_all(&backend, 0..KEYS).await;
}

/// F12: what cannot be meant ends the connection at once, and is not waited for nor kept.
#[tokio::test(flavor = "multi_thread")]
async fn lying_lengths_are_not_waited_for() {
    let lies =
        ["$2000000000\r\nx", "*1000000000\r\n$1\r\nx\r\n", "%1000000000\r\n", "=-5\r\n", "$-7\r\n"];
    for lie in lies {
        let server = fake::redis(move |command| match command[0].as_str() {
            "GET" => Some(vec![Step::Send(lie.into()), Step::Hang]),
            _ => None,
        });
        let backend = open(&format!("{}?timeout=10s", fake::url(&server))).await;
        let begun = Instant::now();
        let error = backend.get(&key(1)).await.unwrap_err();
        // Asked once more on another connection, which may take longer to come than is waited for.
        let kinds = [ErrorKind::Protocol, ErrorKind::Unreachable, ErrorKind::CircuitOpen];
        assert!(kinds.contains(&error.kind()), "{lie:?}: {error:?}");
        assert!(begun.elapsed() < SLACK, "{lie:?}: {:?}", begun.elapsed());
    }
}

/// F12: flipped bits are for the envelope to find; here nothing may break for good.
#[tokio::test(flavor = "multi_thread")]
async fn corrupted_answers_break_nothing_for_good() {
    let (_server, proxy, url) = proxied();
    let backend = open(&url).await;
    fill(&backend, 0..KEYS).await;
    proxy.set(Fault::Corrupt { one_in: 500 });
    for _ in 0..3 {
        read(&backend, 0..KEYS).await;
    }
    proxy.set(Fault::Pass);
    // Whatever the client made of it, the heartbeat finds a connection that is out of step.
    let right = || async { read(&backend, 0..KEYS).await.hits == KEYS };
    let took = eventually("all is right again", PATIENCE, right).await;
    assert!(took < RECOVERY + Duration::from_secs(1) + SLACK, "{took:?}");
}
