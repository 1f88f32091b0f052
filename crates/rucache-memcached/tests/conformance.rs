//! The clauses of the contract, on real servers.

fn main() {}
