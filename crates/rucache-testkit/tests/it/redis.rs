//! Redis servers of the kit.

use std::net::TcpStream;
use std::path::Path;

use rucache_testkit::{RedisCluster, RedisOptions, RedisSentinel, RedisServer};

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

#[test]
fn cluster_is_whole_and_moves_a_slot() {
    let cluster = RedisCluster::start(&RedisOptions::default());
    let key = "migo:ruc_20131312955";
    let owner = cluster.primary_of(key);
    assert_eq!(owner.command(&["SET", key, "ACTIVO"]), "OK");
    let to = cluster.nodes()[..3].iter().find(|node| node.port() != owner.port()).unwrap();
    cluster.move_slot(cluster.slot_of(key), to);
    assert_eq!(cluster.primary_of(key).port(), to.port());
    assert_eq!(to.command(&["GET", key]), "ACTIVO");
}

#[test]
fn sentinels_replace_a_primary_that_is_killed() {
    let redis = RedisSentinel::start(&RedisOptions::default());
    let old = redis.primary();
    old.kill_9();
    redis.wait_for_other_primary(old.port());
    assert_ne!(redis.primary().port(), old.port());
}
