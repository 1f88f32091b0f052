//! The decorators keep the contract in their calm setting.

use std::process::ExitCode;
use std::sync::Arc;

use rucache_conformance::{Env, Harness, Model};
use rucache_core::TestRuntime;
use rucache_testkit::ChaosBackend;

fn main() -> ExitCode {
    rucache_conformance::main([Harness::new("chaos-calm", || {
        let runtime = TestRuntime::new(1);
        let model = Model::new(Arc::new(runtime.clone()));
        Env::in_process(&runtime, ChaosBackend::new(model, Arc::new(runtime.clone()), 1))
    })])
}
