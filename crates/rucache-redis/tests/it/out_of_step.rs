//! Answers that have shifted against their questions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rucache_core::BackendExt;
use rucache_testkit::Step;

use crate::fake;
use crate::stand::{PATIENCE, RECOVERY, Reads, SLACK, eventually, key, open, read, value};

const KEYS: u64 = 200;

/// The right answer to a question for a name.
fn entry(name: &str) -> Vec<u8> {
    let number = name.trim_start_matches("migo:ruc_").parse().unwrap();
    let entry = [b"\x01versions".as_slice(), &value(number)].concat();
    let head = format!("${}\r\n", entry.len());
    [head.as_bytes(), &entry, b"\r\n"].concat()
}

/// Answers that are out of step with their questions are everybody's wrong values: the heartbeat
/// finds out, since only the answer to its own question will do.
#[tokio::test(flavor = "multi_thread")]
async fn connection_out_of_step_is_replaced() {
    // The first answer is never given; under load, the next ones go to those who asked before.
    let forgotten = AtomicBool::new(false);
    let server = fake::redis(move |command| match (command[0].as_str(), command.get(1)) {
        ("GET", _) if !forgotten.swap(true, Ordering::Relaxed) => Some(Vec::new()),
        ("GET", Some(name)) => Some(vec![Step::Send(entry(name))]),
        ("MGET", _) => {
            let entries = command[1..].iter().map(|name| entry(name)).collect::<Vec<_>>();
            let head = format!("*{}\r\n", entries.len()).into_bytes();
            Some(vec![Step::Send([head, entries.concat()].concat())])
        }
        _ => None,
    });
    let backend = open(&format!("{}?timeout=1s", fake::url(&server))).await;
    let (stop, wrong) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load: Vec<_> = (0..8_u64)
        .map(|caller| {
            let (backend, stop, wrong) = (backend.clone(), stop.clone(), wrong.clone());
            tokio::spawn(async move {
                for number in (0..).map(|call: u64| (call * 8 + caller) % KEYS) {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let mut reads = Reads::default();
                    reads.count(number, backend.get(&key(number)).await);
                    wrong.fetch_add(usize::try_from(reads.wrong).unwrap(), Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let shifted = || async { wrong.load(Ordering::Relaxed) > 0 };
    eventually("answers are out of step", PATIENCE, shifted).await;
    let right = || async {
        let before = wrong.load(Ordering::Relaxed);
        read(&backend, 0..KEYS).await.hits == KEYS && wrong.load(Ordering::Relaxed) == before
    };
    let took = eventually("all is right again", PATIENCE, right).await;
    assert!(took < RECOVERY + Duration::from_secs(1) + SLACK, "{took:?}");
    stop.store(true, Ordering::Relaxed);
    for load in load {
        load.await.unwrap();
    }
}
