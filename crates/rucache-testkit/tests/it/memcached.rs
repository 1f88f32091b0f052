//! Memcached servers of the kit.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rucache_testkit::{Memcached, MemcachedOptions};

use crate::echo::{connect, is_silent};

#[test]
fn server_answers_and_is_gone_after_drop() {
    let memcached = Memcached::start(MemcachedOptions::default());
    assert!(memcached.command(&["version"]).starts_with("VERSION "));
    assert_eq!(memcached.url(), format!("memcached://127.0.0.1:{}", memcached.port()));
    let (address, id) = (memcached.address(), memcached.process_id().unwrap());
    drop(memcached);
    assert!(TcpStream::connect(&address).is_err());
    assert!(!Path::new(&format!("/proc/{id}")).exists());
}

#[test]
fn server_is_gone_after_a_panic() {
    let mut left = None;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let memcached = Memcached::start(MemcachedOptions::default());
        left = Some((memcached.address(), memcached.process_id().unwrap()));
        panic!("a test that fails");
    }));
    assert!(panicked.is_err());
    let (address, id) = left.unwrap();
    assert!(TcpStream::connect(&address).is_err());
    assert!(!Path::new(&format!("/proc/{id}")).exists());
}

#[test]
fn command_shows_every_kind_of_answer() {
    let memcached = Memcached::start(MemcachedOptions::default());
    assert_eq!(memcached.command(&["get", "k"]), "");
    assert_eq!(memcached.command(&["set", "k", "7", "0", "3", "END"]), "STORED");
    assert_eq!(memcached.command(&["get", "k"]), "VALUE k 7 3\nEND");
    assert_eq!(memcached.command(&["mg", "k", "v"]), "VA 3\nEND");
    assert_eq!(memcached.command(&["mg", "none", "v"]), "EN");
    assert_eq!(memcached.command(&["ms", "n", "2", "41"]), "HD");
    assert_eq!(memcached.command(&["incr", "n", "1"]), "42");
    assert_eq!(memcached.command(&["nonsense"]), "ERROR");
    assert_eq!(memcached.stat("curr_items"), 2);
    assert_eq!(memcached.command(&["flush_all"]), "OK");
    assert_eq!(memcached.command(&["get", "k"]), "");
}

#[test]
fn killed_server_comes_back_on_its_port_empty() {
    let memcached = Memcached::start(MemcachedOptions::default());
    memcached.command(&["set", "k", "0", "0", "1", "v"]);
    let address = memcached.address();
    memcached.kill_9();
    assert!(TcpStream::connect(&address).is_err());
    assert!(memcached.try_command(&["version"]).is_err());
    memcached.restart();
    assert_eq!((memcached.address(), memcached.stat("curr_items")), (address, 0));
}

#[test]
fn paused_server_keeps_connections_and_answers_when_resumed() {
    let memcached = Memcached::start(MemcachedOptions::default());
    let mut client = connect(memcached.port()).unwrap();
    memcached.pause();
    client.write_all(b"mn\r\n").unwrap();
    assert!(is_silent(&client));
    memcached.resume();
    let mut answer = [0; 4];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"MN\r\n");
}

#[test]
fn limits_are_in_force() {
    let memcached = Memcached::start(MemcachedOptions {
        memory_mb: Some(16),
        max_connections: Some(3),
        max_item_bytes: Some(524_288),
        arguments: vec!["-M".into()],
    });
    assert_eq!(memcached.stat("limit_maxbytes"), 16 << 20);
    let settings = memcached.command(&["stats", "settings"]);
    assert!(settings.contains("STAT item_size_max 524288\n"), "{settings}");
    assert!(settings.contains("STAT evictions off\n"), "{settings}");
    let value = "x".repeat(600_000);
    let refused = memcached.command(&["set", "k", "0", "0", "600000", &value]);
    assert_eq!(refused, "SERVER_ERROR object too large for cache");
    let answers = |mut client: &TcpStream| {
        client.write_all(b"mn\r\n").unwrap();
        !is_silent(client)
    };
    let mut clients: Vec<_> = (0..3).map(|_| connect(memcached.port()).unwrap()).collect();
    assert!(clients.iter().all(answers));
    let refused = (0..16).find_map(|_| {
        let client = connect(memcached.port()).unwrap();
        let mut first = [0; 4];
        (&client).write_all(b"mn\r\n").unwrap();
        (&client).read_exact(&mut first).unwrap();
        clients.push(client);
        (&first != b"MN\r\n").then_some(first)
    });
    assert_eq!(refused.as_ref(), Some(b"ERRO"));
}

#[test]
fn pool_has_servers_of_their_own() {
    let pool = Memcached::start_pool(3, &MemcachedOptions::default());
    let ports: BTreeSet<_> = pool.iter().map(Memcached::port).collect();
    assert_eq!(ports.len(), 3);
    let url = Memcached::pool_url(&pool);
    let addresses = [pool[0].address(), pool[1].address(), pool[2].address()].join(",");
    assert_eq!(url, format!("memcached://{addresses}"));
    pool[1].kill_9();
    assert!(pool[0].command(&["version"]).starts_with("VERSION"));
}
