//! Redis servers of the kit.

use std::net::TcpStream;
use std::path::Path;

use rucache_testkit::{RedisOptions, RedisServer};

#[test]
fn server_answers_and_is_gone_after_drop() {
    let redis = RedisServer::start(RedisOptions::default());
    assert_eq!(redis.command(&["PING"]), "PONG");
    assert_eq!(redis.url(), format!("redis://127.0.0.1:{}", redis.port()));
    let (address, id) = (redis.address(), redis.process_id().unwrap());
    assert!(TcpStream::connect(&address).is_ok());
    drop(redis);
    assert!(TcpStream::connect(&address).is_err());
    assert!(!Path::new(&format!("/proc/{id}")).exists());
}
