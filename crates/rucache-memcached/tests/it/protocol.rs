//! Answers that no memcached gives, and lines in which it says what it minds.

use std::time::Duration;

use rucache_core::{Backend, BackendExt, ErrorKind, Ttl};
use rucache_testkit::{FakeServer, Fleet, Parent, Step};
use tokio::runtime::Builder;
use tokio::time::Instant;

use crate::rig::{SLACK, key, kind, open};

fn says(line: &'static [u8]) -> FakeServer {
    FakeServer::answering(move |_| vec![Step::Send(line.to_vec())])
}

/// The kind of a read and of a write that are answered with `line`.
#[track_caller]
fn check(line: &'static [u8], read: ErrorKind, write: ErrorKind) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let fake = says(line);
        let backend = open(&fake.address(), "timeout=300ms");
        let text = String::from_utf8_lossy(line);
        assert_eq!(kind(backend.get(&key("a")).await), Err(read), "{text:?}");
        let set = backend.set(&key("a"), "1".into(), Ttl::SHORT).await;
        assert_eq!(kind(set), Err(write), "{text:?}");
    });
}

#[test]
fn lines_of_the_server_have_their_kinds() {
    let same = |line, kind| check(line, kind, kind);
    same(b"SERVER_ERROR out of memory storing object\r\n", ErrorKind::Full);
    same(b"SERVER_ERROR object too large for cache\r\n", ErrorKind::TooLarge);
    same(b"SERVER_ERROR backend failure\r\n", ErrorKind::Interrupted);
    same(b"CLIENT_ERROR unauthenticated\r\n", ErrorKind::Denied);
    same(b"CLIENT_ERROR bad command line format\r\n", ErrorKind::Protocol);
    same(b"ERROR Too many open connections\r\n", ErrorKind::Unreachable);
    same(b"ERROR\r\n", ErrorKind::Unreachable);
}

#[test]
fn answers_that_break_the_protocol_are_told_from_silence() {
    let protocol = |line| check(line, ErrorKind::Protocol, ErrorKind::Protocol);
    protocol(b"\r\n");
    protocol(b"\xff\xfe\0\r\n");
    protocol(b"+OK\r\n");
    protocol(b"VA\r\n");
    protocol(b"VA x\r\n");
    protocol(b"VA -1\r\n");
    protocol(b"VA 99999999999999999999\r\n");
    protocol(b"VA 2147483648 O0\r\n");
    protocol(b"VA 2 f20993 c1 O0\r\n12345\r\n");
    protocol(b"HD O0\r\n");
    protocol(b"HD O1\r\n");
    protocol(b"VA 1 f20993 O0\r\nx\r\n");
    protocol(b"HD\r\n");
    protocol(b"HD c99999999999999999999 O0\r\n");
    // Nothing more comes: the deadline ends it.
    check(b"VA 10 f20993 c1 O0\r\nshort", ErrorKind::Timeout, ErrorKind::Timeout);
    check(b"VA 1000000000 f20993 c1 O0\r\n", ErrorKind::Timeout, ErrorKind::Timeout);
    check(b"HD", ErrorKind::Timeout, ErrorKind::Timeout);
}

#[test]
fn stats_that_never_end_are_given_up() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let fake = says(b"STAT pid 1\r\n");
        let backend = open(&fake.address(), "timeout=100ms");
        assert_eq!(kind(backend.info().await).unwrap_err(), ErrorKind::Timeout);
        let fake = FakeServer::script([Step::Send(vec![b'x'; 1 << 20])]);
        let backend = open(&fake.address(), "timeout=2s");
        assert_eq!(kind(backend.info().await).unwrap_err(), ErrorKind::Protocol);
    });
}

/// Megabytes that the process has had resident at most, by the kernel's count.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// In a process of its own, whose memory is nobody else's.
#[test]
fn lying_lengths_and_endless_lines_cost_little_memory() {
    if let Some(mut parent) = Parent::of_this_process() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let before = peak_memory();
        runtime.block_on(async {
            while let Some(address) = parent.receive() {
                let backend = open(&address, "timeout=50ms");
                let began = Instant::now();
                for _ in 0..20 {
                    assert!(backend.get(&key("a")).await.is_err());
                }
                // Five of them time out, the others are spared the wait.
                assert!(began.elapsed() < Duration::from_millis(20 * 50) + SLACK);
                parent.send(&(peak_memory() - before).to_string());
            }
        });
        return;
    }
    let fleet = Fleet::of_test("protocol::lying_lengths_and_endless_lines_cost_little_memory");
    let reader = fleet.spawn("reader", [("RUST_BACKTRACE", "1")]);
    let endless = |line: &[u8]| {
        let chunk = vec![b'a'; 64 * 1024];
        let steps = [Step::Send(line.to_vec())].into_iter();
        let steps = steps.chain(std::iter::repeat_n(Step::Send(chunk), 160)).collect::<Vec<_>>();
        FakeServer::answering(move |_| steps.clone())
    };
    for fake in [
        says(b"VA 1073741824 f20993 c1 O0\r\nx"),
        endless(b"VA 1073741824 f20993 c1 O0\r\n"),
        endless(b"VA 5 f20993 c1 "),
    ] {
        reader.send(&fake.address());
        let grown: u64 = reader.receive().parse().unwrap();
        assert!(grown < 64, "{grown} MB");
    }
}
