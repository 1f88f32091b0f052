//! Scripted servers.

use std::io::{ErrorKind, Write};

use rucache_testkit::{FakeServer, Step, wait_until};

use crate::echo::{PATIENCE, ask, connect, is_silent, read_to_end};

#[test]
fn script_is_played_on_each_connection() {
    let fake = FakeServer::script([
        Step::Expect(b"mn\r\n".into()),
        Step::Send(b"M".into()),
        Step::Expect(b"mg k\r\n".into()),
        Step::Send(b"VA 2000000000 c1\r\n".into()),
    ]);
    for connections in 1..=2 {
        let mut client = connect(fake.port()).unwrap();
        client.write_all(b"mn\r\nmg").unwrap();
        client.write_all(b" k\r\n").unwrap();
        assert_eq!(read_to_end(&client), (b"MVA 2000000000 c1\r\n".to_vec(), Ok(19)));
        assert_eq!(fake.opened(), connections);
    }
    assert_eq!(fake.received(), b"mn\r\nmg k\r\nmn\r\nmg k\r\n");
}

#[test]
fn script_waits_for_what_it_expects() {
    let fake = FakeServer::script([Step::Expect(b"GET".into()), Step::Send(b"$-1\r\n".into())]);
    let mut client = connect(fake.port()).unwrap();
    client.write_all(b"SET").unwrap();
    assert!(is_silent(&client));
    client.write_all(b"GET").unwrap();
    assert_eq!(read_to_end(&client), (b"$-1\r\n".to_vec(), Ok(5)));
}

#[test]
fn answers_depend_on_the_request() {
    let fake = FakeServer::answering(|request| match request {
        b"reset" => vec![Step::Reset],
        b"close" => vec![Step::Send(b"bye".into()), Step::Close],
        b"hang" => vec![Step::Hang],
        _ => vec![Step::Send(request.to_vec())],
    });
    let end_of = |request: &[u8]| {
        let mut client = connect(fake.port()).unwrap();
        assert_eq!(ask(&client, b"echo").unwrap(), b"echo");
        client.write_all(request).unwrap();
        client
    };
    assert_eq!(read_to_end(&end_of(b"reset")), (vec![], Err(ErrorKind::ConnectionReset)));
    assert_eq!(read_to_end(&end_of(b"close")), (b"bye".to_vec(), Ok(3)));
    let mut hanging = end_of(b"hang");
    assert!(wait_until(PATIENCE, || fake.received().ends_with(b"hang")));
    hanging.write_all(b"echo").unwrap();
    assert!(is_silent(&hanging));
    assert!(wait_until(PATIENCE, || fake.received().ends_with(b"hangecho")));
    let port = fake.port();
    drop(fake);
    assert!(connect(port).is_err());
}
