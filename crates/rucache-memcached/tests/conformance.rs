//! Every clause of the contract, on one memcached and on a pool of three.

use std::process::ExitCode;
use std::sync::Arc;

use rucache_conformance::{Env, Harness};
use rucache_memcached::MemcachedBackend;
use rucache_testkit::{Memcached, MemcachedOptions};
use tokio::runtime::{Builder, Runtime};

/// Longer than what a machine that is busy with other tests takes for an answer.
const PARAMETERS: &str = "?timeout=5s&connect_timeout=5s";

fn main() -> ExitCode {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = Arc::new(runtime.unwrap_or_else(|error| panic!("no runtime: {error}")));
    // Alive until every clause has run.
    let pools = [1, 3].map(|count| Memcached::start_pool(count, &MemcachedOptions::default()));
    rucache_conformance::main(pools.iter().map(|pool| harness(&runtime, pool)))
}

fn harness(runtime: &Arc<Runtime>, pool: &[Memcached]) -> Harness {
    let (runtime, url) = (runtime.clone(), Memcached::pool_url(pool) + PARAMETERS);
    Harness::new(format!("memcached-{}", pool.len()), move || {
        let backend = {
            let _entered = runtime.enter();
            MemcachedBackend::open(&url).unwrap_or_else(|refused| panic!("{refused}"))
        };
        let runtime = runtime.clone();
        Env::in_real_time(backend, move |job| runtime.block_on(job))
    })
}
