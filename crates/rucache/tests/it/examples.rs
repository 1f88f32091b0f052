//! The examples run to their end.

#[path = "../../examples/cache_aside.rs"]
mod cache_aside;
#[path = "../../examples/lookup.rs"]
mod lookup;
#[path = "../../examples/own_cache.rs"]
mod own_cache;

#[test]
fn lookup_runs() {
    lookup::main().unwrap();
}

#[test]
fn cache_aside_runs() {
    cache_aside::main().unwrap();
}

#[test]
fn own_cache_runs() {
    own_cache::main().unwrap();
}
