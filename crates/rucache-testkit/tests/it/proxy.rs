//! The faults of a proxy, one by one.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use rucache_testkit::{Connections, Ending, Fault, FaultProxy, wait_until};

use crate::echo::{PATIENCE, ask, connect, echo_server, is_silent, read_to_end};

fn proxy() -> FaultProxy {
    FaultProxy::start(echo_server(), 7)
}

#[expect(clippy::disallowed_methods, reason = "a proxy delays in real time")]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn pass_changes_nothing_and_counts() {
    let proxy = proxy();
    let (one, two) = (connect(proxy.port()).unwrap(), connect(proxy.port()).unwrap());
    let long = vec![b'x'; 300_000];
    assert_eq!(ask(&one, b"ruc_20131312955").unwrap(), b"ruc_20131312955");
    assert_eq!(ask(&two, b"ab").unwrap(), b"ab");
    assert_eq!(ask(&one, &long[..100_000]).unwrap(), &long[..100_000]);
    let counts = proxy.counts();
    assert_eq!((counts.opened, counts.open), (2, 2));
    assert_eq!((counts.to_server, counts.to_clients), (100_017, 100_017));
    drop(two);
    assert!(wait_until(PATIENCE, || proxy.counts().open == 1));
}

#[test]
fn proxy_is_gone_after_drop() {
    let proxy = proxy();
    let port = proxy.port();
    let client = connect(port).unwrap();
    ask(&client, b"x").unwrap();
    drop(proxy);
    assert!(connect(port).is_err());
    assert_ne!(read_to_end(&client).0, b"x");
}

#[test]
fn refuse_refuses_new_connections_alone() {
    let proxy = proxy();
    let old = connect(proxy.port()).unwrap();
    proxy.set(Fault::Refuse);
    assert_eq!(connect(proxy.port()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(ask(&old, b"old").unwrap(), b"old");
    proxy.set(Fault::Pass);
    assert_eq!(ask(&connect(proxy.port()).unwrap(), b"new").unwrap(), b"new");
}

#[test]
fn unanswered_lets_a_connect_hang() {
    let proxy = proxy();
    let old = connect(proxy.port()).unwrap();
    ask(&old, b"x").unwrap();
    proxy.set(Fault::Unanswered);
    for _ in 0..3 {
        assert_eq!(connect(proxy.port()).unwrap_err().kind(), ErrorKind::TimedOut);
    }
    assert_eq!(ask(&old, b"old").unwrap(), b"old");
    proxy.set(Fault::Pass);
    assert_eq!(ask(&connect(proxy.port()).unwrap(), b"new").unwrap(), b"new");
    assert_eq!(proxy.counts().opened, 2);
}

#[test]
fn black_hole_holds_what_is_sent_until_it_ends() {
    let proxy = proxy();
    let mut old = connect(proxy.port()).unwrap();
    ask(&old, b"x").unwrap();
    proxy.set(Fault::BlackHole(Connections::All));
    let mut new = connect(proxy.port()).unwrap();
    old.write_all(b"old").unwrap();
    new.write_all(b"new").unwrap();
    assert!(is_silent(&old) && is_silent(&new));
    proxy.set(Fault::Pass);
    let mut late = [0; 3];
    old.read_exact(&mut late).unwrap();
    assert_eq!(&late, b"old");
    new.read_exact(&mut late).unwrap();
    assert_eq!(&late, b"new");
}

#[test]
fn black_hole_tells_old_connections_from_new_ones() {
    for (which, old_is_silent) in [(Connections::Old, true), (Connections::New, false)] {
        let proxy = proxy();
        let mut old = connect(proxy.port()).unwrap();
        proxy.set(Fault::BlackHole(which));
        let mut new = connect(proxy.port()).unwrap();
        old.write_all(b"x").unwrap();
        new.write_all(b"x").unwrap();
        let (silent, mut heard) = if old_is_silent { (old, new) } else { (new, old) };
        assert!(is_silent(&silent), "{which:?}");
        assert_eq!(heard.read(&mut [0]).unwrap(), 1, "{which:?}");
    }
}

#[test]
fn clients_that_leave_a_black_hole_are_not_counted_as_open() {
    let proxy = proxy();
    proxy.set(Fault::BlackHole(Connections::All));
    for _ in 0..20 {
        connect(proxy.port()).unwrap().write_all(b"x").unwrap();
    }
    assert!(wait_until(PATIENCE, || proxy.counts().open == 0 && proxy.counts().opened == 20));
}

#[test]
fn half_open_connections_never_answer_again() {
    let proxy = proxy();
    let mut old = connect(proxy.port()).unwrap();
    ask(&old, b"x").unwrap();
    proxy.half_open();
    old.write_all(b"lost").unwrap();
    assert_eq!(ask(&connect(proxy.port()).unwrap(), b"new").unwrap(), b"new");
    assert!(is_silent(&old));
    proxy.reset();
    assert_eq!(read_to_end(&old), (vec![], Err(ErrorKind::ConnectionReset)));
}

#[test]
fn reset_and_close_end_all_open_connections() {
    let proxy = proxy();
    for (reset, end) in [(true, Err(ErrorKind::ConnectionReset)), (false, Ok(0))] {
        let clients = [connect(proxy.port()).unwrap(), connect(proxy.port()).unwrap()];
        if reset {
            proxy.reset()
        } else {
            proxy.close()
        }
        for client in clients {
            assert_eq!(read_to_end(&client), (vec![], end));
        }
        assert_eq!(ask(&connect(proxy.port()).unwrap(), b"new").unwrap(), b"new");
    }
}

#[test]
fn cut_ends_in_the_middle_of_an_answer() {
    let proxy = proxy();
    let old = connect(proxy.port()).unwrap();
    assert_eq!(ask(&old, b"before").unwrap(), b"before");
    for (how, end) in [(Ending::Eof, Ok(5)), (Ending::Reset, Err(ErrorKind::ConnectionReset))] {
        let mut client = connect(proxy.port()).unwrap();
        assert_eq!(ask(&client, b"whole").unwrap(), b"whole");
        proxy.set(Fault::Cut { after: 5, how });
        client.write_all(b"0123456789").unwrap();
        let (answer, ended) = read_to_end(&client);
        assert_eq!(ended, end, "{how:?}");
        // A reset may overtake what came before it.
        assert!(b"01234".starts_with(&answer) && (how == Ending::Reset || answer.len() == 5));
        proxy.set(Fault::Pass);
    }
    assert_eq!(ask(&old, b"after").unwrap(), b"after");
}

#[test]
fn trickle_takes_its_time_and_loses_nothing() {
    let proxy = proxy();
    proxy.set(Fault::Trickle { bytes: 2, every: Duration::from_millis(10) });
    let client = connect(proxy.port()).unwrap();
    let start = now();
    assert_eq!(ask(&client, b"0123456789").unwrap(), b"0123456789");
    assert!(start.elapsed() >= Duration::from_millis(40));
    proxy.set(Fault::Trickle { bytes: 1, every: Duration::from_secs(3_600) });
    (&client).write_all(b"ab").unwrap();
    assert_eq!((&client).read(&mut [0; 2]).unwrap(), 1);
    proxy.set(Fault::Pass);
    let mut rest = [0; 1];
    (&client).read_exact(&mut rest).unwrap();
    assert_eq!(&rest, b"b");
}

#[test]
fn stall_hits_every_nth_answer() {
    let proxy = proxy();
    let client = connect(proxy.port()).unwrap();
    let span = Duration::from_millis(80);
    proxy.set(Fault::stall(span, 4));
    let slow = (1..=8).filter(|_| {
        let start = now();
        ask(&client, b"x").unwrap();
        start.elapsed() >= span
    });
    assert_eq!(slow.collect::<Vec<_>>(), [4, 8]);
}

#[test]
fn delay_lies_between_its_bounds_and_keeps_the_order() {
    let proxy = proxy();
    let client = connect(proxy.port()).unwrap();
    let (shortest, longest) = (Duration::from_millis(5), Duration::from_millis(30));
    proxy.set(Fault::Delay { shortest, longest, one_in: 1 });
    let start = now();
    assert_eq!(ask(&client, b"first").unwrap(), b"first");
    assert!(start.elapsed() >= shortest);
    let sent: Vec<u8> = (0..200).collect();
    for byte in &sent {
        (&client).write_all(&[*byte]).unwrap();
    }
    let mut answer = vec![0; sent.len()];
    (&client).read_exact(&mut answer).unwrap();
    assert_eq!(answer, sent);
}

#[test]
fn corrupt_flips_single_bits_as_the_seed_decides() {
    let zeros = vec![0; 20_000];
    let run = |seed| {
        let proxy = FaultProxy::start(echo_server(), seed);
        proxy.set(Fault::Corrupt { one_in: 1_000 });
        ask(&connect(proxy.port()).unwrap(), &zeros).unwrap()
    };
    let (first, again, other) = (run(1), run(1), run(2));
    assert_eq!(first, again);
    assert_ne!(first, other);
    let flipped: Vec<u8> = first.into_iter().filter(|byte| *byte != 0).collect();
    assert!(flipped.iter().all(|byte| byte.count_ones() == 1));
    assert!((5..60).contains(&flipped.len()), "{} of 20,000", flipped.len());
}

#[test]
fn duplicate_and_inject_hit_every_nth_answer() {
    let proxy = proxy();
    let client = connect(proxy.port()).unwrap();
    let ask_for = |fault, answer_len| {
        proxy.set(fault);
        assert_eq!(ask(&client, b"1").unwrap(), b"1");
        (&client).write_all(b"2").unwrap();
        let mut answer = vec![0; answer_len];
        (&client).read_exact(&mut answer).unwrap();
        answer
    };
    assert_eq!(ask_for(Fault::Duplicate { one_in: 2 }, 2), b"22");
    assert_eq!(ask_for(Fault::Inject { bytes: b"??".into(), one_in: 2 }, 3), b"??2");
    proxy.set(Fault::Pass);
    assert_eq!(ask(&client, b"3").unwrap(), b"3");
}

#[test]
fn proxy_without_a_server_resets_its_clients() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = FaultProxy::start(server.local_addr().unwrap().port(), 1);
    drop(server);
    // The reset may come before the client has set its options.
    let ended = connect(proxy.port()).map(|client| read_to_end(&client));
    let kind = ended.map_or_else(|error| Err(error.kind()), |(_, end)| end);
    assert_eq!(kind, Err(ErrorKind::ConnectionReset));
}
