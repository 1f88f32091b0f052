//! Redis servers of the kit.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;

use rucache_testkit::{
    RedisCluster, RedisOptions, RedisSentinel, RedisServer, RedisUser, Tls, wait_until,
};

use crate::echo::{PATIENCE, connect, is_silent, read_to_end};

/// Where the server keeps its files.
fn directory(redis: &RedisServer) -> PathBuf {
    redis.command(&["CONFIG", "GET", "dir"]).lines().nth(1).unwrap().into()
}

/// What a client without the kit's means gets for inline commands.
fn inline(redis: &RedisServer, commands: &str) -> String {
    let mut client = connect(redis.port()).unwrap();
    client.write_all(commands.as_bytes()).unwrap();
    client.write_all(b"QUIT\r\n").unwrap();
    String::from_utf8(read_to_end(&client).0).unwrap()
}

fn assert_is_gone(address: &str, id: u32, directory: &Path) {
    assert!(TcpStream::connect(address).is_err());
    assert!(!Path::new(&format!("/proc/{id}")).exists());
    assert!(!directory.exists());
}

#[test]
fn server_answers_and_is_gone_after_drop() {
    let redis = RedisServer::start(RedisOptions::default());
    assert_eq!(redis.command(&["PING"]), "PONG");
    assert_eq!(redis.url(), format!("redis://127.0.0.1:{}", redis.port()));
    assert_eq!(inline(&redis, "PING\r\n"), "+PONG\r\n+OK\r\n");
    let (address, id, directory) =
        (redis.address(), redis.process_id().unwrap(), directory(&redis));
    assert!(directory.exists());
    drop(redis);
    assert_is_gone(&address, id, &directory);
}

#[test]
fn server_is_gone_after_a_panic() {
    let mut left = None;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let redis = RedisServer::start(RedisOptions::default());
        left = Some((redis.address(), redis.process_id().unwrap(), directory(&redis)));
        redis.pause();
        panic!("a test that fails");
    }));
    assert!(panicked.is_err());
    let (address, id, directory) = left.unwrap();
    assert_is_gone(&address, id, &directory);
}

#[test]
fn command_shows_every_kind_of_answer() {
    let redis = RedisServer::start(RedisOptions::default());
    assert_eq!(redis.command(&["GET", "k"]), "");
    assert_eq!(redis.command::<&[u8]>(&[b"SET", b"k", b"\r\n\0\xff"]), "OK");
    assert_eq!(redis.command(&["STRLEN", "k"]), "4");
    assert_eq!(redis.command(&["GET", "k"]), "\r\n\0\u{fffd}");
    assert_eq!(redis.command(&["MGET", "k2", "k2"]), "\n");
    assert_eq!(redis.command(&["DEBUG", "SET-ACTIVE-EXPIRE", "1"]), "OK");
    let error = redis.try_command(&["LPUSH", "k", "v"]).unwrap_err();
    assert!(error.to_string().starts_with("WRONGTYPE "), "{error}");
    assert_eq!(redis.command(&["PING"]), "PONG");
}

#[test]
fn killed_server_comes_back_on_its_port_without_its_data() {
    let redis = RedisServer::start(RedisOptions::default());
    redis.command(&["SET", "k", "v"]);
    let (address, id) = (redis.address(), redis.process_id().unwrap());
    redis.kill_9();
    assert_eq!(redis.process_id(), None);
    assert!(TcpStream::connect(&address).is_err());
    assert!(redis.try_command(&["PING"]).is_err());
    redis.restart();
    assert_ne!(redis.process_id(), Some(id));
    assert_eq!((redis.address(), redis.command(&["GET", "k"])), (address, String::new()));
    redis.restart();
    assert_eq!(redis.command(&["PING"]), "PONG");
}

#[test]
fn paused_server_keeps_connections_and_answers_when_resumed() {
    let redis = RedisServer::start(RedisOptions::default());
    let mut client = connect(redis.port()).unwrap();
    redis.pause();
    redis.pause();
    client.write_all(b"PING\r\n").unwrap();
    assert!(is_silent(&client));
    redis.resume();
    let mut answer = [0; 7];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+PONG\r\n");
    redis.pause();
    redis.kill_9();
    assert_eq!(read_to_end(&client).0, b"");
}

#[test]
fn password_and_users_are_asked_for_and_can_be_changed() {
    let redis = RedisServer::start(RedisOptions {
        password: Some("s3cret".into()),
        users: vec![RedisUser {
            name: "ana".into(),
            password: "otra".into(),
            rules: "~migo:* +get".into(),
        }],
        ..RedisOptions::default()
    });
    assert_eq!(redis.url(), format!("redis://:s3cret@127.0.0.1:{}", redis.port()));
    assert!(inline(&redis, "PING\r\n").starts_with("-NOAUTH"));
    assert_eq!(inline(&redis, "AUTH s3cret\r\nPING\r\n"), "+OK\r\n+PONG\r\n+OK\r\n");
    let ana = inline(&redis, "AUTH ana otra\r\nGET migo:k\r\nGET k\r\n");
    assert!(ana.starts_with("+OK\r\n$-1\r\n-NOPERM"), "{ana}");
    redis.command(&["CONFIG", "SET", "requirepass", "new"]);
    assert!(inline(&redis, "AUTH s3cret\r\n").starts_with("-WRONGPASS"));
    redis.command(&["CONFIG", "SET", "requirepass", "s3cret"]);
    assert!(inline(&redis, "AUTH s3cret\r\n").starts_with("+OK"));
}

#[test]
fn limits_and_lines_of_configuration_are_in_force() {
    let redis = RedisServer::start(RedisOptions {
        max_memory_bytes: Some(3_000_000),
        max_clients: Some(2),
        config: vec!["maxmemory-policy noeviction".into(), "databases 3".into()],
        ..RedisOptions::default()
    });
    assert_eq!(redis.command(&["CONFIG", "GET", "maxmemory"]), "maxmemory\n3000000");
    assert_eq!(redis.command(&["CONFIG", "GET", "databases"]), "databases\n3");
    let value = "x".repeat(1_000_000);
    let full = (0..5).find_map(|id| redis.try_command(&["SET", &format!("k{id}"), &value]).err());
    assert!(full.unwrap().to_string().starts_with("OOM "));
    let mut clients: Vec<_> = (0..2).map(|_| connect(redis.port()).unwrap()).collect();
    for client in &mut clients {
        client.write_all(b"PING\r\n").unwrap();
        client.read_exact(&mut [0; 7]).unwrap();
    }
    let refused = read_to_end(&connect(redis.port()).unwrap()).0;
    assert!(refused.starts_with(b"-ERR max number of clients"));
}

#[test]
fn tls_is_spoken_with_a_certificate_for_loopback() {
    let redis = RedisServer::start(RedisOptions { tls: Tls::On, ..RedisOptions::default() });
    assert_eq!(redis.url(), format!("rediss://127.0.0.1:{}", redis.port()));
    assert_eq!(redis.command(&["PING"]), "PONG");
    let authority = fs::read_to_string(redis.ca_file()).unwrap();
    assert!(authority.starts_with("-----BEGIN CERTIFICATE-----"));
    let mut plain = connect(redis.port()).unwrap();
    plain.write_all(b"PING\r\n").unwrap();
    assert!(!read_to_end(&plain).0.starts_with(b"+PONG"));
    // The client of the package that the server comes from.
    let ask = |trust: &[&str]| {
        let mut command = Command::new("redis-cli");
        command.args(["-h", "127.0.0.1", "-p", &redis.port().to_string(), "--tls"]);
        command.args(trust).arg("PING").output().unwrap().stdout
    };
    assert_eq!(ask(&["--cacert", &redis.ca_file().to_string_lossy()]), b"PONG\n");
    assert_eq!(ask(&[]), b"");
}

#[test]
fn bad_configuration_fails_the_test_with_the_servers_words() {
    let start = || {
        RedisServer::start(RedisOptions {
            config: vec!["no-such-directive yes".into()],
            ..RedisOptions::default()
        })
    };
    let message = *catch_unwind(start).unwrap_err().downcast::<String>().unwrap();
    assert!(message.starts_with("redis-server ended at once"), "{message}");
    assert!(message.contains("no-such-directive"), "{message}");
}

#[test]
fn cluster_moves_a_slot() {
    let options = RedisOptions { password: Some("s3cret".into()), ..RedisOptions::default() };
    let cluster = RedisCluster::start(&options);
    assert!(cluster.url().starts_with("redis+cluster://:s3cret@127.0.0.1:"));
    assert_eq!(cluster.url().matches("127.0.0.1").count(), 6);
    let key = "migo:ruc_20131312955";
    let (slot, owner) = (cluster.slot_of(key), cluster.primary_of(key));
    assert_eq!(owner.command(&["SET", key, "ACTIVO"]), "OK");
    let to = cluster.nodes()[..3].iter().find(|node| node.port() != owner.port()).unwrap();
    cluster.open_slot(slot, to);
    let other = format!("{{{key}}}");
    let ask = owner.try_command(&["GET", &other]).unwrap_err().to_string();
    assert_eq!(ask, format!("ASK {slot} {}", to.address()));
    cluster.move_slot(slot, to);
    assert_eq!(cluster.primary_of(key).port(), to.port());
    assert_eq!(to.command(&["GET", key]), "ACTIVO");
    let moved = owner.try_command(&["GET", key]).unwrap_err().to_string();
    assert_eq!(moved, format!("MOVED {slot} {}", to.address()));
}

#[test]
fn cluster_moves_a_slot_to_and_fro() {
    let cluster = RedisCluster::start(&RedisOptions::default());
    let key = "migo:ruc_20131312955";
    let slot = cluster.slot_of(key);
    cluster.primary_of(key).command(&["SET", key, "ACTIVO"]);
    for round in 0..30 {
        let to = &cluster.nodes()[round % 3];
        if cluster.primary_of(key).port() != to.port() {
            cluster.move_slot(slot, to);
        }
        assert_eq!(to.command(&["GET", key]), "ACTIVO", "round {round}");
        let elsewhere = &cluster.nodes()[(round + 1) % 3];
        let told = elsewhere.try_command(&["GET", key]).unwrap_or_else(|error| error.to_string());
        assert!(told.contains(&format!(":{}", to.port())), "round {round}: {told}");
    }
}

#[test]
fn cluster_replaces_a_primary_that_is_killed() {
    let cluster = RedisCluster::start(&RedisOptions::default());
    let old = &cluster.nodes()[0];
    let replica = cluster.replicas_of(old)[0].port();
    assert_eq!(replica, cluster.nodes()[3].port());
    old.kill_9();
    cluster.wait_until_ok();
    let key = (0..).map(|id| format!("k{id}")).find(|key| cluster.slot_of(key) < 5_461).unwrap();
    assert_eq!(cluster.primary_of(&key).port(), replica);
    old.restart();
    let new = &cluster.nodes()[3];
    let follows = || cluster.replicas_of(new).iter().any(|node| node.port() == old.port());
    assert!(wait_until(PATIENCE, follows));
}

#[test]
fn sentinels_replace_a_primary_that_is_killed() {
    let options = RedisOptions { password: Some("s3cret".into()), ..RedisOptions::default() };
    let redis = RedisSentinel::start(&options);
    assert!(redis.url().starts_with("redis+sentinel://:s3cret@127.0.0.1:"));
    assert!(redis.url().ends_with("/mymaster"));
    let old = redis.primary();
    assert_eq!(old.port(), redis.servers()[0].port());
    old.kill_9();
    redis.wait_for_other_primary(old.port());
    assert_ne!(redis.primary().port(), old.port());
    assert_eq!(redis.primary().command(&["SET", "k", "v"]), "OK");
}

#[test]
fn sentinels_change_the_primary_when_asked() {
    let redis = RedisSentinel::start(&RedisOptions::default());
    let old = redis.primary().port();
    redis.fail_over();
    assert_ne!(redis.primary().port(), old);
    assert_eq!(redis.sentinels().len(), 3);
}
