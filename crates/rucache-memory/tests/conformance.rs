//! The contract's clauses, each a test of its name, over the in-process backend.

use std::process::ExitCode;
use std::sync::Arc;

use rucache_conformance::{Env, Harness};
use rucache_core::TestRuntime;
use rucache_memory::{Capacity, MemoryBackend, MemoryConfig};

fn main() -> ExitCode {
    rucache_conformance::main([
        Harness::new("memory", || open(&MemoryConfig::default())),
        // Small, so that the clauses meet housekeeping and rotations.
        Harness::new("memory-small", || {
            open(&MemoryConfig::with_capacity(Capacity::bytes(8 << 20)))
        }),
    ])
}

fn open(config: &MemoryConfig) -> Env {
    let runtime = TestRuntime::new(1);
    let backend = MemoryBackend::new(config, Arc::new(runtime.clone()));
    Env::in_process(&runtime, backend)
}
