//! The contract, clause by clause, on real servers: RESP3, RESP2, TLS, a deployment's prefix,
//! Sentinel, Cluster.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use rucache_conformance::{Env, Harness};
use rucache_redis::RedisBackend;
use rucache_testkit::{RedisCluster, RedisOptions, RedisSentinel, RedisServer, Tls};
use tokio::runtime::Runtime;

/// The clauses are about what is answered, not how fast: a busy machine must not break them.
const PATIENT: &str = "timeout=5s&bulk_timeout=10s";

fn main() -> ExitCode {
    let server = Arc::new(OnceLock::new());
    let server = move || Arc::clone(&server);
    let plain = |name: &str, parameters: &'static str| {
        let server = server();
        harness(name, move || {
            let server: &RedisServer =
                server.get_or_init(|| RedisServer::start(RedisOptions::default()));
            format!("{}?{PATIENT}{parameters}", server.url())
        })
    };
    let (encrypted, sentinel, cluster) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
    let harnesses = [
        plain("redis-resp3", "&protocol=3"),
        plain("redis-resp2", "&protocol=2"),
        plain("redis-prefix", "&prefix=electro_isla"),
        harness("redis-tls", move || {
            let server: &RedisServer = encrypted.get_or_init(|| {
                RedisServer::start(RedisOptions {
                    tls: Tls::On,
                    password: Some("p@ss:word/?#%".to_owned()),
                    ..RedisOptions::default()
                })
            });
            let (address, ca) = (server.address(), server.ca_file());
            let ca = ca.display();
            format!("rediss://:p%40ss%3Aword%2F%3F%23%25@{address}/3?{PATIENT}&ca={ca}")
        }),
        harness("redis-sentinel", move || {
            let group = sentinel.get_or_init(|| RedisSentinel::start(&RedisOptions::default()));
            format!("{}?{PATIENT}", group.url())
        }),
        harness("redis-cluster", move || {
            let nodes = cluster.get_or_init(|| RedisCluster::start(&RedisOptions::default()));
            format!("{}?{PATIENT}", nodes.url())
        }),
    ];
    rucache_conformance::main(harnesses)
}

/// A backend opened anew for each clause at the URL that `server` tells, starting it first.
fn harness(name: &str, server: impl Fn() -> String + Send + Sync + 'static) -> Harness {
    let runtime = OnceLock::new();
    Harness::new(name, move || {
        let runtime: &Arc<Runtime> = runtime.get_or_init(|| {
            Arc::new(Runtime::new().unwrap_or_else(|error| panic!("no runtime: {error}")))
        });
        let opened = runtime.block_on(RedisBackend::open(&server()));
        let backend = opened.unwrap_or_else(|error| panic!("{error}"));
        let runtime = runtime.clone();
        Env::in_real_time(backend, move |job| runtime.block_on(job))
    })
}
