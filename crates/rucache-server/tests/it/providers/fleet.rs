//! Two service processes over one Redis.

use std::collections::HashSet;
use std::time::Duration;

use rucache_testkit::{ProviderFake, ProviderShape, RedisOptions, RedisServer};

use super::stand::{Asker, crowd, over, ruc};
use crate::cli::program::Service;

/// Different numbers.
const NUMBERS: u64 = 1_000;

/// Clients, half of them at each process, and how much each of them asks.
const CLIENTS: usize = 2_000;
const EACH: u64 = 5;

#[test]
fn ten_thousand_requests_for_a_thousand_numbers_ask_for_each_once_in_few_calls() {
    let redis = RedisServer::start(RedisOptions::default());
    let backend = format!("{}?timeout=10s&connect_timeout=5s", redis.url());
    let fake = ProviderFake::start(ProviderShape::Migo);
    fake.set_latency(Duration::from_millis(500));
    let start = || {
        let mut program = over(&fake, ProviderShape::Migo, &["--backend", &backend]);
        if cfg!(debug_assertions) {
            // A burst that takes a moment as users have it takes seconds without optimisation.
            program = program.env("RUCACHE_MIGO_GATHER", "5s");
        }
        let program = program.env("RUCACHE_LIMITS_CONNECTIONS", "1200");
        Service::of(program.env("RUCACHE_MIGO_PER_MONTH", "40000"))
    };
    let services = [start(), start()];
    // Client 2n asks the one process for what client 2n + 1 asks the other.
    let wanted = |client: usize| {
        let first = u64::try_from(client / 2).expect("a few");
        (0..EACH).map(|round| ruc((first + round * NUMBERS / EACH) % NUMBERS)).collect()
    };
    let told = crowd(&[&services[0], &services[1]], CLIENTS, wanted);
    assert_eq!(told.len(), 10_000);
    assert_eq!(told.iter().find(|told| told.status != 200), None);
    let calls = fake.calls();
    let asked: Vec<&String> = calls.iter().flat_map(|call| &call.numbers).collect();
    let different: HashSet<_> = asked.iter().collect();
    let sizes: Vec<usize> = calls.iter().map(|call| call.numbers.len()).collect();
    assert_eq!((asked.len(), different.len()), (1_000, 1_000), "{sizes:?}");
    assert!(calls.len() <= 20, "{sizes:?}");
    // The budget of the fleet, to the call.
    let key = redis.command(&["KEYS", "*provider.migo:month_*"]);
    assert_eq!(redis.command(&["GET", key.trim()]).trim(), calls.len().to_string());
    let answered: f64 =
        services.iter().map(|service| Asker::of(service).calls("migo", "answered")).sum();
    assert_eq!(answered.to_string(), calls.len().to_string());
}
