//! Memcached servers of the kit.

use std::net::TcpStream;
use std::path::Path;

use rucache_testkit::{Memcached, MemcachedOptions};

#[test]
fn server_answers_and_is_gone_after_drop() {
    let memcached = Memcached::start(MemcachedOptions::default());
    assert!(memcached.command(&["version"]).starts_with("VERSION "));
    let (address, id) = (memcached.address(), memcached.process_id().unwrap());
    drop(memcached);
    assert!(TcpStream::connect(&address).is_err());
    assert!(!Path::new(&format!("/proc/{id}")).exists());
}
