//! Real Redis servers: one, a Cluster, a primary guarded by Sentinels.

mod certificate;
mod client;
mod cluster;
mod options;
mod sentinel;
mod server;

pub use cluster::RedisCluster;
pub use options::{RedisOptions, RedisUser, Tls};
pub use sentinel::RedisSentinel;
pub use server::RedisServer;

/// The URL of `servers`, with the password of the user `default` if it has one.
fn joined_url(scheme: &str, password: Option<&str>, servers: &[RedisServer]) -> String {
    let login = password.map_or_else(String::new, |password| format!(":{password}@"));
    let addresses: Vec<_> = servers.iter().map(RedisServer::address).collect();
    format!("{scheme}://{login}{}", addresses.join(","))
}
