//! The `rucache` binary: HTTP service and command line.

fn main() {}
