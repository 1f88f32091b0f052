//! What is logged: enough to find out what is wrong, and nothing that is secret.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use rucache_core::BackendExt;
use rucache_testkit::{Fleet, Parent, RedisOptions, RedisServer};
use tracing::level_filters::LevelFilter;

use crate::stand::{TTL, eventually, key, open, recovered, value};

/// Everything that is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "current_thread")]
async fn log_tells_why_a_node_is_down_without_user_password_or_key() {
    if Parent::of_this_process().is_none() {
        // In a process of its own: what other tests log at the same time decides what is heard here.
        let test = "secrets::log_tells_why_a_node_is_down_without_user_password_or_key";
        return Fleet::of_test(test).spawn::<&str, &str>("logging", []).join();
    }
    let log = Log::default();
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || written.clone())
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let password = Some("s3cret".to_owned());
    let server = RedisServer::start(RedisOptions { password, ..RedisOptions::default() });
    let backend = open(&server.url()).await;
    backend.set(&key(20_131_312_955), value(1).into(), TTL).await.unwrap();
    // A password that is wrong since today, a stranger, and a server that is gone.
    server.command(&["CONFIG", "SET", "requirepass", "0ther"]);
    server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    let refused = || async { backend.get(&key(20_131_312_955)).await.is_err() };
    eventually("reads are refused", crate::stand::PATIENCE, refused).await;
    server.command(&["CONFIG", "SET", "requirepass", "s3cret"]);
    recovered(&backend).await;
    let stranger = open(&format!("redis://mall0ry:wr0ng@{}", server.address())).await;
    assert!(stranger.get(&key(20_131_312_955)).await.is_err());
    server.kill_9();
    eventually("reads fail", crate::stand::PATIENCE, refused).await;
    let down = || async { log.text().matches("redis node is down").count() >= 3 };
    eventually("all of it is logged", crate::stand::PATIENCE, down).await;
    let text = log.text();
    assert!(text.contains("WRONGPASS") && text.contains("redis node serves"), "{text}");
    for secret in ["s3cret", "0ther", "mall0ry", "wr0ng", "20131312955", "the record of"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
